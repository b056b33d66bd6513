/* The resolver against a name server of the test's own, without a jail. */
#include "resolve/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/kit.h"
#include "run/loop.h"
#include "talk/room.h"

enum { TYPE_A = 1, PACKET = 512, WAITERS = 3 };

static struct {
	int fd;
	struct fd_watch *watch;
	char address[32];
	bool silent;
	unsigned questions;
	bool ended;
	unsigned done;
} t;

/* Answers each question for A with 127.0.0.2. */
static void serve(void *arg)
{
	static const unsigned char rest[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2};
	unsigned char p[PACKET];
	struct sockaddr_in from;
	(void)arg;
	while (!failed(fd_wait(t.watch, FD_READ, FIBER_FOREVER))) {
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(t.fd, p, sizeof p - sizeof rest, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
		size_t end = 12;
		if (n < 17)
			continue;
		t.questions++;
		while (p[end])
			end += p[end] + 1u;
		end += 5;
		memcpy(p + 2, "\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00", 10);
		memcpy(p + end, rest, sizeof rest);
		if (!t.silent)
			sendto(t.fd, p, end + sizeof rest, 0, (struct sockaddr *)&from, size);
	}
	t.ended = true;
}

/* libunbound reads files and keys with more stack than a fiber has. */
struct opening {
	const struct resolver_plan *plan;
	result r;
};

static void open_it(void *arg)
{
	struct opening *o = arg;
	o->r = resolver_open(o->plan);
}

static result open_resolver(const struct resolver_plan *plan)
{
	struct opening o = {.plan = plan};
	fiber_on_loop_stack(open_it, &o);
	return o.r;
}

static void open_all(struct resolver_limits limits)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	t = (typeof(t)){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	assert_int_equal(bind(t.fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(t.fd, (struct sockaddr *)&a, &size), 0);
	snprintf(t.address, sizeof t.address, "127.0.0.1:%u", ntohs(a.sin_port));
	assert_ok(fd_watch_open(t.fd, &t.watch));
	assert_ok(fiber_start(serve, NULL, "server", NULL));
	const struct resolver_plan plan = {.forwards = str_from(t.address), .limits = limits};
	assert_ok(open_resolver(&plan));
	assert_ok(resolver_start());
}

static void close_all(void)
{
	resolver_close();
	fd_watch_close(&t.watch);
	while (!t.ended)
		assert_ok(fiber_sleep(1));
	close(t.fd);
}

static struct asker_resolve_looked_up ask(const char *name, arena *a)
{
	struct asker_resolve_looked_up answer;
	assert_ok(resolver_ask(str_from(name), TYPE_A, a, &answer));
	return answer;
}

static void ask_silently(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 16);
	struct asker_resolve_looked_up answer = ask(arg, &a);
	if (answer.finding == (t.silent ? ASKER_RESOLVE_FINDING_FAILED : ASKER_RESOLVE_FINDING_FOUND))
		t.done++;
}

static void ask_beside(const char *name)
{
	assert_ok(fiber_start(ask_silently, (void *)(uintptr_t)name, "asker", NULL));
}

static void await_done(unsigned n)
{
	while (t.done < n)
		assert_ok(fiber_sleep(1));
}

static void one_question_for_all_who_ask_it(void *arg)
{
	(void)arg;
	AUTO_ARENA arena a = arena_new(1 << 16);
	open_all((struct resolver_limits){0});
	for (size_t i = 0; i < WAITERS; i++)
		ask_beside(i % 2 ? "WWW.example.net" : "www.example.net");
	await_done(WAITERS);
	assert_int_equal(resolver_counts().shared, WAITERS - 1);
	assert_int_equal(t.questions, 1);
	/* And the cache has it from now on. */
	assert_str(ask("www.example.net", &a).records.p[0], STR("\x7f\0\0\x02"));
	assert_int_equal(t.questions, 1);
	assert_int_equal(resolver_counts().under_way, 0);
	close_all();
}

static void a_silent_server_costs_a_bounded_time(void *arg)
{
	(void)arg;
	AUTO_ARENA arena a = arena_new(1 << 16);
	open_all((struct resolver_limits){.time_ms = 50});
	t.silent = true;
	struct asker_resolve_looked_up answer = ask("www.example.net", &a);
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_FAILED);
	assert_true(str_find(answer.why, STR("in time")) != STR_NONE);
	assert_int_equal(resolver_counts().under_way, 0);
	close_all();
}

