#include "watch/detect/detect_kit.h"

#include "base/mem.h"
#include "run/clock.h"

static struct scene s;

static net_addr address(unsigned a, unsigned b, unsigned c)
{
	net_addr out = {.ip = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = (unsigned char)a, [14] = (unsigned char)b,
			       [15] = (unsigned char)c}};
	return out;
}

/* One address in a hundred is bad; a flood of clean ones does not make us forget it. */
static void a_flood_of_addresses_has_a_ceiling(void **state)
{
	(void)state;
	scene_open(&s);
	for (int i = 0; i < 5; i++)
		SCENE(&s, EV_ABUSE, F_STR("client", STR("192.0.2.7")), F_STR("what", STR("HTTP")));
	for (unsigned i = 0; i < 2 * SUSPECT_ADDRESSES; i++) {
		net_addr a = address(i >> 16, i >> 8 & 255, i & 255);
		net_cidr one = suspect_network(&a, GRAIN_ADDRESS), many = suspect_network(&a, GRAIN_NETWORK);
		net_cidr system = suspect_system(i + 1);
		assert_non_null(suspects_get(&s.detect->suspects, GRAIN_ADDRESS, &one));
		assert_non_null(suspects_get(&s.detect->suspects, GRAIN_NETWORK, &many));
		assert_non_null(suspects_get(&s.detect->suspects, GRAIN_ASN, &system));
	}
	assert_int_equal(s.detect->suspects.table[GRAIN_ADDRESS].n, SUSPECT_ADDRESSES);
	assert_true(s.detect->suspects.table[GRAIN_NETWORK].n <= SUSPECT_NETWORKS);
	assert_int_equal(s.detect->suspects.table[GRAIN_ASN].n, SUSPECT_ASNS);
	assert_true(scene_points(&s, "192.0.2.7") > 0);
	scene_close(&s);
}

/* When all that there are have a step, the longest unseen goes. */
static void also_when_all_are_bad(void **state)
{
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < SUSPECT_ADDRESSES + 10; i++) {
		net_addr a = address(i >> 16, i >> 8 & 255, i & 255);
		net_cidr one = suspect_network(&a, GRAIN_ADDRESS);
		suspects_set_step(&s.detect->suspects, suspects_get(&s.detect->suspects, GRAIN_ADDRESS, &one), STEP_BAN, 1);
	}
	assert_int_equal(s.detect->suspects.table[GRAIN_ADDRESS].n, SUSPECT_ADDRESSES);
	net_addr first = address(0, 0, 0);
	net_cidr gone = suspect_network(&first, GRAIN_ADDRESS);
	assert_null(suspects_find(&s.detect->suspects, GRAIN_ADDRESS, &gone));
	scene_close(&s);
}

/* Two who come in turns are counted, however many have a step. */
static void newcomers_are_counted_among_many_bad(void **state)
{
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < SUSPECT_ADDRESSES; i++) {
		net_addr a = address(i >> 16, i >> 8 & 255, i & 255);
		net_cidr one = suspect_network(&a, GRAIN_ADDRESS);
		suspects_set_step(&s.detect->suspects, suspects_get(&s.detect->suspects, GRAIN_ADDRESS, &one), STEP_DELAY, 1);
	}
	for (unsigned i = 0; i < 2 * ADDRESS_BAN / BRUTE_POINTS; i++)
		scene_wrong(&s, &(struct guess){.client = i % 2 ? "192.0.2.7" : "198.51.100.7", .user = "anna@example.org",
			.account = 1, .names = 1});
	assert_int_equal(s.detect->suspects.table[GRAIN_ADDRESS].n, SUSPECT_ADDRESSES);
	assert_int_equal(scene_count(&s, MEASURE_BAN, "192.0.2.7"), 1);
	assert_int_equal(scene_count(&s, MEASURE_BAN, "198.51.100.7"), 1);
	scene_close(&s);
}

