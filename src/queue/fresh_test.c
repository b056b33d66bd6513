#include "queue/fresh.h"
#include "queue/queue_kit.h"

/* Letters at hand are copies of rows: what happens to the rows happens to them. */
static void what_is_at_hand_goes_by_its_rows(void)
{
	world.manner = SLOWLY;
	for (unsigned char i = 1; i <= 30; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.at_once, TRAFFIC_FIRST);
	assert_int_equal(choose_drop("1d", "", ""), 1);
	assert_int_equal(choose_hold("1e", "", ""), 1);
	assert_int_equal(choose_retry("", "", "one.test"), 28);
	for (int i = 0; i < 30; i++) {
		gate_wake_all(&world.go);
		settle();
	}
	assert_int_equal(world.sends, 28);
	assert_true(world.seen[1] > 0 && world.seen[28] > 0);
	assert_int_equal(world.seen[29] + world.seen[30], 0);
	assert_int_equal(queued(), 1);
}

static void more_than_are_at_hand_go_once_each(void)
{
	enum { MANY = FRESH_LETTERS * 2 + 10 };
	world.manner = SLOWLY;
	for (unsigned i = 0; i < MANY; i++)
		post_as(1, i, "a@example.org", "b@one.test");
	world.manner = TAKES;
	gate_wake_all(&world.go);
	settle();
	for (unsigned i = 0; i < 3; i++)
		post_as(1, MANY + i, "a@example.org", "b@one.test");
	settle();
	assert_int_equal(queued(), 0);
	assert_int_equal(world.sends, MANY + 3);
	for (unsigned i = 0; i < MANY + 3; i++)
		assert_true(world.seen[i] > 0);
}

KIT_TEST(what_is_at_hand_goes_by_its_rows)
KIT_TEST(more_than_are_at_hand_go_once_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_at_hand_goes_by_its_rows_test),
		cmocka_unit_test(more_than_are_at_hand_go_once_each_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
