#include "run/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/sandbox_core.h"
#include "run/syscall_names.h"

static const char report_head[] = "postern: room ", report_call[] = ": system call ",
	report_tail[] = " is not allowed; the room ends\n";

static char room[SANDBOX_NAME_MAX];

/* ---- the last words, async-signal-safe ---- */

static size_t append(char *to, size_t at, size_t cap, const char *text)
{
	while (*text && at < cap)
		to[at++] = *text++;
	return at;
}

static size_t append_number(char *to, size_t at, size_t cap, unsigned n)
{
	char digits[16];
	size_t d = sizeof(digits);
	digits[--d] = 0;
	do {
		digits[--d] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return append(to, at, cap, digits + d);
}

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	char line[192];
	unsigned number = (unsigned)info->si_syscall;
	size_t n = append(line, 0, sizeof(line), report_head);
	n = append(line, n, sizeof(line), room);
	n = append(line, n, sizeof(line), report_call);
	n = append_number(line, n, sizeof(line), number);
	n = append(line, n, sizeof(line), " (");
	n = append(line, n, sizeof(line), number < SYSCALL_NAMES ? syscall_names[number] : "");
	n = append(line, n, sizeof(line), ")");
	n = append(line, n, sizeof(line), report_tail);
	(void)!write(STDERR_FILENO, line, n);
	_exit(SANDBOX_STATUS);
}

bool sandbox_ended(int wait_status)
{
	return (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == SANDBOX_STATUS)
		|| (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS);
}

bool sandbox_read_report(str line, struct sandbox_report *out)
{
	if (!str_starts(line, str_from(report_head)))
		return false;
	line = str_skip(line, sizeof(report_head) - 1);
	size_t call = str_find(line, str_from(report_call)), tail = str_rchr(line, ')');
	if (call == STR_NONE || tail == STR_NONE || tail < call)
		return false;
	str rest = str_sub(line, call + sizeof(report_call) - 1, tail - call - sizeof(report_call) + 1);
	size_t open = str_find(rest, STR(" ("));
	struct sandbox_report r = {.room = str_sub(line, 0, call)};
	if (open == STR_NONE || !str_to_u32(str_sub(rest, 0, open), &r.number))
		return false;
	r.call = str_skip(rest, open + 2);
	*out = r;
	return true;
}

/* ---- the filter ---- */

enum rank { RANK_NONE, RANK_SOMETIMES, RANK_ALWAYS };

static enum rank rank_in(const struct sandbox_call *table, const char *name)
{
	enum rank best = RANK_NONE;
	for (; table->name; table++) {
		if (strcmp(table->name, name) != 0)
			continue;
		if (table->test == SANDBOX_ALWAYS)
			return RANK_ALWAYS;
		best = RANK_SOMETIMES;
	}
	return best;
}

/* How far the room's own tables permit a call. */
static enum rank rank_of(const struct sandbox *s, const char *name)
{
	enum rank best = RANK_NONE;
	for (size_t i = 0; s->tables && s->tables[i]; i++) {
		enum rank r = rank_in(s->tables[i], name);
		best = r > best ? r : best;
	}
	return best;
}

static struct scmp_arg_cmp condition(const struct sandbox_call *c)
{
	struct scmp_arg_cmp cmp = {.arg = c->arg, .op = SCMP_CMP_EQ, .datum_a = c->value};
	if (c->test == SANDBOX_NOT)
		cmp.op = SCMP_CMP_NE;
	else if (c->test == SANDBOX_OWN_PID)
		cmp.datum_a = (scmp_datum_t)getpid();
	else if (c->test == SANDBOX_MASKED)
		cmp = (struct scmp_arg_cmp){c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value};
	return cmp;
}

static bool add_call(scmp_filter_ctx filter, const struct sandbox_call *c)
{
	int number = seccomp_syscall_resolve_name(c->name);
	must(number != __NR_SCMP_ERROR); /* a name in a table that no kernel has */
	uint32_t action = c->answer ? SCMP_ACT_ERRNO((uint32_t)c->answer) : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp cmp = condition(c);
	int r = seccomp_rule_add_array(filter, action, number, c->test == SANDBOX_ALWAYS ? 0 : 1, &cmp);
	return r == 0 || r == -EEXIST; /* two tables may list the same row */
}

