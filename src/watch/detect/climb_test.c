#include "watch/detect/detect_kit.h"

#include <stdio.h>

/* Distributed variants: many addresses of one network, many networks of one
 * system, each of which does little. */

static void one_guess_from(struct scene *s, const char *client, unsigned n)
{
	char user[64];
	snprintf(user, sizeof user, "user%u@example.org", n);
	scene_wrong(s, &(struct guess){.client = client, .user = user, .account = n + 1, .names = 1});
	scene_wait(s, 1000);
}

static void many_addresses_of_a_network_are_one(void **state)
{
	struct scene s;
	char client[32];
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 120; i++) {
		snprintf(client, sizeof client, "192.0.2.%u", i % 40);
		one_guess_from(&s, client, i);
	}
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.0/24") >= 1);
	scene_close(&s);
}

static void also_of_ipv6(void **state)
{
	struct scene s;
	char client[64];
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 120; i++) {
		snprintf(client, sizeof client, "2001:db8:1:%x::%x", i % 40, i);
		one_guess_from(&s, client, i);
	}
	assert_true(scene_count(&s, MEASURE_BAN, "2001:db8:1::/48") >= 1);
	scene_close(&s);
}

static void two_bad_neighbours_do_not_make_a_bad_network(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 400; i++)
		one_guess_from(&s, i % 2 ? "192.0.2.7" : "192.0.2.8", i);
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.7") >= 1);
	assert_int_equal(scene_count(&s, MEASURE_DELAY, "192.0.2.0/24") + scene_count(&s, MEASURE_BAN, "192.0.2.0/24"), 0);
	scene_close(&s);
}

static void a_network_with_a_ripe_address_is_left_alone(void **state)
{
	struct scene s;
	char client[32];
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.77");
	for (unsigned i = 0; i < 800; i++) {
		snprintf(client, sizeof client, "192.0.2.%u", i % 40);
		one_guess_from(&s, client, 10 + i);
	}
	assert_int_equal(scene_count(&s, MEASURE_DELAY, "192.0.2.0/24") + scene_count(&s, MEASURE_BAN, "192.0.2.0/24"), 0);
	assert_true(scene_count(&s, MEASURE_BAN, "192.0.2.3") >= 1);
	scene_close(&s);
}

/* Three guesses from each of 300 networks of one system: nobody would be slowed, but for the system. */
static void a_system_makes_its_networks_suspect(void **state)
{
	struct scene s;
	char client[32];
	(void)state;
	if (!scene_open_at(&s, "10.0.0.0/8 DE 64500\n192.0.2.0/24 DE 64501\n"))
		skip();
	for (unsigned i = 0; i < 900; i++) {
		snprintf(client, sizeof client, "10.1.%u.%u", i % 250, i % 300 / 250);
		one_guess_from(&s, client, i);
	}
	assert_true(scene_count(&s, MEASURE_DELAY, NULL) > 50);
	assert_int_equal(scene_count(&s, MEASURE_NOTICE, NULL), 1);
	assert_non_null(strstr(scene_last(&s, MEASURE_NOTICE)->evidence, "many networks of AS64500"));
	size_t before = s.n;
	one_guess_from(&s, "192.0.2.7", 9000); /* another system */
	assert_int_equal(s.n, before);
	assert_int_equal(scene_points(&s, "192.0.2.7"), BRUTE_POINTS);
	scene_close(&s);
}

static void bans_get_longer(void **state)
{
	struct scene s;
	int64_t last = 0;
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 5; i++) {
		size_t bans = scene_count(&s, MEASURE_BAN, NULL);
		while (scene_count(&s, MEASURE_BAN, NULL) == bans)
			SCENE(&s, EV_ABUSE, F_STR("client", STR("192.0.2.7")), F_STR("what", STR("HTTP")));
		int64_t lasts = scene_last(&s, MEASURE_BAN)->is.until - s.now;
		assert_true(lasts > last || lasts == BAN_LONGEST);
		last = lasts;
		scene_wait(&s, lasts + 1000);
	}
	assert_int_equal(last, BAN_LONGEST);
	scene_wait(&s, 30 * (int64_t)DAY);
	size_t bans = scene_count(&s, MEASURE_BAN, NULL);
	while (scene_count(&s, MEASURE_BAN, NULL) == bans)
		SCENE(&s, EV_ABUSE, F_STR("client", STR("192.0.2.7")), F_STR("what", STR("HTTP")));
	assert_int_equal(scene_last(&s, MEASURE_BAN)->is.until - s.now, BAN_FIRST);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_addresses_of_a_network_are_one),
		cmocka_unit_test(also_of_ipv6),
		cmocka_unit_test(two_bad_neighbours_do_not_make_a_bad_network),
		cmocka_unit_test(a_network_with_a_ripe_address_is_left_alone),
		cmocka_unit_test(a_system_makes_its_networks_suspect),
		cmocka_unit_test(bans_get_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
