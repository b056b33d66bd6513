#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sanitized.h"
#include "base/test.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"

static char trail[256];

static void mark(char c)
{
	size_t n = strlen(trail);
	must(n + 1 < sizeof(trail));
	trail[n] = c;
	trail[n + 1] = 0;
}

static int setup(void **state)
{
	(void)state;
	trail[0] = 0;
	return failed(loop_open()) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_close();
	return 0;
}

static void go(void (*fn)(void *arg), const void *arg)
{
	assert_ok(fiber_start(fn, (void *)(uintptr_t)arg, "test", NULL));
}

/* ---- order ---- */

static void say_and_yield(void *arg)
{
	mark(*(char *)arg);
	fiber_yield();
	mark(*(char *)arg);
}

static void runs_in_order_of_starting(void **state)
{
	(void)state;
	go(say_and_yield, "a");
	go(say_and_yield, "b");
	go(say_and_yield, "c");
	assert_int_equal(fiber_count(), 3);
	loop_run();
	assert_string_equal(trail, "abcabc");
	assert_int_equal(fiber_count(), 0);
}

struct nap {
	uint64_t ms;
	char name;
};

static void nap(void *arg)
{
	struct nap *n = arg;
	assert_ok(fiber_sleep(n->ms));
	mark(n->name);
}

static void sleeps_end_in_order_of_time(void **state)
{
	(void)state;
	struct nap naps[] = {{30, 'd'}, {5, 'a'}, {20, 'c'}, {10, 'b'}, {40, 'e'}};
	for (int i = 0; i < 5; i++)
		go(nap, &naps[i]);
	loop_run();
	assert_string_equal(trail, "abcde");
}

static void long_sleeper(void *arg)
{
	(void)arg;
	assert_ok(fiber_sleep(24UL * 3600 * 1000));
	mark('x');
}

static void advancer(void *arg)
{
	(void)arg;
	fiber_yield();
	clock_test_advance(24UL * 3600 * 1000 - 1);
	fiber_yield();
	fiber_yield();
	mark('1');
	assert_int_equal(clock_left(clock_mono_ms() + 1), 1);
	assert_int_equal(clock_left(clock_mono_ms() - 1), 0);
	assert_true(clock_left(FIBER_FOREVER) == FIBER_FOREVER);
	clock_test_advance(1);
	fiber_yield();
	mark('2');
}

static void a_held_clock_moves_the_waits(void **state)
{
	(void)state;
	clock_test_hold(1000000);
	go(long_sleeper, NULL);
	go(advancer, NULL);
	loop_run();
	assert_int_equal(clock_wall_ms(), 1000000 + 24L * 3600 * 1000);
	clock_test_release();
	assert_string_equal(trail, "1x2");
}

/* ---- gates ---- */

static struct gate gate;

static void wait_at_gate(void *arg)
{
	result r = gate_wait(&gate, *(uint64_t *)arg);
	mark(r.kind == FAIL_NONE ? 'o' : r.kind == FAIL_TIMEOUT ? 't' : 'c');
}

static void open_gate(void *arg)
{
	(void)arg;
	fiber_yield();
	gate_wake_one(&gate);
	fiber_yield();
	mark('|');
	gate_wake_all(&gate);
}

static void a_gate_wakes_one_then_all(void **state)
{
	(void)state;
	gate_init(&gate);
	uint64_t forever = FIBER_FOREVER, soon = 1;
	for (int i = 0; i < 3; i++)
		go(wait_at_gate, &forever);
	go(open_gate, NULL);
	loop_run();
	assert_string_equal(trail, "o|oo");
	trail[0] = 0;
	go(wait_at_gate, &soon);
	loop_run();
	assert_string_equal(trail, "t");
}

static struct fiber *victim;

static void cancel_then_wake(void *arg)
{
	(void)arg;
	fiber_yield();
	fiber_cancel(victim);
	gate_wake_one(&gate); /* the cancelled one has not run yet and must not swallow this */
}

static void a_wake_goes_past_a_cancelled_waiter(void **state)
{
	(void)state;
	gate_init(&gate);
	uint64_t forever = FIBER_FOREVER;
	assert_ok(fiber_start(wait_at_gate, &forever, "victim", &victim));
	go(wait_at_gate, &forever);
	go(cancel_then_wake, NULL);
	loop_run();
	assert_string_equal(trail, "co");
}

static void hold_at_gate(void *arg)
{
	(void)arg;
	gate_hold(&gate);
	mark(fiber_cancelled() ? 'h' : '?');
}

