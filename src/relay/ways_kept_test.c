#include "relay/ways_kept.h"

#include "base/test.h"
#include "run/clock.h"

enum { ARENA = 4096 };

static struct ways ways;

static const struct relay_auth_way_is smarthost = {.known = true, .host = STR_INIT("mx.example.test"), .port = 2525};

static bool knows(uint64_t route)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct relay_auth_way_is is;
	if (!ways_known(&ways, route, &a, &is))
		return false;
	assert_str(is.host, STR("mx.example.test"));
	assert_int_equal(is.port, 2525);
	return true;
}

static int begin(void **state)
{
	(void)state;
	clock_test_hold(1000000000);
	ways_open(&ways);
	return 0;
}

static int end(void **state)
{
	(void)state;
	ways_close(&ways);
	clock_test_release();
	return 0;
}

static void a_way_is_kept_for_its_time(void **state)
{
	(void)state;
	assert_false(knows(7));
	ways_keep(&ways, 7, &smarthost);
	assert_true(knows(7));
	assert_false(knows(8));
	clock_test_advance(WAYS_MS - 1);
	assert_true(knows(7));
	clock_test_advance(1);
	assert_false(knows(7));
	ways_keep(&ways, 7, &smarthost);
	assert_true(knows(7));
}

static void a_login_is_never_kept(void **state)
{
	struct relay_auth_way_is way = smarthost;
	(void)state;
	way.user = STR("user");
	way.password = STR("secret");
	ways_keep(&ways, 7, &way);
	assert_false(knows(7));
}

static void nor_that_there_is_no_way(void **state)
{
	struct relay_auth_way_is none = {.known = false};
	(void)state;
	ways_keep(&ways, 7, &none);
	assert_false(knows(7));
}

static void many_ways_are_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 3 * WAYS_KEPT; i++) {
		ways_keep(&ways, i, &smarthost);
		assert_true(knows(i));
		assert_true(ways.by_route.n <= WAYS_KEPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_way_is_kept_for_its_time, begin, end),
		cmocka_unit_test_setup_teardown(a_login_is_never_kept, begin, end),
		cmocka_unit_test_setup_teardown(nor_that_there_is_no_way, begin, end),
		cmocka_unit_test_setup_teardown(many_ways_are_bounded, begin, end),
	};
	return cmocka_run_group_tests_name("ways kept", tests, NULL, NULL);
}
