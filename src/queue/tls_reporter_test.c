/* Reports about TLS: each domain once for a day, in spite of restarts. */
#include "queue/queue_kit.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };

static int64_t left(void)
{
	int64_t day;
	assert_ok(tls_days_oldest(&queue, tls_days_today(), &day));
	return day;
}

static void some_sessions(void)
{
	world.tls = 2;
	post(1, "anna@home.test", "a@one.test", NULL);
	pass(2 * 60000);
	assert_int_equal(left(), tls_days_today());
}

static void a_day_is_told_once_when_it_is_over(void)
{
	some_sessions();
	pass(HOUR_MS * 2);
	assert_int_equal(world.tls_reports, 0);
	pass(DAY_MS + 5 * HOUR_MS);
	assert_int_equal(world.tls_reports, 1);
	assert_int_equal(world.last_rows, 2);
	assert_string_equal(world.last_destination, "reports.test");
	assert_int_equal(left(), -1);
	pass(DAY_MS);
	close_queue();
	open_queue();
	pass(DAY_MS);
	assert_int_equal(world.tls_reports, 1);
}

static void who_wants_none_is_forgotten(void)
{
	world.tls_unwanted = true;
	some_sessions();
	pass(DAY_MS + 5 * HOUR_MS);
	assert_int_equal(world.tls_reports, 1);
	assert_int_equal(world.sends, 1);
	assert_int_equal(left(), -1);
}

static void what_could_not_be_told_is_told_later(void)
{
	some_sessions();
	world.report_fails = true;
	pass(DAY_MS + 5 * HOUR_MS);
	assert_int_equal(world.tls_reports, 0);
	assert_true(left() >= 0);
	assert_true(world.events[EV_TLS_UNREPORTED] > 0);
	close_queue();
	open_queue();
	world.report_fails = false;
	pass(8 * HOUR_MS);
	assert_int_equal(world.tls_reports, 1);
	assert_int_equal(left(), -1);
}

KIT_TEST(a_day_is_told_once_when_it_is_over)
KIT_TEST(who_wants_none_is_forgotten)
KIT_TEST(what_could_not_be_told_is_told_later)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_told_once_when_it_is_over_test),
		cmocka_unit_test(who_wants_none_is_forgotten_test),
		cmocka_unit_test(what_could_not_be_told_is_told_later_test),
	};
	return cmocka_run_group_tests_name("queue-tls", tests, NULL, NULL);
}