static void cancel_twice_then_wake(void *arg)
{
	(void)arg;
	fiber_yield();
	fiber_cancel(victim);
	fiber_yield();
	fiber_cancel(victim);
	fiber_yield();
	mark('|');
	gate_wake_all(&gate);
}

static void a_hold_outlasts_a_cancel(void **state)
{
	(void)state;
	gate_init(&gate);
	assert_ok(fiber_start(hold_at_gate, NULL, "victim", &victim));
	go(cancel_twice_then_wake, NULL);
	loop_run();
	assert_string_equal(trail, "|h");
}

/* ---- cancelling ---- */

static void wait_in_every_way(void *arg)
{
	int *fds = arg;
	struct fd_watch *w = NULL, *w2 = NULL;
	assert_ok(fd_watch_open(fds[0], &w));
	assert_ok(fd_watch_open(fds[1], &w2));
	mark((char)('0' + (int)fd_wait(w, FD_READ, FIBER_FOREVER).kind % 10));
	int which = 0;
	struct fd_pair pair = {.a = w, .a_events = FD_READ, .b = w2, .b_events = FD_READ | FD_WRITE};
	assert_int_equal(fd_wait_pair(&pair, FIBER_FOREVER, &which).kind, FAIL_CANCELLED);
	assert_int_equal(fiber_sleep(1000000).kind, FAIL_CANCELLED);
	assert_int_equal(gate_wait(&gate, FIBER_FOREVER).kind, FAIL_CANCELLED);
	assert_true(fiber_cancelled());
	fd_watch_close(&w);
	fd_watch_close(&w2);
}

static void end_all(void *arg)
{
	(void)arg;
	fiber_yield();
	loop_end();
	assert_int_equal(fiber_start(say_and_yield, NULL, "late", NULL).kind, FAIL_CANCELLED);
}

static void every_wait_ends_by_cancel(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	gate_init(&gate);
	uint64_t forever = FIBER_FOREVER, hour = 3600000;
	go(wait_in_every_way, fds);
	go(wait_at_gate, &forever);
	go(wait_at_gate, &hour);
	go(end_all, NULL);
	loop_run();
	char want[] = {(char)('0' + FAIL_CANCELLED % 10), 'c', 'c', 0};
	assert_string_equal(trail, want);
	close(fds[0]);
	close(fds[1]);
}

/* ---- descriptors ---- */

struct pipe_end {
	int fd;
	struct fd_watch *watch;
};

static void reader(void *arg)
{
	struct pipe_end *p = arg;
	assert_ok(fd_watch_open(p->fd, &p->watch));
	assert_int_equal(fd_wait(p->watch, FD_READ, 5).kind, FAIL_TIMEOUT);
	mark('t');
	for (char c; ; ) {
		ssize_t n = read(p->fd, &c, 1);
		if (n == 1)
			mark(c);
		else if (n == 0)
			break;
		else
			assert_ok(fd_wait(p->watch, FD_READ, 10000));
	}
	fd_watch_close(&p->watch);
}

static void writer(void *arg)
{
	struct pipe_end *p = arg;
	assert_ok(fiber_sleep(20));
	for (const char *s = "hello"; *s; s++) {
		assert_int_equal(write(p->fd, s, 1), 1);
		fiber_yield();
	}
	close(p->fd);
}

static void a_descriptor_wakes_its_reader(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	struct pipe_end in = {.fd = fds[0]}, out = {.fd = fds[1]};
	go(reader, &in);
	go(writer, &out);
	loop_run();
	assert_string_equal(trail, "thello");
	close(fds[0]);
}

static void wait_until_closed(void *arg)
{
	struct pipe_end *p = arg;
	assert_ok(fd_watch_open(p->fd, &p->watch));
	assert_int_equal(fd_wait(p->watch, FD_READ, FIBER_FOREVER).kind, FAIL_CLOSED);
	mark('k');
}

static void close_watch(void *arg)
{
	struct pipe_end *p = arg;
	fiber_yield();
	fd_watch_close(&p->watch);
}

static void closing_a_watch_wakes_its_waiter(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	struct pipe_end in = {.fd = fds[0]};
	go(wait_until_closed, &in);
	go(close_watch, &in);
	loop_run();
	assert_string_equal(trail, "k");
	close(fds[0]);
	close(fds[1]);
}

