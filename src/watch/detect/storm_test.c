#include "watch/detect/detect_kit.h"

static void come(struct scene *s, const char *client)
{
	SCENE(s, EV_CONNECT, F_STR("client", str_from(client)), F_U64("port", 40000));
}

static void a_storm_is_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 1000; i++) {
		come(&s, "192.0.2.7");
		scene_wait(&s, 20);
	}
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.7") >= 1);
	assert_string_equal(s.taken[0].detector, "connection-storm");
	scene_close(&s);
}

static void a_large_sender_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 20000; i++) { /* fifty connections a second, each with a letter */
		come(&s, "192.0.2.7");
		SCENE(&s, EV_SMTP_ACCEPTED, F_STR("client", STR("192.0.2.7")), F_U64("recipients", 1));
		scene_wait(&s, 20);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

static void an_office_in_the_morning_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 100; i++) { /* each program opens five connections and logs in on all */
		for (int k = 0; k < 5; k++) {
			come(&s, "192.0.2.7");
			scene_login(&s, (uint64_t)i + 1, "192.0.2.7");
		}
		scene_wait(&s, 300);
	}
	assert_int_equal(scene_count(&s, MEASURE_DELAY, NULL) + scene_count(&s, MEASURE_BAN, NULL), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_storm_is_noticed),
		cmocka_unit_test(a_large_sender_is_innocent),
		cmocka_unit_test(an_office_in_the_morning_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
