#include "watch/detect/detect_kit.h"

static void awake_after_months_from_elsewhere(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.7");
	scene_wait(&s, (DORMANT_DAYS + 1) * (int64_t)DAY);
	scene_login(&s, 1, "203.0.113.7");
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_NOTICE)->detector, "dormant-account");
	assert_non_null(strstr(scene_last(&s, MEASURE_NOTICE)->evidence, "a silence of 61 days"));
	scene_close(&s);
}

static void a_holiday_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.7");
	scene_wait(&s, (DORMANT_DAYS - 1) * (int64_t)DAY);
	scene_login(&s, 1, "203.0.113.7");
	scene_login(&s, 2, "203.0.113.7"); /* one that never logged in before */
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(awake_after_months_from_elsewhere),
		cmocka_unit_test(a_holiday_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
