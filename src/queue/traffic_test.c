#include "base/test.h"

#include "base/mem.h"
#include "queue/traffic.h"

static const struct backoff backoff = {300000, 14400000};

static void wait_at(struct traffic *t, int64_t sender, str destination)
{
	const struct way w = {.destination = destination, .sender = sender};
	assert_ok(traffic_wait(t, &w, 0));
}

static void end(struct traffic *t, struct turn *turn, enum traffic_answer answer, uint64_t now)
{
	traffic_ended(t, turn, &(struct traffic_end){.answer = answer, .now = now});
}

/* Sender 1 has endlessly much for it, sender 2 one letter: it is the second to go. */
static void senders_take_turns_at_a_destination(void **state)
{
	struct traffic t;
	uint64_t wait;
	(void)state;
	traffic_init(&t, &backoff, 1);
	wait_at(&t, 1, STR("one.test"));
	struct turn *first = traffic_next(&t, 0, &wait);
	traffic_taken(&t, first, 0);
	assert_null(traffic_next(&t, 0, &wait)); /* its one session is taken */
	wait_at(&t, 2, STR("one.test"));
	assert_null(traffic_next(&t, 0, &wait));
	int64_t order[3];
	for (int i = 0; i < 3; i++) {
		end(&t, first, TRAFFIC_WELL, 0);
		first = traffic_next(&t, 0, &wait);
		assert_non_null(first);
		order[i] = first->from->key;
		if (first->from->key == 1)
			traffic_taken(&t, first, 0);
	}
	assert_true(order[0] == 2 || order[1] == 2);
	end(&t, first, TRAFFIC_WELL, 0);
	traffic_free(&t);
}

static void one_that_is_not_reached_rests_ever_longer(void **state)
{
	struct traffic t;
	uint64_t wait, now = 0, last = 0;
	(void)state;
	traffic_init(&t, &backoff, 10);
	wait_at(&t, 1, STR("one.test"));
	for (int i = 0; i < 12; i++) {
		struct turn *turn = traffic_next(&t, now, &wait);
		assert_non_null(turn);
		traffic_taken(&t, turn, now);
		end(&t, turn, TRAFFIC_UNREACHED, now);
		assert_null(traffic_next(&t, now, &wait));
		assert_true(wait >= last && wait <= backoff.most);
		last = wait;
		now += wait;
	}
	assert_int_equal(last, backoff.most);
	traffic_retry(&t, now);
	assert_non_null(traffic_next(&t, now, &wait));
	traffic_free(&t);
}

static void what_is_over_leaves_nothing(void **state)
{
	struct traffic t;
	uint64_t wait;
	(void)state;
	traffic_init(&t, &backoff, 10);
	for (int64_t sender = 1; sender <= 50; sender++)
		wait_at(&t, sender, sender % 2 ? STR("one.test") : STR("two.test"));
	for (;;) {
		struct turn *turn = traffic_next(&t, 0, &wait);
		if (!turn)
			break;
		end(&t, turn, TRAFFIC_WELL, 0);
	}
	assert_int_equal(wait, UINT64_MAX);
	assert_int_equal(t.turns.n + t.destinations.n + t.senders.n + t.due.n + t.off.n, 0);
	traffic_free(&t);
}

static void short_memory_is_told(void **state)
{
	const struct way w = {.destination = STR("one.test"), .sender = 1};
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct traffic t;
		traffic_init(&t, &backoff, 10);
		mem_fail_at(n);
		result r = traffic_wait(&t, &w, 0);
		mem_fail_at(0);
		size_t there = failed(r) ? 0 : 1;
		assert_true(t.turns.n == there && t.destinations.n == there && t.senders.n == there);
		assert_true(t.due.n == there && t.off.n == there);
		traffic_free(&t);
		if (!failed(r))
			return;
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders_take_turns_at_a_destination),
		cmocka_unit_test(one_that_is_not_reached_rests_ever_longer),
		cmocka_unit_test(what_is_over_leaves_nothing),
		cmocka_unit_test(short_memory_is_told),
	};
	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
