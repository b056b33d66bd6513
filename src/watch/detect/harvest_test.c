#include "watch/detect/detect_kit.h"

#include <stdio.h>

static void ask_for(struct scene *s, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		char name[64];
		snprintf(name, sizeof name, "name%u@example.org", i);
		scene_refused(s, "192.0.2.7", "5.1.1", name);
		scene_wait(s, 1000);
	}
}

static void a_list_of_names_is_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	ask_for(&s, 0, 40);
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.2.7"), 1);
	assert_string_equal(scene_last(&s, MEASURE_BAN)->detector, "harvesting");
	scene_close(&s);
}

static void the_same_ones_again_are_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 200; i++)
		ask_for(&s, 0, 3);
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

static void who_brings_mail_may_have_old_addresses_too(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 100; i++)
		SCENE(&s, EV_SMTP_ACCEPTED, F_STR("client", STR("192.0.2.7")), F_U64("recipients", 1));
	ask_for(&s, 0, 40);
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

/* A mail program that has logged in and writes to a colleague who left. */
static void logins_do_not_count(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 100; i++)
		SCENE(&s, EV_SMTP_REFUSED, F_STR("client", STR("192.0.2.7")), F_STR("status", STR("5.1.1")),
		      F_STR("recipient", STR("gone@example.org")), F_STR("user", STR("anna@example.org")));
	assert_int_equal(scene_points(&s, "192.0.2.7"), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_names_is_noticed),
		cmocka_unit_test(the_same_ones_again_are_innocent),
		cmocka_unit_test(who_brings_mail_may_have_old_addresses_too),
		cmocka_unit_test(logins_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