static void accounts_and_habits_have_a_ceiling(void **state)
{
	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < HABITS_EACH + 5; i++) {
		net_addr a = address(1, i, 1);
		habits_learn(&s.detect->habits, 1, &a, 1000 + i);
	}
	net_addr oldest = address(1, 0, 1), newest = address(1, HABITS_EACH + 4, 1);
	assert_false(habits_comes_from(&s.detect->habits, 1, &oldest, 2000));
	assert_true(habits_comes_from(&s.detect->habits, 1, &newest, 2000));
	for (unsigned i = 0; i < HABITS + 100; i++) {
		net_addr a = address(2, i >> 8 & 255, i & 255);
		habits_learn(&s.detect->habits, 10 + i, &a, 3000 + i);
	}
	assert_int_equal(s.detect->habits.pairs.n, HABITS);
	assert_true(s.detect->habits.spots.n <= 3 * HABITS);
	assert_false(habits_has_any(&s.detect->habits, 1));
	for (uint64_t i = 1; i <= PERSONS + 10; i++)
		assert_non_null(persons_get(&s.detect->persons, i));
	assert_int_equal(s.detect->persons.table.n, PERSONS);
	assert_null(persons_get(&s.detect->persons, 0));
	scene_close(&s);
}

static void an_erased_account_is_forgotten(void **state)
{
	(void)state;
	scene_open(&s);
	scene_habit(&s, 1, "192.0.2.7");
	clock_test_hold(s.now);
	assert_true(detect_is_familiar(s.detect, 1, STR("192.0.2.7")));
	assert_true(habits_has_any(&s.detect->habits, 1));
	assert_non_null(hash_get_u64(&s.detect->persons.table, 1));
	SCENE(&s, EV_ADMIN, F_STR("act", STR("account erased")), F_U64("account", 1));
	assert_false(habits_has_any(&s.detect->habits, 1));
	assert_null(hash_get_u64(&s.detect->persons.table, 1));
	assert_false(detect_is_familiar(s.detect, 1, STR("192.0.2.7")));
	clock_test_release();
	scene_close(&s);
}

static void memory_that_is_refused_hurts_nobody(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 40; n++) {
		scene_open(&s);
		mem_fail_at(n);
		net_addr a = address(1, 2, 3);
		habits_learn(&s.detect->habits, 1, &a, 1000);
		(void)persons_get(&s.detect->persons, 1);
		net_cidr one = suspect_network(&a, GRAIN_ADDRESS);
		(void)suspects_get(&s.detect->suspects, GRAIN_ADDRESS, &one);
		mem_fail_at(0);
		habits_learn(&s.detect->habits, 1, &a, 1001);
		habits_forget(&s.detect->habits, 1);
		assert_int_equal(s.detect->habits.pairs.n, 0);
		scene_close(&s);
	}
}

static void a_tally_is_about_right(void **state)
{
	struct tally t = {0};
	(void)state;
	for (unsigned i = 1; i <= 300; i++) {
		tally_add(&t, hash_bytes(str_of((const char *)&i, sizeof i)), 1000);
		unsigned n = tally_count(&t, 1000), slack = i / 3 + 2;
		assert_in_range(n, i > slack ? i - slack : 1, i + slack);
	}
	tally_add(&t, 0, 1000);
	assert_false(tally_add(&t, 0, 1000)); /* the same again is not new */
	tally_add(&t, 1, 1000 + TALLY_WINDOW_MS);
	assert_true(tally_count(&t, 1000 + TALLY_WINDOW_MS) > 200);
	assert_true(tally_count(&t, 1000 + 2 * (int64_t)TALLY_WINDOW_MS) <= 1);
	assert_int_equal(tally_count(&t, 1000 + 4 * (int64_t)TALLY_WINDOW_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_addresses_has_a_ceiling),
		cmocka_unit_test(also_when_all_are_bad),
		cmocka_unit_test(newcomers_are_counted_among_many_bad),
		cmocka_unit_test(accounts_and_habits_have_a_ceiling),
		cmocka_unit_test(an_erased_account_is_forgotten),
		cmocka_unit_test(memory_that_is_refused_hurts_nobody),
		cmocka_unit_test(a_tally_is_about_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
