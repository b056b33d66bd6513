#include "watch/detect/detect_kit.h"

#include <stdio.h>

static void guess_many(struct scene *s, const char *client, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		scene_wrong(s, &(struct guess){.client = client, .user = "anna@example.org", .account = 1, .names = 1});
		scene_wait(s, 1000);
	}
}

static void one_who_guesses_climbs_step_by_step(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	guess_many(&s, "192.0.2.7", ADDRESS_DELAY / BRUTE_POINTS - 1);
	assert_int_equal(s.n, 0);
	guess_many(&s, "192.0.2.7", 40);
	assert_int_equal(scene_count(&s, MEASURE_DELAY, "192.0.2.7"), 1);
	assert_int_equal(scene_count(&s, MEASURE_TARPIT, "192.0.2.7"), 1);
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.7") >= 1);
	assert_string_equal(s.taken[2].detector, "brute-force");
	assert_non_null(strstr(s.taken[2].evidence, "times: a wrong password, for anna@example.org"));
	assert_int_equal(s.taken[2].is.account, 0); /* nothing against the account */
	assert_int_equal(scene_count(&s, MEASURE_HOLD, NULL), 0);
	scene_close(&s);
}

static void a_program_with_an_old_password_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "anna@example.org", .account = 1, .names = 1});
	for (int i = 0; i < 1000; i++)
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "anna@example.org", .account = 1,
			.repeat = true});
	assert_int_equal(s.n, 0);
	assert_int_equal(scene_points(&s, "192.0.2.7"), BRUTE_POINTS);
	scene_close(&s);
}

static void an_owner_who_forgot_is_innocent_where_they_always_are(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_login(&s, 1, "192.0.2.7"); /* a minute ago is enough for one's own account */
	scene_wait(&s, MINUTE);
	guess_many(&s, "192.0.2.7", 200);
	guess_many(&s, "192.0.2.99", 200); /* the telephone got another address of the same network */
	assert_int_equal(s.n, 0);
	guess_many(&s, "198.51.100.9", 200);
	assert_true(scene_count(&s, MEASURE_BAN, "198.51.100.9") > 0);
	scene_close(&s);
}

static void a_ripe_address_is_never_more_than_slowed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.7");
	for (int i = 0; i < 500; i++) /* somebody else's account, from the same house */
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "bert@example.org", .account = 2, .names = 1});
	assert_int_equal(scene_count(&s, MEASURE_DELAY, "192.0.2.7"), 1);
	assert_int_equal(scene_count(&s, MEASURE_TARPIT, NULL) + scene_count(&s, MEASURE_BAN, NULL), 0);
	scene_close(&s);
}

static void siege(struct scene *s, unsigned networks, unsigned each)
{
	for (unsigned i = 0; i < networks * each; i++) {
		char client[32];
		snprintf(client, sizeof client, "10.%u.7.1", i % networks);
		scene_wrong(s, &(struct guess){.client = client, .user = "anna@example.org", .account = 1, .names = 1});
		scene_wait(s, 1000);
	}
}

static void a_siege_slows_strangers_and_tells_the_owner(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.7");
	siege(&s, 40, 3); /* three guesses from each of 40 networks: none would be slowed by itself */
	assert_true(scene_count(&s, MEASURE_DELAY, NULL) > 20);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	assert_int_equal(scene_last(&s, MEASURE_NOTICE)->is.readers, NOTICE_OWNER | NOTICE_ADMIN);
	assert_int_equal(scene_count(&s, MEASURE_HOLD, NULL), 0);
	size_t before = s.n;
	guess_many(&s, "192.0.2.7", 5); /* the owner, meanwhile */
	scene_login(&s, 1, "192.0.2.7");
	assert_int_equal(s.n, before);
	assert_int_equal(scene_points(&s, "192.0.2.7"), 0);
	scene_close(&s);
}

static void guesses_over_days_fade(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 100; i++) {
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "anna@example.org", .account = 1, .names = 1});
		scene_wait(&s, HOUR);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_who_guesses_climbs_step_by_step),
		cmocka_unit_test(a_program_with_an_old_password_is_innocent),
		cmocka_unit_test(an_owner_who_forgot_is_innocent_where_they_always_are),
		cmocka_unit_test(a_ripe_address_is_never_more_than_slowed),
		cmocka_unit_test(a_siege_slows_strangers_and_tells_the_owner),
		cmocka_unit_test(guesses_over_days_fade),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
