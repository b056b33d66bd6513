/* Limits of transfers, against a server that takes connections and says nothing;
 * tests/relay/test_fetch.py has servers that speak. */
#include "fetch/transfer.h"

#include <stdio.h>
#include <unistd.h>

#include "run/kit.h"
#include "run/loop.h"

static struct {
	int listener;
	net_addr at;
	unsigned refused;
	char why[ASKER_FETCH_GOT_WHY_MAX + 1]; /* of the last */
} t;

struct opening {
	struct transfer_limits limits;
	result r;
};

/* OpenSSL and libcurl want more stack than a fiber has. */
static void open_it(void *arg)
{
	struct opening *o = arg;
	X509_STORE *none = X509_STORE_new();
	assert_non_null(none);
	o->r = transfer_open(none, o->limits);
}

static void open_all(struct transfer_limits limits)
{
	struct opening o = {.limits = limits};
	t = (typeof(t)){0};
	assert_ok(net_parse(STR("127.0.0.1:0"), &t.at));
	assert_ok(net_listen(&t.at, &t.listener));
	assert_ok(net_local(t.listener, &t.at));
	fiber_on_loop_stack(open_it, &o);
	assert_ok(o.r);
	assert_ok(transfer_start());
}

static void close_all(void)
{
	transfer_close();
	close(t.listener);
}

static result ask(arena *a, struct asker_fetch_got *got)
{
	struct request r = {.host = STR("silent.example.test"), .port = t.at.port, .path = STR("/"), .octets = 100};
	char *addresses = request_addresses(&r, &t.at, 1, a);
	assert_non_null(addresses);
	return transfer_run(&r, addresses, a, got);
}

static void ask_silent(void *arg)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct asker_fetch_got got;
	(void)arg;
	if (failed(ask(&a, &got)) || got.finding != ASKER_FETCH_FINDING_REFUSED)
		return;
	t.refused++;
	snprintf(t.why, sizeof t.why, "%.*s", STR_ARG(got.why));
}

static void await_refused(unsigned n)
{
	while (t.refused < n)
		assert_ok(fiber_sleep(1));
}

static void a_silent_server_costs_a_bounded_time(void *arg)
{
	(void)arg;
	open_all((struct transfer_limits){.time_ms = 50});
	ask_silent(NULL);
	assert_int_equal(t.refused, 1);
	assert_non_null(strstr(t.why, "timed out"));
	close_all();
}

static void more_than_the_limit_wait(void *arg)
{
	(void)arg;
	open_all((struct transfer_limits){.at_once = 2, .time_ms = 100});
	for (int i = 0; i < 2; i++)
		assert_ok(fiber_start(ask_silent, NULL, "asker", NULL));
	assert_ok(fiber_sleep(50));
	assert_ok(fiber_start(ask_silent, NULL, "asker", NULL));
	await_refused(3);
	assert_int_equal(transfer_most_at_once(), 2);
	close_all();
}

static void ask_until_cancelled(void *arg)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct asker_fetch_got got;
	(void)arg;
	t.refused += ask(&a, &got).kind == FAIL_CANCELLED;
}

static void an_asker_may_be_cancelled(void *arg)
{
	struct fiber *f;
	(void)arg;
	open_all((struct transfer_limits){.at_once = 1});
	assert_ok(fiber_start(ask_until_cancelled, NULL, "asker", &f));
	assert_ok(fiber_sleep(20));
	fiber_cancel(f);
	await_refused(1);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_FIBER(a_silent_server_costs_a_bounded_time),
		ON_FIBER(more_than_the_limit_wait),
		ON_FIBER(an_asker_may_be_cancelled),
	};
	return cmocka_run_group_tests_name("fetch transfer", tests, NULL, NULL);
}
