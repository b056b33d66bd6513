#include "watch/detect/detect_kit.h"

static void names_that_nobody_has_are_noticed(void **state)
{
	static const char *const names[] = {"admin", "info", "test", "root", "office", "sales", "support", "web", "mail"};
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 9; i++)
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = names[i], .names = i + 1});
	assert_true(scene_count(&s, MEASURE_TARPIT, "192.0.2.7") == 1);
	scene_close(&s);
}

static void a_name_mistyped_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "ana@example.org", .names = 1});
	for (int i = 0; i < 100; i++) /* and its program goes on asking */
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "ana@example.org", .names = 1, .repeat = true});
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

static void who_tries_to_relay_climbs(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 10; i++)
		scene_refused(&s, "192.0.2.7", "5.7.1", "victim@elsewhere.example");
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.2.7"), 1);
	assert_non_null(strstr(scene_last(&s, MEASURE_BAN)->evidence, "to be relayed"));
	scene_close(&s);
}

/* A server that is set up wrongly asks once an hour. */
static void a_misconfigured_server_is_slowed_at_most(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 200; i++) {
		scene_refused(&s, "192.0.2.7", "5.7.1", "someone@elsewhere.example");
		scene_wait(&s, HOUR);
	}
	assert_int_equal(scene_count(&s, MEASURE_BAN, NULL) + scene_count(&s, MEASURE_TARPIT, NULL), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_nobody_has_are_noticed),
		cmocka_unit_test(a_name_mistyped_is_innocent),
		cmocka_unit_test(who_tries_to_relay_climbs),
		cmocka_unit_test(a_misconfigured_server_is_slowed_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
