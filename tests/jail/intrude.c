/* Acts from inside a running room: stops it by ptrace, has its own thread make
 * system calls that it must not make, and lets it go on as if nothing had been.
 *
 *     intrude PID OUTSIDE OTHER OTHER_PID
 *
 * prints a line for each attempt: its name, a tab, and "did N", "errno N" or
 * "ended" (the filter would have ended the room; that signal is kept from it).
 * Exit status 3: this machine does not let us. Everything here is x86_64's. */
#include "intruder.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_SIZE = 256, NOT_PERMITTED = 3, TRIES = 500, CALL_STOP = SIGTRAP | 0x80 };
/* Below the red zone of the stopped thread. */
enum { SCRATCH_SIZE = PLACES * TEXT_SIZE, SCRATCH_BELOW = 1024 };

struct room {
	pid_t pid;
	struct user_regs_struct regs; /* as it was when it was stopped */
	uint64_t scratch;
	unsigned char kept[SCRATCH_SIZE]; /* what lay there */
	unsigned char texts[SCRATCH_SIZE];
	uint64_t other;
};

static _Noreturn void give_up(int status, const char *why)
{
	fprintf(stderr, "intrude: %s: %s\n", why, strerror(errno));
	exit(status);
}

static int wait_for(struct room *r)
{
	int status = 0;
	if (waitpid(r->pid, &status, __WALL) != r->pid || !WIFSTOPPED(status))
		give_up(1, "the room did not stop but ended");
	return status;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Stops the room where it waits for events: there its stack and a retry of the
 * interrupted call are safe. */
static void stop(struct room *r)
{
	if (ptrace(PTRACE_SEIZE, r->pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
		give_up(errno == EPERM ? NOT_PERMITTED : 1, "cannot trace the room");
	for (int i = 0; i < TRIES; i++, pause_ms(2)) {
		if (ptrace(PTRACE_INTERRUPT, r->pid, NULL, NULL) < 0)
			give_up(1, "cannot interrupt the room");
		wait_for(r);
		if (ptrace(PTRACE_GETREGS, r->pid, NULL, &r->regs) < 0)
			give_up(1, "cannot read the room's registers");
		long call = (long)r->regs.orig_rax;
		if (call == SYS_epoll_wait || call == SYS_epoll_pwait)
			return;
		ptrace(PTRACE_CONT, r->pid, NULL, NULL);
	}
	give_up(1, "the room never waits for events");
}

static void copy(struct room *r, unsigned char *here, bool to_room)
{
	struct iovec mine = {here, SCRATCH_SIZE}, its = {(void *)r->scratch, SCRATCH_SIZE};
	ssize_t n = to_room ? process_vm_writev(r->pid, &mine, 1, &its, 1, 0)
			    : process_vm_readv(r->pid, &mine, 1, &its, 1, 0);
	if (n != SCRATCH_SIZE)
		give_up(1, "cannot reach the room's memory");
}

__attribute__((format(printf, 3, 4))) static void text(struct room *r, enum place p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf((char *)r->texts + (size_t)p * TEXT_SIZE, TEXT_SIZE, format, args);
	va_end(args);
}

static void fill(struct room *r, char *const argv[])
{
	text(r, PLACE_OUTSIDE, "%s", argv[2]);
	text(r, PLACE_OTHER, "%s", argv[3]);
	text(r, PLACE_NEW, "%s.new", argv[2]);
	text(r, PLACE_FOLDER, "%.*s", (int)(strrchr(argv[2], '/') - argv[2]), argv[2]);
	text(r, PLACE_UP, "..");
	text(r, PLACE_PASSWD, "/etc/passwd");
	text(r, PLACE_MEMORY, "/proc/self/mem");
	text(r, PLACE_SHELL, "/bin/sh");
	text(r, PLACE_HERE, ".");
	text(r, PLACE_ATTRIBUTE, "user.intruder");
	r->other = strtoull(argv[4], NULL, 10);
	r->scratch = (r->regs.rsp - SCRATCH_BELOW - SCRATCH_SIZE) & ~15ULL;
	copy(r, r->kept, false);
	copy(r, r->texts, true);
}

static uint64_t value(const struct room *r, uint64_t arg)
{
	if (arg == OTHER_PROCESS)
		return r->other;
	if (arg >= AT(PLACE_NONE) && arg < AT(PLACES))
		return r->scratch + (arg - AT(PLACE_NONE)) * TEXT_SIZE;
	return arg;
}

/* Whether the call that has just returned left the filter's signal behind. */
static bool filter_objects(const struct room *r)
{
	siginfo_t pending[8];
	struct __ptrace_peeksiginfo_args ask = {.off = 0, .flags = 0, .nr = 8};
	long n = ptrace(PTRACE_PEEKSIGINFO, r->pid, &ask, pending);
	for (long i = 0; i < n; i++)
		if (pending[i].si_signo == SIGSYS)
			return true;
	return false;
}

/* Goes on to the next stop of this kind, passing over others. */
static void step_to(struct room *r, int kind)
{
	do {
		if (ptrace(PTRACE_SYSCALL, r->pid, NULL, NULL) < 0)
			give_up(1, "the room does not go on");
	} while (WSTOPSIG(wait_for(r)) != kind);
}

static void attempt(struct room *r, const struct attempt *a)
{
	struct user_regs_struct regs = r->regs;
	regs.rip -= 2; /* the syscall instruction it waits in */
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)a->call;
	regs.rdi = value(r, a->args[0]);
	regs.rsi = value(r, a->args[1]);
	regs.rdx = value(r, a->args[2]);
	regs.r10 = value(r, a->args[3]);
	regs.r8 = value(r, a->args[4]);
	regs.r9 = value(r, a->args[5]);
	if (ptrace(PTRACE_SETREGS, r->pid, NULL, &regs) < 0)
		give_up(1, "cannot set the room's registers");
	step_to(r, CALL_STOP); /* before the call: the filter looks at it after this */
	step_to(r, CALL_STOP);
	bool ended = filter_objects(r);
	if (ended)
		step_to(r, SIGSYS); /* and goes on from there without it */
	else if (ptrace(PTRACE_GETREGS, r->pid, NULL, &regs) < 0)
		give_up(1, "cannot read the room's registers");
	if (ended)
		printf("%s\tended\n", a->name);
	else if ((long)regs.rax < 0 && (long)regs.rax > -4096)
		printf("%s\terrno %ld\n", a->name, -(long)regs.rax);
	else
		printf("%s\tdid %ld\n", a->name, (long)regs.rax);
}

/* The interrupted wait returns EINTR, as after any signal. */
static void let_go(struct room *r)
{
	copy(r, r->kept, true);
	r->regs.orig_rax = (unsigned long long)-1;
	r->regs.rax = (unsigned long long)-EINTR;
	if (ptrace(PTRACE_SETREGS, r->pid, NULL, &r->regs) < 0 || ptrace(PTRACE_DETACH, r->pid, NULL, NULL) < 0)
		give_up(1, "cannot let the room go");
}

int main(int argc, char *argv[])
{
	static struct room r;
	if (argc != 5 || !strrchr(argv[2], '/')) {
		fprintf(stderr, "usage: intrude PID OUTSIDE OTHER OTHER_PID\n");
		return 2;
	}
	r.pid = (pid_t)strtol(argv[1], NULL, 10);
	stop(&r);
	fill(&r, argv);
	for (size_t i = 0; i < attempts_n; i++)
		attempt(&r, &attempts[i]);
	let_go(&r);
	return 0;
}
