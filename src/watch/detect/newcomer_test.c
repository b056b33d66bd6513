#include "watch/detect/detect_kit.h"

#include <stdio.h>

static const char world[] = "192.0.2.0/24 DE 64500\n198.51.100.0/24 DE 64501\n203.0.113.0/24 JP 64502\n";

static void a_new_country_is_told(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "192.0.2.7");
	scene_wait(&s, 3 * (int64_t)DAY);
	scene_login(&s, 1, "203.0.113.7");
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_non_null(strstr(scene_last(&s, MEASURE_NOTICE)->evidence, "a login from a new country, JP"));
	scene_wait(&s, 3 * (int64_t)DAY);
	scene_login(&s, 1, "203.0.113.99"); /* known by now */
	assert_int_equal(s.n, 1);
	scene_close(&s);
}

static void first_logins_and_ordinary_change_are_innocent(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "203.0.113.7"); /* the first of all */
	scene_wait(&s, HOUR);
	scene_login(&s, 2, "192.0.2.7");
	scene_wait(&s, 5 * HOUR);
	scene_login_by(&s, 2, "198.51.100.7", "SCRAM-SHA-256"); /* a new telephone in another network */
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

/* A new device by itself says little; with a new network and some oddity more it is told. */
static void oddities_add_up(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login_by(&s, 1, "192.0.2.7", "SCRAM-SHA-256");
	for (unsigned i = 0; i < 5; i++) {
		char client[32];
		snprintf(client, sizeof client, "10.%u.0.7", i);
		scene_wait(&s, MINUTE);
		scene_login_by(&s, 1, client, i % 2 ? "PLAIN" : "LOGIN");
	}
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_country_is_told),
		cmocka_unit_test(first_logins_and_ordinary_change_are_innocent),
		cmocka_unit_test(oddities_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
