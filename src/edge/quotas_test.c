#include "base/test.h"
#include "edge/quotas.h"
#include "run/clock.h"

static void grants_only_what_it_heard_lately(void **state)
{
	(void)state;
	struct quotas q = {0};
	clock_test_hold(1000000);
	assert_false(quotas_grant(&q, 7, 0));
	quotas_heard(&q, 7, UINT64_MAX);
	assert_true(quotas_grant(&q, 7, 1 << 20));
	assert_false(quotas_grant(&q, 8, 0));
	assert_false(quotas_grant(&q, 7 + QUOTAS_SEATS, 0));
	clock_test_advance(QUOTAS_MS - 1);
	assert_true(quotas_grant(&q, 7, 0));
	clock_test_advance(1);
	assert_false(quotas_grant(&q, 7, 0));
	clock_test_release();
	quotas_free(&q);
}

static void asks_near_the_limit(void **state)
{
	(void)state;
	struct quotas q = {0};
	quotas_heard(&q, 1, QUOTAS_AMPLE + 100);
	assert_true(quotas_grant(&q, 1, 60));
	assert_false(quotas_grant(&q, 1, 60)); /* what was granted counts */
	assert_true(quotas_grant(&q, 1, 40));
	assert_false(quotas_grant(&q, 1, 1));
	quotas_heard(&q, 1, QUOTAS_AMPLE - 1);
	assert_false(quotas_grant(&q, 1, 0));
	quotas_free(&q);
}

static void one_seat_holds_the_last(void **state)
{
	(void)state;
	struct quotas q = {0};
	quotas_heard(&q, 1, UINT64_MAX);
	quotas_heard(&q, 1 + QUOTAS_SEATS, UINT64_MAX);
	assert_false(quotas_grant(&q, 1, 0));
	assert_true(quotas_grant(&q, 1 + QUOTAS_SEATS, 0));
	quotas_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grants_only_what_it_heard_lately),
		cmocka_unit_test(asks_near_the_limit),
		cmocka_unit_test(one_seat_holds_the_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
