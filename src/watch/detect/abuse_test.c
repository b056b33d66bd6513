#include "watch/detect/detect_kit.h"

static void abuse(struct scene *s, const char *what)
{
	SCENE(s, EV_ABUSE, F_STR("client", STR("2001:db8:1:2:3:4:5:6")), F_STR("what", str_from(what)));
}

static void what_nobody_does_by_mistake_weighs_much(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	abuse(&s, "smuggling");
	assert_int_equal(scene_count(&s, MEASURE_DELAY, "2001:db8:1:2::/64"), 1); /* of IPv6 the /64 */
	abuse(&s, "talk before the greeting");
	assert_int_equal(scene_count(&s, MEASURE_TARPIT, NULL), 1);
	abuse(&s, "HTTP");
	abuse(&s, "commands behind STARTTLS");
	assert_int_equal(scene_count(&s, MEASURE_BAN, "2001:db8:1:2::/64"), 1);
	assert_non_null(strstr(scene_last(&s, MEASURE_BAN)->evidence, "commands behind STARTTLS"));
	scene_close(&s);
}

static void failing_now_and_then_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 200; i++) { /* an old machine: three failed handshakes and two odd commands an hour, for days */
		for (int k = 0; k < 3; k++)
			SCENE(&s, EV_TLS_FAILED, F_STR("client", STR("192.0.2.7")));
		scene_refused(&s, "192.0.2.7", "5.5.1", "");
		scene_refused(&s, "192.0.2.7", "5.5.2", "");
		scene_wait(&s, HOUR);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

static void much_nonsense_is_none_by_mistake(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < GARBAGE_FREE; i++)
		scene_refused(&s, "192.0.2.7", "5.5.2", "");
	assert_int_equal(scene_points(&s, "192.0.2.7"), 0);
	for (int i = 0; i < 20; i++)
		scene_refused(&s, "192.0.2.7", "5.5.2", "");
	for (int i = 0; i < 20; i++)
		SCENE(&s, EV_MISSPOKE, F_STR("client", STR("192.0.2.7")));
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.2.7"), 1);
	for (int i = 0; i < TLS_FREE + 40; i++)
		SCENE(&s, EV_TLS_FAILED, F_STR("client", STR("192.0.2.8")));
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.2.8"), 1);
	scene_close(&s);
}

static void programs_of_this_machine_are_nobody(void **state)
{
	static const char *const clients[] = {"127.0.0.1", "::1", "local uid 33", ""};
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 400; i++)
		SCENE(&s, EV_ABUSE, F_STR("client", str_from(clients[i % 4])), F_STR("what", STR("HTTP")));
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_does_by_mistake_weighs_much),
		cmocka_unit_test(failing_now_and_then_is_innocent),
		cmocka_unit_test(much_nonsense_is_none_by_mistake),
		cmocka_unit_test(programs_of_this_machine_are_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
