#include "watch/detect/detect_kit.h"

static void meet(struct scene *s, uint64_t account, unsigned first)
{
	SCENE(s, EV_FIRST, F_U64("account", account), F_U64("first", first));
}

static void days_of_little(struct scene *s, uint64_t account)
{
	for (int d = 0; d <= RATE_NEW_DAYS; d++) {
		meet(s, account, 1);
		scene_wait(s, DAY);
	}
}

static void a_new_account_writes_to_its_club(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 80; i++)
		meet(&s, 1, 1);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	meet(&s, 1, 2 * FIRST_NEW_LEAST);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 0);
	meet(&s, 1, 4 * FIRST_NEW_LEAST);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	scene_close(&s);
}

static void strangers_in_numbers_are_contained(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	days_of_little(&s, 1);
	meet(&s, 1, FIRST_LEAST);
	assert_int_equal(s.n, 0);
	for (int i = 0; i < 60; i++)
		meet(&s, 1, 1);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_HOLD)->detector, "first-recipients");
	scene_close(&s);
}

static void who_was_released_may_be_held_again(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	days_of_little(&s, 1);
	meet(&s, 1, 8 * FIRST_LEAST);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	SCENE(&s, EV_FREED, F_U64("account", 1), F_STR("act", STR("released")));
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	meet(&s, 1, 8 * 8 * FIRST_LEAST);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 2);
	scene_close(&s);
}

static void a_salesman_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int d = 0; d < 10; d++) {
		meet(&s, 1, 12);
		scene_wait(&s, DAY);
	}
	meet(&s, 1, 12 * FIRST_TIMES);
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_account_writes_to_its_club),
		cmocka_unit_test(strangers_in_numbers_are_contained),
		cmocka_unit_test(who_was_released_may_be_held_again),
		cmocka_unit_test(a_salesman_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