static void watch_pair(void *arg)
{
	int *fds = arg;
	struct fd_watch *a = NULL, *b = NULL;
	assert_ok(fd_watch_open(fds[0], &a));
	assert_ok(fd_watch_open(fds[2], &b));
	int which = 0;
	struct fd_pair pair = {.a = a, .a_events = FD_READ, .b = b, .b_events = FD_READ};
	assert_ok(fd_wait_pair(&pair, 10000, &which));
	assert_int_equal(which, FD_B);
	pair.a_events = FD_READ | FD_WRITE;
	char c;
	assert_int_equal(read(fds[2], &c, 1), 1);
	assert_ok(fd_wait_pair(&pair, 10000, &which));
	assert_int_equal(which, FD_A);
	pair.a_events = 0;
	assert_int_equal(fd_wait_pair(&pair, 2, &which).kind, FAIL_TIMEOUT);
	fd_watch_close(&a);
	fd_watch_close(&b);
	mark('p');
}

static void write_second(void *arg)
{
	int *fds = arg;
	fiber_yield();
	assert_int_equal(write(fds[3], "x", 1), 1);
}

static void a_pair_tells_which(void **state)
{
	(void)state;
	int fds[4];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 2), 0);
	go(watch_pair, fds);
	go(write_second, fds);
	loop_run();
	assert_string_equal(trail, "p");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* ---- bad days and figures ---- */

static void errand(void *arg)
{
	char big[256 * 1024]; /* four fiber stacks */
	memset(big, *(char *)arg, sizeof(big));
	mark(big[sizeof(big) - 1]);
}

static void run_errand(void *arg)
{
	fiber_on_loop_stack(errand, arg);
	mark('.');
}

static void the_loop_stack_can_be_borrowed(void **state)
{
	(void)state;
	go(run_errand, "e");
	go(say_and_yield, "y");
	loop_run();
	assert_string_equal(trail, "e.yy");
}

static void refused_memory_starts_nothing(void **state)
{
	(void)state;
	for (uint64_t n = 1; ; n++) {
		mem_fail_at(n);
		result r = fiber_start(say_and_yield, (char[]){"m"}, "test", NULL);
		mem_fail_at(0);
		if (!failed(r)) {
			assert_true(n > 1);
			break;
		}
		assert_int_equal(r.kind, FAIL_MEMORY);
		assert_int_equal(fiber_count(), 0);
	}
	loop_run();
	assert_string_equal(trail, "mm");
}

enum { PING_PONGS = 500000 };
static struct gate sides[2];
static int ball;

static void player(void *arg)
{
	int me = *(int *)arg;
	for (int i = 0; i < PING_PONGS; i++) {
		while (ball != me)
			assert_int_equal(gate_wait(&sides[me], FIBER_FOREVER).kind, 0);
		ball = !me;
		gate_wake_one(&sides[!me]);
	}
}

static void report_the_cost_of_a_switch(void **state)
{
	(void)state;
	static int names[] = {0, 1};
	gate_init(&sides[0]);
	gate_init(&sides[1]);
	ball = 0;
	go(player, &names[0]);
	go(player, &names[1]);
	uint64_t began = clock_mono_ns();
	loop_run();
	uint64_t each = (clock_mono_ns() - began) / (2 * PING_PONGS);
	printf("a wait at a gate and its wake, there and back: %lu ns (two switches)\n", (unsigned long)each);
}

/* ---- limits, signals, rest ---- */

static void nothing(void *arg)
{
	(void)arg;
}

static void fibers_have_a_limit(void **state)
{
	(void)state;
	result r = OK;
	for (int i = 0; i <= FIBERS_MAX && !failed(r); i++)
		r = fiber_start(nothing, NULL, "test", NULL);
	/* Before Linux 6.13 the kernel's 65,530 mappings are reached first. */
	assert_true(r.kind == FAIL_LIMIT || (r.kind == FAIL_MEMORY && fiber_count() > 30000));
	assert_true(fiber_count() <= FIBERS_MAX);
	loop_run();
	assert_int_equal(fiber_count(), 0);
}

static void wait_for_signal(void *arg)
{
	(void)arg;
	fiber_yield();
	raise(SIGTERM);
	assert_int_equal(fiber_sleep(10000).kind, FAIL_CANCELLED);
	assert_true(loop_ending());
	mark('s');
}

static void end_on_signal(void *ctx)
{
	(void)ctx;
	loop_end();
}

static void a_signal_ends_the_loop_in_order(void **state)
{
	(void)state;
	assert_ok(loop_on_signal(SIGTERM, end_on_signal, NULL));
	go(wait_for_signal, NULL);
	loop_run();
	assert_string_equal(trail, "s");
}

enum { DEEP = 48 * 1024, QUIET_MS = 6500 };

static __attribute__((noinline)) void dig(volatile char *out)
{
	volatile char big[DEEP];
	for (size_t i = 0; i < DEEP; i += 512)
		big[i] = 1;
	*out = big[DEEP / 2];
}

