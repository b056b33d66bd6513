#include "watch/detect/detect_kit.h"

#include <stdio.h>

#include "run/clock.h"

/* Every third name exists here. */
static void stuff(struct scene *s, const char *client, unsigned pairs)
{
	for (unsigned i = 0; i < pairs; i++) {
		char user[64];
		snprintf(user, sizeof user, "name%u@example.org", i);
		scene_wrong(s, &(struct guess){.client = client, .user = user, .account = i % 3 ? 0 : 10 + i, .names = 1});
		scene_wait(s, 2000);
	}
}

static void pairs_from_a_list_are_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	stuff(&s, "192.0.2.7", 12);
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.7") >= 1);
	assert_non_null(strstr(scene_last(&s, MEASURE_BAN)->evidence, "stuffing"));
	scene_close(&s);
}

static void a_pair_that_fits_is_contained(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "203.0.113.5");
	stuff(&s, "192.0.2.7", 7);
	scene_login(&s, 1, "192.0.2.7");
	assert_int_equal(scene_count_person(&s, MEASURE_HOLD, 1), 1);
	assert_string_equal(scene_last(&s, MEASURE_HOLD)->detector, "stolen-pair");
	clock_test_hold(s.now);
	assert_true(detect_is_familiar(s.detect, 1, STR("203.0.113.5")));
	assert_false(detect_is_familiar(s.detect, 1, STR("192.0.2.7"))); /* nothing is learned from there */
	clock_test_release();
	scene_close(&s);
}

static void an_owner_in_a_hotel_is_told_and_not_held(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "203.0.113.5");
	for (int i = 0; i < 7; i++)
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "anna@example.org", .account = 1, .names = 1});
	scene_login(&s, 1, "192.0.2.7");
	assert_int_equal(scene_count(&s, MEASURE_HOLD, NULL), 0);
	assert_int_equal(scene_count_person(&s, MEASURE_NOTICE, 1), 1);
	scene_close(&s);
}

/* Thirty people behind one address, each of whom mistypes now and then. */
static void an_office_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 1; i <= 30; i++)
		scene_login(&s, i, "192.0.2.7");
	scene_wait(&s, 2 * (int64_t)DAY);
	for (unsigned i = 0; i < 300; i++) {
		char user[64];
		snprintf(user, sizeof user, "user%u@example.org", 1 + i % 30);
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = user, .account = 1 + i % 30, .names = 1});
		scene_wait(&s, MINUTE);
	}
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_from_a_list_are_noticed),
		cmocka_unit_test(a_pair_that_fits_is_contained),
		cmocka_unit_test(an_owner_in_a_hotel_is_told_and_not_held),
		cmocka_unit_test(an_office_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
