/* What a contained account sends waits until auth lets it go, and goes as it would have gone. */
#include "queue/contain.h"
#include "queue/queue_kit.h"

enum { OURS = 7, OTHERS = 8, MINUTE = 60 * 1000 };

static uint64_t hold(void)
{
	uint64_t n;
	assert_ok(contain_hold(&queue, OURS, &n));
	settle();
	return n;
}

static uint64_t let_go(bool release)
{
	uint64_t n;
	assert_ok(contain_free(&queue, OURS, release, &n));
	settle();
	return n;
}

static void what_comes_is_held_and_goes_when_it_is_released(void)
{
	assert_int_equal(hold(), 0);
	post_as(OURS, 1, "a@example.org", "b@one.test");
	post_as(OTHERS, 2, "c@example.org", "b@one.test");
	settle();
	assert_int_equal(world.sends, 1);
	assert_true(world.seen[2] > 0);
	assert_int_equal(let_go(true), 1);
	assert_int_equal(world.sends, 2);
	assert_int_equal(queued(), 0);
	post_as(OURS, 3, "a@example.org", "b@one.test");
	settle();
	assert_int_equal(world.sends, 3);
}

static void what_waits_is_held_over_a_restart(void)
{
	world.manner = LATER;
	post_as(OURS, 1, "a@example.org", "b@one.test");
	settle();
	int tried = world.sends;
	assert_int_equal(hold(), 1);
	assert_int_equal(hold(), 0);
	close_queue();
	open_queue();
	world.manner = TAKES;
	pass(120 * MINUTE);
	assert_int_equal(world.sends, tried);
	assert_int_equal(let_go(false), 1); /* it goes on waiting for an administrator */
	pass(120 * MINUTE);
	assert_int_equal(world.sends, tried);
	assert_int_equal(queued(), 1);
	assert_int_equal(choose_release("01", "", ""), 1);
	settle();
	assert_int_equal(world.sends, tried + 1);
}

static void what_is_at_hand_is_held(void)
{
	world.manner = SLOWLY;
	for (unsigned i = 1; i <= 30; i++)
		post_as(OURS, i, "a@example.org", "b@one.test");
	settle();
	int under_way = world.at_once;
	assert_true(under_way > 0 && under_way < 30);
	hold();
	world.manner = TAKES;
	gate_wake_all(&world.go);
	settle();
	assert_int_equal(world.sends, under_way);
	assert_int_equal(queued(), (uint64_t)(30 - under_way));
	let_go(true);
	assert_int_equal(world.sends, 30);
}

/* RFC 4865: released by auth is not released by its sender. */
static void what_was_to_wait_goes_on_waiting(void)
{
	world.hold = START / 1000 + 3600;
	post_as(OURS, 1, "a@example.org", "b@one.test");
	assert_int_equal(hold(), 1);
	post_as(OURS, 2, "a@example.org", "b@one.test");
	assert_int_equal(let_go(true), 2);
	pass(59 * MINUTE);
	assert_int_equal(world.sends, 0);
	pass(2 * MINUTE);
	assert_int_equal(world.sends, 2);
	assert_int_equal(queued(), 0);
}

static void what_was_to_wait_goes_when_its_time_has_come(void)
{
	world.hold = START / 1000 + 3600;
	hold();
	post_as(OURS, 1, "a@example.org", "b@one.test");
	pass(61 * MINUTE);
	assert_int_equal(world.sends, 0);
	assert_int_equal(let_go(true), 1);
	assert_int_equal(world.sends, 1);
}

#define TESTS(X) \
	X(what_comes_is_held_and_goes_when_it_is_released) X(what_waits_is_held_over_a_restart) X(what_is_at_hand_is_held) \
	X(what_was_to_wait_goes_on_waiting) X(what_was_to_wait_goes_when_its_time_has_come)

TESTS(KIT_TEST)

int main(void)
{
#define ROW(NAME) cmocka_unit_test(NAME##_test),
	const struct CMUnitTest tests[] = {TESTS(ROW)};
	return cmocka_run_group_tests_name("contain", tests, NULL, NULL);
}
