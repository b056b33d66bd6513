#include "watch/detect/detect_kit.h"

#include <stdio.h>

static void spray(struct scene *s, unsigned addresses, unsigned accounts)
{
	for (unsigned i = 0; i < accounts; i++) {
		char client[32], user[64];
		snprintf(client, sizeof client, "192.0.%u.7", i % addresses);
		snprintf(user, sizeof user, "user%u@example.org", i);
		scene_wrong(s, &(struct guess){.client = client, .user = user, .account = 10 + i, .names = i + 1});
		scene_wait(s, MINUTE);
	}
}

static void one_password_for_all_is_noticed(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	spray(&s, 1, 20);
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.0.7"), 1);
	assert_string_equal(scene_last(&s, MEASURE_BAN)->detector, "spraying");
	scene_close(&s);
}

/* Each address is used once or twice: by itself none has done anything. */
static void also_from_everywhere(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	spray(&s, 100, 200);
	assert_true(scene_count(&s, MEASURE_DELAY, NULL) >= 80);
	scene_close(&s);
}

static void two_who_mistype_alike_are_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	spray(&s, 2, 2);
	assert_int_equal(s.n, 0);
	assert_in_range(scene_points(&s, "192.0.1.7"), 1, BRUTE_POINTS);
	scene_close(&s);
}

static void who_usually_comes_from_there_is_innocent(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	scene_login(&s, 1, "192.0.2.7");
	for (int i = 0; i < 100; i++)
		scene_wrong(&s, &(struct guess){.client = "192.0.2.7", .user = "anna@example.org", .account = 1, .names = 9});
	assert_int_equal(s.n, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_password_for_all_is_noticed),
		cmocka_unit_test(also_from_everywhere),
		cmocka_unit_test(two_who_mistype_alike_are_innocent),
		cmocka_unit_test(who_usually_comes_from_there_is_innocent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
