#include "supervisor/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run/clock.h"

/* Of the uid map of a container that has only the usual 65,536 ids. */
enum { UID_BASE_SMALL = 60000, UIDS_WANTED = 65536 };

/* Is [base, base + n) mapped in this user namespace? See user_namespaces(7). */
static bool mapped(uint64_t base, uint64_t n)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, length;
	bool found = !f;
	while (f && !found && fscanf(f, "%lu %lu %lu", &inside, &outside, &length) == 3)
		found = base >= inside && base + n <= (uint64_t)inside + length;
	if (f)
		fclose(f);
	return found;
}

static result make_folder(const struct folders *f, int at, const char *name, uint32_t uid)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return failure(FAIL_DISK, "a folder in the data directory cannot be made; check its owner and free space");
	if (f->as_root && fchownat(at, name, uid, uid, AT_SYMLINK_NOFOLLOW) < 0)
		return failure(FAIL_DISK, "a folder in the data directory cannot be given to its room's user");
	return OK;
}

static result open_folder(int at, const char *name, int *out)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return failure(FAIL_ABSENT, "there is no such folder");
	if (fd < 0)
		return failure(FAIL_DISK, "a folder in the data directory cannot be opened");
	*out = fd;
	return OK;
}

/* Processes of a server that was killed hold on for a moment: one that was being started has its descriptors. */
static bool lock(int fd)
{
	const struct timespec pause = {.tv_nsec = TAKEOVER_LOOK_MS * 1000000};
	uint64_t until = clock_mono_ms() + TAKEOVER_MS;
	int r;
	while ((r = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && clock_left(until))
		nanosleep(&pause, NULL);
	return r == 0;
}

static result take_root(struct folders *f, const char *directory)
{
	/* 0711: rooms with users of their own pass through to their folders. */
	if (mkdir(directory, 0711) < 0 && errno != EEXIST)
		return failure(FAIL_DISK, "the data directory cannot be made; does its parent exist, and is it yours?");
	f->root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->root < 0)
		return failure(FAIL_DISK, "the data directory cannot be opened");
	if (!lock(f->root))
		return failure(FAIL_EXISTS, "another server is running on this data directory; stop it first");
	return OK;
}

static result make_all(struct folders *f)
{
	for (size_t i = 0; i < ROLES; i++) {
		const char *name = role_row_of((enum role)i)->folder;
		if (name)
			TRY(make_folder(f, f->root, name, folders_uid(f, (enum role)i, 0)));
	}
	if (mkdirat(f->root, "accounts", 0711) < 0 && errno != EEXIST)
		return failure(FAIL_DISK, "the folder of the accounts cannot be made");
	return open_folder(f->root, "accounts", &f->accounts);
}

result folders_open(struct folders *f, const char *directory, uint32_t uid_base)
{
	*f = (struct folders){.root = -1, .accounts = -1, .as_root = geteuid() == 0, .uid_base = uid_base};
	if (f->as_root && !mapped(uid_base, UIDS_WANTED))
		f->uid_base = UID_BASE_SMALL;
	result r = take_root(f, directory);
	if (!failed(r))
		r = make_all(f);
	if (failed(r))
		folders_close(f);
	return r;
}

void folders_close(struct folders *f)
{
	if (f->accounts >= 0)
		close(f->accounts);
	if (f->root >= 0)
		close(f->root);
	f->root = f->accounts = -1;
}

uint32_t folders_uid(const struct folders *f, enum role role, uint64_t number)
{
	uint64_t offset = role == ROLE_ACCOUNT ? UID_ACCOUNTS + number : (uint64_t)role;
	uint64_t uid;
	/* An id past the end of the ids there are would be somebody else's. */
	must(!__builtin_add_overflow(f->uid_base, offset, &uid) && uid < UINT32_MAX);
	return (uint32_t)uid;
}

result folders_of_role(const struct folders *f, enum role role, int *out)
{
	const char *name = role_row_of(role)->folder;
	*out = -1;
	return name ? open_folder(f->root, name, out) : OK;
}

struct number_text {
	char p[24];
};

static struct number_text account_name(uint64_t account)
{
	struct number_text t;
	snprintf(t.p, sizeof t.p, "%llu", (unsigned long long)account);
	return t;
}

result folders_of_account(const struct folders *f, uint64_t account, int *out)
{
	return open_folder(f->accounts, account_name(account).p, out);
}

/* Largest account id whose user id stays below 2^32. */
static bool id_fits(const struct folders *f, uint64_t account)
{
	return account > 0 && account < UINT32_MAX - (uint64_t)f->uid_base - UID_ACCOUNTS;
}

result folders_make_account(const struct folders *f, uint64_t account)
{
	if (!id_fits(f, account))
		return failure(FAIL_LIMIT, "there are no user ids left for a new account");
	TRY(make_folder(f, f->accounts, account_name(account).p, folders_uid(f, ROLE_ACCOUNT, account)));
	if (fsync(f->accounts) < 0)
		return failure(FAIL_DISK, "the folder of the accounts cannot be synced");
	return OK;
}

/* Account folders are two levels deep (bodies/) at the most. */
static result empty_folder(int at, int depth)
{
	int copy = dup(at);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		return failure(FAIL_DISK, "an account's folder cannot be read");
	result r = OK;
	for (struct dirent *e = readdir(d); e && !failed(r); e = readdir(d)) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(at, e->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM))
			continue;
		int sub;
		r = depth > 0 ? open_folder(at, e->d_name, &sub) : failure(FAIL_DISK, "an account's folder is too deep");
		if (failed(r))
			break;
		r = empty_folder(sub, depth - 1);
		close(sub);
		if (!failed(r) && unlinkat(at, e->d_name, AT_REMOVEDIR) < 0)
			r = failure(FAIL_DISK, "a folder of an account cannot be removed");
	}
	closedir(d);
	return r;
}

result folders_remove_account(const struct folders *f, uint64_t account)
{
	enum { DEPTH = 4 };
	int fd;
	result r = folders_of_account(f, account, &fd);
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	r = empty_folder(fd, DEPTH);
	close(fd);
	TRY(r);
	if (unlinkat(f->accounts, account_name(account).p, AT_REMOVEDIR) < 0)
		return failure(FAIL_DISK, "an account's folder cannot be removed");
	return fsync(f->accounts) < 0 ? failure(FAIL_DISK, "the folder of the accounts cannot be synced") : OK;
}