static size_t resident_below(const char *here)
{
	unsigned char pages[DEEP / 4096];
	uintptr_t from = ((uintptr_t)here - DEEP - 4096) & ~(uintptr_t)4095;
	assert_int_equal(mincore((void *)from, sizeof(pages) * 4096, pages), 0);
	size_t n = 0;
	for (size_t i = 0; i < sizeof(pages); i++)
		n += pages[i] & 1;
	return n;
}

static void rest_after_digging(void *arg)
{
	char here = 0;
	dig(&here);
	*(size_t *)arg = resident_below(&here);
	assert_ok(fiber_sleep(QUIET_MS));
	((size_t *)arg)[1] = resident_below(&here);
	/* A page or two under this frame are in use for the calls. */
}

static void a_resting_fiber_gives_its_stack_back_and_wakes_nobody(void **state)
{
	(void)state;
	size_t pages[2] = {0};
	go(rest_after_digging, pages);
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	loop_run();
	getrusage(RUSAGE_SELF, &after);
	assert_true(pages[0] > 8);
	assert_in_range(pages[1], 0, 3);
	/* The start, the sweep, the end: no ticking in between. */
	assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, 8);
}

static int alive;

static void one_of_many(void *arg)
{
	(void)arg;
	alive++;
	assert_ok(fiber_sleep(50));
	alive--;
}

static void five_thousand_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		go(one_of_many, NULL);
	loop_run();
	assert_int_equal(alive, 0);
}

/* ---- memory goes back ---- */

enum { GUESTS = 200, BLOCKS = 60, BLOCK = 1000, PIN = 100000, GONE_MS = 5500 };

static bool guests_go;
static size_t guests_here;

static void guest(void *arg)
{
	void *had[BLOCKS];
	(void)arg;
	for (size_t i = 0; i < BLOCKS; i++) {
		had[i] = mem_alloc(BLOCK);
		assert_non_null(had[i]);
	}
	guests_here++;
	while (!guests_go)
		assert_ok(fiber_sleep(10));
	for (size_t i = 0; i < BLOCKS; i++)
		mem_free(had[i]);
	guests_here--;
}

static size_t resident_octets(void)
{
	unsigned long all = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &resident), 2);
	fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* The end of the heap is in use, so that free does not return what lies before it; nobody rests for long meanwhile. */
static void see_guests_off(void *arg)
{
	(void)arg;
	while (guests_here < GUESTS)
		assert_ok(fiber_sleep(1));
	void *pin = mem_alloc(PIN);
	size_t with = resident_octets();
	guests_go = true;
	for (unsigned ms = 0; ms < GONE_MS; ms += 50)
		assert_ok(fiber_sleep(50));
	assert_int_equal(guests_here, 0);
	assert_in_range(resident_octets(), 0, with - GUESTS * BLOCKS * BLOCK * 3 / 4);
	mem_free(pin);
}

static void what_ended_sessions_had_goes_back(void **state)
{
	(void)state;
	if (SANITIZED)
		skip(); /* it keeps what was freed */
	for (size_t i = 0; i < GUESTS; i++)
		go(guest, NULL);
	go(see_guests_off, NULL);
	loop_run();
}

/* ---- the stack's end */

static const size_t frames[] = {FIBER_STACK - 8 * 1024, FIBER_STACK + 1024};

static void use_stack(void *arg)
{
	volatile char *here = __builtin_alloca(*(const size_t *)arg);
	for (size_t at = *(const size_t *)arg; at > 0; at--)
		here[at - 1] = 1;
}

static int status_of_using(const size_t *octets)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		go(use_stack, octets);
		loop_run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Neighbours are not written over. */
static void a_stack_has_an_end(void **state)
{
	(void)state;
	if (SANITIZED)
		skip(); /* its stacks are larger */
	int status = status_of_using(&frames[0]);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = status_of_using(&frames[1]);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

int main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(runs_in_order_of_starting), T(sleeps_end_in_order_of_time), T(a_held_clock_moves_the_waits),
		T(a_gate_wakes_one_then_all), T(a_wake_goes_past_a_cancelled_waiter), T(a_hold_outlasts_a_cancel),
		T(every_wait_ends_by_cancel),
		T(a_descriptor_wakes_its_reader), T(closing_a_watch_wakes_its_waiter), T(a_pair_tells_which),
		T(the_loop_stack_can_be_borrowed), T(refused_memory_starts_nothing), T(report_the_cost_of_a_switch),
		T(five_thousand_at_once), T(fibers_have_a_limit), T(a_signal_ends_the_loop_in_order),
		T(a_resting_fiber_gives_its_stack_back_and_wakes_nobody), T(what_ended_sessions_had_goes_back),
		T(a_stack_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
