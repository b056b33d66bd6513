/* What is charged to an effort, by which clock, and when it is spent. */
#include "base/test.h"
#include "run/clock.h"
#include "run/effort.h"
#include "run/kit.h"
#include "run/loop.h"
#include "run/worker.h"

enum { NS_MS = 1000000 };

static void burn(uint64_t ms)
{
	for (uint64_t end = clock_cpu_ns() + ms * NS_MS; clock_cpu_ns() < end;)
		;
}

static uint64_t used_ms(const struct effort *e)
{
	return e->used_ns / NS_MS;
}

/* ---- */

static void an_effort_is_spent(void *arg)
{
	struct effort e;
	(void)arg;
	effort_begin(&e, 30);
	assert_ok(effort_check());
	assert_false(effort_spent(&e));
	burn(35);
	assert_int_equal(effort_check().kind, FAIL_LIMIT);
	assert_int_equal(effort_check().kind, FAIL_LIMIT); /* for good */
	assert_int_equal(effort_go_on().kind, FAIL_LIMIT);
	effort_end();
	assert_true(effort_spent(&e));
	assert_ok(effort_check());
	effort_begin(&e, 0); /* no limit */
	effort_charge(UINT64_MAX / 2);
	assert_ok(effort_check());
	effort_end();
}

static void waiting_costs_nothing(void *arg)
{
	struct effort e;
	(void)arg;
	effort_begin(&e, 1000);
	burn(5);
	assert_ok(fiber_sleep(300));
	effort_end();
	assert_in_range(used_ms(&e), 5, 299);
}

static void burns_beside(void *arg)
{
	(void)arg;
	burn(60);
	assert_null(effort_current());
}

static void others_are_not_charged(void *arg)
{
	struct effort e;
	(void)arg;
	assert_ok(fiber_start(burns_beside, NULL, "beside", NULL));
	effort_begin(&e, 10000);
	fiber_yield();
	effort_end();
	assert_true(used_ms(&e) < 60);
}

static void helps(void *arg)
{
	effort_take(arg);
	burn(20);
	effort_end();
}

static void who_helps_is_charged_to_it(void *arg)
{
	struct effort e;
	(void)arg;
	effort_begin(&e, 10000);
	assert_ok(fiber_start(helps, &e, "helper", NULL));
	fiber_yield();
	effort_charge(UINT64_C(1000) * NS_MS);
	effort_end();
	assert_true(used_ms(&e) >= 1020);
}

static void from_a_second_on_the_processors_clock_is_asked(void *arg)
{
	struct effort e;
	(void)arg;
	effort_begin(&e, UINT64_C(10) * EFFORT_COARSE_MS);
	effort_charge(UINT64_C(1) * EFFORT_COARSE_MS * NS_MS);
	fiber_yield(); /* from here on the processor's clock is asked */
	uint64_t before = e.used_ns, cpu = clock_cpu_ns();
	burn(20);
	effort_take(&e);
	assert_true(e.used_ns - before <= clock_cpu_ns() - cpu + NS_MS);
	assert_true(e.used_ns - before >= UINT64_C(20) * NS_MS);
	effort_end();
}

/* ---- who has run for long lets others run */

static bool ran;

static void runs(void *arg)
{
	(void)arg;
	ran = true;
}

static void who_has_run_for_long_lets_others_run(void *arg)
{
	struct effort e;
	(void)arg;
	ran = false;
	effort_begin(&e, 10000);
	assert_ok(fiber_start(runs, NULL, "other", NULL));
	assert_ok(effort_go_on());
	assert_false(ran);
	burn(EFFORT_TURN_MS + 2);
	assert_ok(effort_check());
	assert_false(ran);
	assert_ok(effort_go_on());
	assert_true(ran);
	effort_end();
}

/* ---- a thread's work */

static void run_jobs(void *ctx, struct job **jobs, size_t n)
{
	(void)jobs;
	(void)n;
	effort_lend(ctx);
	burn(20);
	assert_int_equal(effort_check().kind, FAIL_LIMIT);
	effort_lend(NULL);
	assert_ok(effort_check());
}

static void a_threads_work_is_charged(void *arg)
{
	struct effort e;
	struct worker *w;
	struct job job = {0};
	const struct worker_plan plan = {.run = run_jobs, .ctx = &e, .name = "helper", .queue_max = 1};
	(void)arg;
	assert_ok(worker_open(&plan, &w));
	effort_begin(&e, 10);
	assert_ok(worker_run(w, &job));
	assert_int_equal(effort_check().kind, FAIL_LIMIT);
	effort_end();
	assert_true(used_ms(&e) >= 20);
	worker_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_FIBER(an_effort_is_spent),
		ON_FIBER(waiting_costs_nothing),
		ON_FIBER(others_are_not_charged),
		ON_FIBER(who_helps_is_charged_to_it),
		ON_FIBER(from_a_second_on_the_processors_clock_is_asked),
		ON_FIBER(who_has_run_for_long_lets_others_run),
		ON_FIBER(a_threads_work_is_charged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
