#include "watch/detect/detect_kit.h"

static const char world[] =
	"192.0.2.0/24 DE 64500 52.5 13.4\n198.51.100.0/24 FR 64501 48.8 2.3\n203.0.113.0/24 JP 64502 35.7 139.7\n"
	"10.1.0.0/16 AT 64503\n10.2.0.0/16 BR 64504\n";

static void nobody_is_in_berlin_and_in_tokyo_within_the_hour(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "192.0.2.7");
	scene_wait(&s, 40 * MINUTE);
	scene_login(&s, 1, "203.0.113.7");
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_NOTICE)->detector, "impossible-travel");
	assert_non_null(strstr(scene_last(&s, MEASURE_NOTICE)->evidence, "from DE to JP in 40 minutes"));
	assert_int_equal(scene_count(&s, MEASURE_HOLD, NULL), 0);
	scene_close(&s);
}

static void a_flight_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "192.0.2.7");
	scene_wait(&s, 2 * HOUR); /* Paris */
	scene_login(&s, 1, "198.51.100.7");
	scene_wait(&s, 13 * HOUR); /* Tokyo */
	scene_login(&s, 1, "203.0.113.7");
	for (size_t i = 0; i < s.n; i++)
		assert_string_not_equal(s.taken[i].detector, "impossible-travel");
	scene_close(&s);
}

/* Its webmail, on the server itself, logs in all day; that is no place. */
static void a_flight_with_webmail_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "192.0.2.7");
	for (int i = 0; i < 15; i++) {
		scene_wait(&s, HOUR - MINUTE);
		scene_login(&s, 1, "127.0.0.1");
		scene_wait(&s, MINUTE);
	}
	scene_login(&s, 1, "203.0.113.7");
	for (size_t i = 0; i < s.n; i++)
		assert_string_not_equal(s.taken[i].detector, "impossible-travel");
	scene_login(&s, 2, "192.0.2.7");
	scene_wait(&s, 20 * MINUTE);
	scene_login(&s, 2, "127.0.0.1"); /* nor does it hide a journey */
	scene_wait(&s, 20 * MINUTE);
	scene_login(&s, 2, "203.0.113.7");
	assert_non_null(strstr(scene_last(&s, MEASURE_NOTICE)->evidence, "from DE to JP in 40 minutes"));
	scene_close(&s);
}

static void places_it_is_used_to_are_innocent(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "192.0.2.7");
	scene_wait(&s, 15 * HOUR);
	scene_login(&s, 1, "203.0.113.7"); /* a server of theirs */
	size_t before = s.n;
	for (int i = 0; i < 50; i++) {
		scene_wait(&s, MINUTE);
		scene_login(&s, 1, i % 2 ? "203.0.113.7" : "192.0.2.7");
	}
	assert_int_equal(s.n, before);
	scene_close(&s);
}

static void without_positions_another_country_within_the_hour_is_too_far(void **state)
{
	struct scene s;
	(void)state;
	if (!scene_open_at(&s, world))
		skip();
	scene_login(&s, 1, "10.1.0.7");
	scene_wait(&s, 2 * HOUR);
	scene_login(&s, 1, "10.2.0.7");
	assert_string_equal(scene_last(&s, MEASURE_NOTICE)->detector, "newcomer"); /* a new country, no more */
	scene_login(&s, 2, "10.1.0.7");
	scene_wait(&s, 20 * MINUTE);
	scene_login(&s, 2, "10.2.0.7");
	assert_string_equal(scene_last(&s, MEASURE_NOTICE)->detector, "impossible-travel");
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_in_berlin_and_in_tokyo_within_the_hour),
		cmocka_unit_test(a_flight_is_innocent),
		cmocka_unit_test(a_flight_with_webmail_is_innocent),
		cmocka_unit_test(places_it_is_used_to_are_innocent),
		cmocka_unit_test(without_positions_another_country_within_the_hour_is_too_far),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
