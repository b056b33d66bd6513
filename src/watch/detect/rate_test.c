#include "watch/detect/detect_kit.h"

static void post(struct scene *s, uint64_t account, unsigned copies)
{
	SCENE(s, EV_POSTED, F_U64("account", account), F_U64("recipients", copies), F_STR("client", STR("192.0.2.7")));
}

/* Days on which it wrote `each` letters in an hour. */
static void usual(struct scene *s, uint64_t account, unsigned days, unsigned each)
{
	for (unsigned d = 0; d < days; d++) {
		for (unsigned i = 0; i < each; i++)
			post(s, account, 1);
		scene_wait(s, DAY);
	}
}

static void a_flood_is_contained(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	usual(&s, 1, 10, 5);
	assert_int_equal(s.n, 0);
	for (int i = 0; i < 400; i++) {
		post(&s, 1, 1);
		scene_wait(&s, 1000);
	}
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_HOLD)->detector, "sending-rate");
	scene_close(&s);
}

static void who_writes_much_may(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	usual(&s, 1, 10, 90);
	for (int i = 0; i < 600; i++) { /* seven times the usual in an hour */
		post(&s, 1, 1);
		scene_wait(&s, 3000);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

static void a_new_account_has_room(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	post(&s, 1, RATE_NEW_LEAST);
	assert_int_equal(s.n, 0);
	post(&s, 1, 5);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	scene_close(&s);
}

static void what_was_unusual_teaches_nothing(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	usual(&s, 1, 5, 5);
	post(&s, 1, 45); /* more than eight times: told */
	assert_int_equal(s.n, 1);
	scene_wait(&s, 2 * (int64_t)DAY);
	post(&s, 1, 45);
	assert_int_equal(s.n, 2);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_is_contained),
		cmocka_unit_test(who_writes_much_may),
		cmocka_unit_test(a_new_account_has_room),
		cmocka_unit_test(what_was_unusual_teaches_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
