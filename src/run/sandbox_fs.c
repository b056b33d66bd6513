#include "run/sandbox_core.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's header ends at ABI 2; the newer numbers are the kernel's, for good. */
enum {
	ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6,
};
static const uint64_t fs_truncate = 1ULL << 14, fs_ioctl_dev = 1ULL << 15;
static const uint64_t fs_first = (1ULL << 13) - 1; /* all of ABI 1 */
static const uint64_t net_bind = 1, net_connect_right = 2;
static const uint64_t scope_abstract_sockets = 1, scope_signals = 2;
enum { RULE_NET_PORT = 2 };

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

int landlock_abi(int abi_max)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const char *forced = secure_getenv("POSTERN_LANDLOCK_ABI");
	uint64_t wanted = 0;
	if (forced && str_to_u64(str_from(forced), &wanted) && wanted && (!abi_max || wanted < (uint64_t)abi_max))
		abi_max = (int)wanted;
	if (abi_max && abi_max < SANDBOX_ABI_FLOOR)
		abi_max = SANDBOX_ABI_FLOOR;
	if (abi_max && abi > abi_max)
		abi = abi_max;
	return abi < SANDBOX_ABI_FLOOR ? 0 : (int)abi;
}

static struct ruleset rights_of(int abi)
{
	struct ruleset r = {.fs = fs_first};
	if (abi >= ABI_REFER)
		r.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		r.fs |= fs_truncate;
	if (abi >= ABI_NET)
		r.net = net_bind | net_connect_right;
	if (abi >= ABI_IOCTL)
		r.fs |= fs_ioctl_dev;
	if (abi >= ABI_SCOPE)
		r.scoped = scope_abstract_sockets | scope_signals;
	return r;
}

/* The kernel refuses a longer struct than it knows when the rest is not zero,
 * and it is zero for an older ABI; but ABI 2 also knows only the first field. */
static size_t size_of(int abi)
{
	return abi >= ABI_SCOPE ? sizeof(struct ruleset) : abi >= ABI_NET ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static uint64_t path_rights(const struct sandbox_path *p)
{
	uint64_t r = 0;
	if (p->rights & SANDBOX_READ)
		r |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	if (p->rights & SANDBOX_WRITE)
		r |= LANDLOCK_ACCESS_FS_WRITE_FILE | fs_truncate;
	if (p->rights & SANDBOX_MAKE)
		r |= LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE
			| LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER;
	struct stat st;
	if (fstat(p->fd, &st) == 0 && !S_ISDIR(st.st_mode))
		r &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | fs_truncate;
	return r;
}

static bool add_path(int rules, const struct sandbox_path *p, const struct ruleset *have)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = path_rights(p) & have->fs, .parent_fd = p->fd};
	return !rule.allowed_access
		|| syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

#if SANITIZED
static bool add_proc(int rules, const struct ruleset *have)
{
	int proc = open("/proc", O_PATH | O_CLOEXEC);
	bool ok = proc < 0 || add_path(rules, &(struct sandbox_path){proc, SANDBOX_READ}, have);
	close(proc);
	return ok;
}
#else
static bool add_proc(int rules, const struct ruleset *have)
{
	(void)rules;
	(void)have;
	return true;
}
#endif

static bool add_rules(const struct sandbox *s, int rules, const struct ruleset *have)
{
	if (!add_proc(rules, have))
		return false;
	for (size_t i = 0; i < s->path_count; i++)
		if (!add_path(rules, &s->paths[i], have))
			return false;
	for (size_t i = 0; i < s->port_count; i++) {
		struct port_rule rule = {(s->ports[i].bind ? net_bind : net_connect_right) & have->net, s->ports[i].port};
		if (rule.allowed && syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0) != 0)
			return false;
	}
	return true;
}

result landlock_enter(const struct sandbox *s, int *abi)
{
	*abi = 0;
	int got = landlock_abi(s->abi_max);
	if (!got)
		return failure(FAIL_ABSENT, "Landlock (ABI 2 or newer) is missing in this kernel or container.");
	struct ruleset have = rights_of(got);
	if (s->every_port)
		have.net &= ~(uint64_t)net_connect_right;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &have, size_of(got), 0);
	if (rules < 0)
		return failure(FAIL_ABSENT, "Landlock refused the room's rules.");
	bool ok = add_rules(s, rules, &have) && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	if (!ok)
		return failure(FAIL_ABSENT, "Landlock refused the room's rules.");
	*abi = got;
	return OK;
}
