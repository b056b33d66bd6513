#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

result programs_open(struct programs *p, const char *folder)
{
	for (size_t i = 0; i < ROLES; i++)
		p->fd[i] = -1;
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return failure(FAIL_DISK, "the folder with the rooms' programs cannot be opened");
	result r = OK;
	for (size_t i = 0; i < ROLES && !failed(r); i++) {
		p->fd[i] = openat(at, role_row_of((enum role)i)->program, O_PATH | O_CLOEXEC);
		if (p->fd[i] < 0)
			r = failure(FAIL_ABSENT, "a room's program is missing beside posternd; build or install again");
	}
	close(at);
	if (failed(r))
		programs_close(p);
	return r;
}

void programs_close(struct programs *p)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (p->fd[i] >= 0)
			close(p->fd[i]);
		p->fd[i] = -1;
	}
}

/* Between fork and exec: only async-signal-safe calls, and a failure is told
 * by the exit status, since the channel's end already tells that the room died. */
static _Noreturn void give_up(const char *why, size_t n)
{
	ssize_t ignored = write(2, why, n);
	(void)ignored;
	_exit(126);
}
#define GIVE_UP(TEXT) give_up("postern: " TEXT "\n", sizeof "postern: " TEXT "\n" - 1)

static void place_descriptors(const struct spawn *s)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0)
		GIVE_UP("a room found no /dev/null");
	/* Both may stand where the other belongs; move them out of the way first. */
	int program = fcntl(s->program, F_DUPFD_CLOEXEC, 10);
	int channel = fcntl(s->channel, F_DUPFD_CLOEXEC, 10);
	if (program < 0 || channel < 0 || dup2(channel, 3) < 0 || dup3(program, 4, O_CLOEXEC) < 0)
		GIVE_UP("a room's descriptors could not be placed");
	close_range(5, ~0u, 0);
}

static void limit(int what, rlim_t most)
{
	struct rlimit now;
	if (getrlimit((__rlimit_resource_t)what, &now) < 0)
		GIVE_UP("a room's limits could not be read");
	struct rlimit want = {most < now.rlim_max ? most : now.rlim_max, most < now.rlim_max ? most : now.rlim_max};
	if (setrlimit((__rlimit_resource_t)what, &want) < 0)
		GIVE_UP("a room's limits could not be set");
}

static void enter_folder(const struct spawn *s)
{
	if (s->folder >= 0 ? fchdir(s->folder) < 0 : chdir("/") < 0)
		GIVE_UP("a room could not enter its folder");
}

static void become(const struct spawn *s)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, role_row_of(s->role)->files);
	if (!s->change_user)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(s->uid, s->uid, s->uid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0)
		GIVE_UP("a room could not change to its own user");
}

static _Noreturn void child(const struct spawn *s, char *const argv[], char *const envp[], pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	enter_folder(s);
	place_descriptors(s); /* before the limits: the supervisor's numbers may lie above them */
	become(s);
	/* After the change of user, which clears it; and the parent may be gone by now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		GIVE_UP("a room's supervisor is gone");
	fexecve(4, argv, envp);
	GIVE_UP("a room's program could not be executed");
}

/* What the supervisor's environment hands to rooms: only what tests set. */
static const char *const passed_on[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "POSTERN_LANDLOCK_ABI"};
enum { PASSED_ON_MAX = sizeof passed_on / sizeof *passed_on };

/* For every room: malloc keeps only small pieces aside for a thread. What it keeps there no trim gives back; with
 * pieces up to a KiB, as it would, that was a fifth of an idle account's memory, and no quicker. */
static char heap_of_rooms[] = "GLIBC_TUNABLES=glibc.malloc.tcache_max=128";

static void pass_on(char kept[][512], char *envp[])
{
	size_t n = 0;
	envp[n++] = heap_of_rooms;
	for (size_t i = 0; i < PASSED_ON_MAX; i++) {
		const char *value = getenv(passed_on[i]);
		if (value && snprintf(kept[i], sizeof kept[i], "%s=%s", passed_on[i], value) < (int)sizeof kept[i])
			envp[n++] = kept[i];
	}
}

result spawn_room(const struct spawn *s, pid_t *out)
{
	const struct role_row *row = role_row_of(s->role);
	char title[64], kept[PASSED_ON_MAX][512];
	char *envp[1 + PASSED_ON_MAX + 1] = {NULL};
	snprintf(title, sizeof title, "postern: %s %llu", row->name, (unsigned long long)s->number);
	pass_on(kept, envp);
	char *argv[] = {title, NULL};
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		child(s, argv, envp, parent);
	if (pid < 0)
		return failure(FAIL_BUSY, "the machine allows no more processes");
	*out = pid;
	return OK;
}