/* A row with a condition is left out where another permits the call in any case. */
static bool add_table(scmp_filter_ctx filter, const struct sandbox *s, const struct sandbox_call *table)
{
	for (; table->name; table++) {
		bool covered = table->test != SANDBOX_ALWAYS
			&& (rank_of(s, table->name) == RANK_ALWAYS || rank_in(sandbox_sanitizer, table->name) == RANK_ALWAYS);
		if (!covered && !add_call(filter, table))
			return false;
	}
	return true;
}

static bool add_all(scmp_filter_ctx filter, const struct sandbox *s)
{
	if (!add_table(filter, s, sandbox_base) || !add_table(filter, s, sandbox_sanitizer))
		return false;
	for (size_t i = 0; s->tables && s->tables[i]; i++)
		if (!add_table(filter, s, s->tables[i]))
			return false;
	for (const struct sandbox_call *c = sandbox_answered; c->name; c++)
		if (rank_of(s, c->name) == RANK_NONE && rank_in(sandbox_sanitizer, c->name) == RANK_NONE
		    && !add_call(filter, c))
			return false;
	return true;
}

static result seccomp_enter(const struct sandbox *s)
{
	size_t n = append(room, 0, sizeof(room) - 1, s->room);
	room[n] = 0;
	struct sigaction act = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigset_t sigsys;
	sigemptyset(&sigsys);
	sigaddset(&sigsys, SIGSYS);
	must(sigaction(SIGSYS, &act, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &sigsys, NULL) == 0);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter)
		return failure(FAIL_ABSENT, "seccomp is missing: libseccomp does not know this machine.");
	/* A sorted tree instead of a chain makes the common calls cheap. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* libseccomp would kill the one thread that uses another table of calls (x32, i386), and
	 * the rest of the room would live on without it, unnoticed. */
	bool table = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP) == 0;
	bool built = table && add_all(filter, s);
	bool loaded = built && seccomp_load(filter) == 0;
	seccomp_release(filter);
	must(built);
	return loaded ? OK : failure(FAIL_ABSENT, "seccomp is missing in this kernel or container.");
}

result sandbox_enter(const struct sandbox *s, struct sandbox_state *state)
{
	*state = (struct sandbox_state){0};
	must(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
#if !SANITIZED
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	result files = landlock_enter(s, &state->landlock_abi);
	result calls = seccomp_enter(s);
	state->seccomp = !failed(calls);
	if (failed(files) && failed(calls))
		return failure(FAIL_ABSENT, "Landlock and seccomp are both missing: this room would run without a jail.");
	return failed(files) ? files : calls;
}

void sandbox_probe(struct sandbox_state *state)
{
	*state = (struct sandbox_state){.landlock_abi = landlock_abi(0)};
	/* Mode 2 with no program is EFAULT where seccomp exists, EINVAL where it does not. */
	state->seccomp = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno == EFAULT;
}

/* ---- what ROOM.md lists ---- */

struct names {
	const char **at;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count(const struct sandbox_call *table)
{
	size_t n = 0;
	while (table[n].name)
		n++;
	return n;
}

static void collect(struct names *names, const struct sandbox_call *table)
{
	for (; table->name; table++)
		names->at[names->n++] = table->name;
}

result sandbox_list(const struct sandbox *s, buf *out)
{
	size_t n = count(sandbox_base);
	for (size_t i = 0; s->tables && s->tables[i]; i++)
		n += count(s->tables[i]);
	struct names names = {.at = mem_array(n, sizeof(*names.at))};
	if (!names.at)
		return failure(FAIL_MEMORY, "There is no memory to list the system calls.");
	collect(&names, sandbox_base);
	for (size_t i = 0; s->tables && s->tables[i]; i++)
		collect(&names, s->tables[i]);
	qsort(names.at, names.n, sizeof(*names.at), by_name);
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.at[i];
		if (i && strcmp(names.at[i - 1], name) == 0)
			continue;
		bool always = rank_of(s, name) == RANK_ALWAYS || rank_in(sandbox_base, name) == RANK_ALWAYS;
		buf_printf(out, "%s%s%s", i ? " " : "", name, always ? "" : "*");
	}
	mem_free(names.at);
	return buf_result(out);
}