static void more_than_the_limit_wait_their_turn(void *arg)
{
	(void)arg;
	open_all((struct resolver_limits){.under_way = 2});
	static const char *const names[] = {"a.example.net", "b.example.net", "c.example.net", "d.example.net"};
	for (size_t i = 0; i < 4; i++)
		ask_beside(names[i]);
	await_done(4);
	assert_int_equal(resolver_counts().most_under_way, 2);
	assert_int_equal(t.questions, 4);
	close_all();
}

static void ask_later(void *arg)
{
	assert_ok(fiber_sleep(50));
	ask_silently(arg);
}

static void whoever_waits_too_long_is_told(void *arg)
{
	(void)arg;
	AUTO_ARENA arena a = arena_new(1 << 16);
	open_all((struct resolver_limits){.under_way = 1, .time_ms = 200});
	t.silent = true;
	ask_beside("a.example.net");
	assert_ok(fiber_sleep(50));
	assert_ok(fiber_start(ask_later, (void *)(uintptr_t)"a.example.net", "asker", NULL));
	/* Its place is kept by the one who joined after it. */
	struct asker_resolve_looked_up answer = ask("b.example.net", &a);
	assert_true(str_find(answer.why, STR("too many")) != STR_NONE);
	await_done(2);
	close_all();
}

static void cancelled(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 16);
	struct asker_resolve_looked_up answer;
	(void)arg;
	t.done += resolver_ask(STR("www.example.net"), TYPE_A, &a, &answer).kind == FAIL_CANCELLED;
}

static void an_asker_may_be_cancelled(void *arg)
{
	(void)arg;
	struct fiber *f;
	open_all((struct resolver_limits){0});
	t.silent = true;
	assert_ok(fiber_start(cancelled, NULL, "asker", &f));
	assert_ok(fiber_sleep(20));
	fiber_cancel(f);
	await_done(1);
	assert_int_equal(resolver_counts().under_way, 0);
	close_all();
}

static void none_asks_nobody(void *arg)
{
	(void)arg;
	AUTO_ARENA arena a = arena_new(1 << 16);
	const struct resolver_plan plan = {.forwards = STR("none")};
	assert_ok(open_resolver(&plan));
	assert_ok(resolver_start());
	struct asker_resolve_looked_up answer = ask("www.example.net", &a);
	assert_int_equal(answer.finding, ASKER_RESOLVE_FINDING_FAILED);
	assert_true(str_find(answer.why, STR("dns-forward")) != STR_NONE);
	assert_int_equal(ask("no name", &a).finding, ASKER_RESOLVE_FINDING_NO_NAME);
	resolver_close();
}

static void wrong_plans_are_refused(void *arg)
{
	(void)arg;
	const struct resolver_plan plans[] = {
		{.forwards = STR("127.0.0.1:53"), .anchors = STR("example.test. DS 1 13 nonsense\n")},
		{.forwards = STR("127.0.0.1:53"), .anchors = STR("example.test. A 192.0.2.1\n")},
		{.forwards = STR("127.0.0.1")},
	};
	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
		assert_int_equal(open_resolver(&plans[i]).kind, FAIL_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_FIBER(one_question_for_all_who_ask_it),
		ON_FIBER(a_silent_server_costs_a_bounded_time),
		ON_FIBER(more_than_the_limit_wait_their_turn),
		ON_FIBER(whoever_waits_too_long_is_told),
		ON_FIBER(an_asker_may_be_cancelled),
		ON_FIBER(none_asks_nobody),
		ON_FIBER(wrong_plans_are_refused),
	};
	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
