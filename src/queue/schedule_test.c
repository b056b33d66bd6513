#include "base/test.h"

#include "base/mem.h"
#include "queue/schedule.h"

static struct line *line_at(struct schedule *s, uint64_t account, uint64_t at)
{
	struct line *l;
	assert_ok(schedule_line(s, account, &l));
	schedule_set(s, l, at);
	return l;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static void the_most_urgent_line_is_first(void **state)
{
	enum { LINES = 500 };
	uint64_t seed = 7, last = 0;
	struct schedule s;
	(void)state;
	schedule_init(&s);
	for (uint64_t i = 1; i <= LINES; i++)
		line_at(&s, i, next_random(&seed) % 1000);
	for (uint64_t i = 1; i <= LINES; i += 3)
		schedule_set(&s, schedule_find(&s, i), next_random(&seed) % 1000);
	for (uint64_t i = 2; i <= LINES; i += 7)
		schedule_drop(&s, schedule_find(&s, i));
	while (s.heap.n > 0) {
		struct line *l = schedule_first(&s);
		assert_true(l->due.at >= last);
		last = l->due.at;
		schedule_drop(&s, l);
	}
	assert_int_equal(s.lines.n, 0);
	schedule_free(&s);
}

static void a_line_without_a_time_is_never_due(void **state)
{
	struct schedule s;
	struct line *l;
	(void)state;
	schedule_init(&s);
	assert_null(schedule_first(&s));
	assert_ok(schedule_line(&s, 1, &l));
	assert_null(schedule_first(&s));
	schedule_hasten(&s, l, 500);
	schedule_hasten(&s, l, 900);
	assert_int_equal(schedule_first(&s)->due.at, 500);
	l->not_before = 700;
	schedule_set(&s, l, SCHEDULE_NEVER);
	schedule_hasten(&s, l, 100);
	assert_int_equal(l->due.at, 700);
	schedule_free(&s);
}

static void waits_double_up_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(schedule_backoff(&(struct backoff){5000, SCHEDULE_WAIT_MOST}, 0, 0), 5000);
	assert_int_equal(schedule_backoff(&(struct backoff){5000, SCHEDULE_WAIT_MOST}, 1, 0), 5000);
	assert_int_equal(schedule_backoff(&(struct backoff){5000, SCHEDULE_WAIT_MOST}, 2, 0), 10000);
	assert_int_equal(schedule_backoff(&(struct backoff){5000, SCHEDULE_WAIT_MOST}, 6, 0), 160000);
	assert_int_equal(schedule_backoff(&(struct backoff){5000, SCHEDULE_WAIT_MOST}, 100, 0), SCHEDULE_WAIT_MOST);
	assert_int_equal(schedule_backoff(&(struct backoff){UINT64_MAX / 2, SCHEDULE_WAIT_MOST}, 9, 0), SCHEDULE_WAIT_MOST);
	for (uint32_t r = 0; r < 2048; r += 100) {
		uint64_t wait = schedule_backoff(&(struct backoff){8000, SCHEDULE_WAIT_MOST}, 1, r);
		assert_true(wait > 6000 && wait <= 8000);
	}
}

static void short_memory_is_told(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct schedule s;
		struct line *l;
		schedule_init(&s);
		mem_fail_at(n);
		result r = schedule_line(&s, 1, &l);
		mem_fail_at(0);
		assert_int_equal(s.heap.n, failed(r) ? 0 : 1);
		assert_int_equal(s.lines.n, s.heap.n);
		schedule_free(&s);
		if (!failed(r))
			return;
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_urgent_line_is_first),
		cmocka_unit_test(a_line_without_a_time_is_never_due),
		cmocka_unit_test(waits_double_up_to_an_hour),
		cmocka_unit_test(short_memory_is_told),
	};
	return cmocka_run_group_tests_name("queue-schedule", tests, NULL, NULL);
}
