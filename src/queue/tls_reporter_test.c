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

static void today_is_told_when_somebody_asks(void)
{
	some_sessions();
	assert_int_equal(listed_tls(), 2);
	assert_int_equal(tell_tls(), 1);
	settle();
	assert_int_equal(world.tls_reports, 1);
	assert_int_equal(world.last_until, clock_wall_s());
	assert_int_equal(listed_tls(), 0);
	post(2, "anna@home.test", "a@one.test", NULL);
	settle();
	assert_int_equal(listed_tls(), 2);
	pass(DAY_MS + 5 * HOUR_MS);
	assert_int_equal(world.tls_reports, 2);
	assert_int_equal(world.last_until, 0);
	assert_int_equal(listed_tls(), 0);
}

static void what_is_counted_meanwhile_is_told_later(void)
{
	some_sessions();
	world.tls_slow_ms = 60000;
	assert_int_equal(tell_tls(), 1);
	settle();
	post(2, "anna@home.test", "a@one.test", NULL);
	settle();
	assert_int_equal(listed_tls(), 4);
	pass(60000);
	assert_int_equal(world.tls_reports, 1);
	assert_int_equal(listed_tls(), 2);
}

static void a_silent_collector_holds_up_nobody(void)
{
	world.tls = 3;
	post(1, "anna@home.test", "a@one.test", NULL);
	settle();
	world.tls_slow_ms = 60000;
	assert_int_equal(tell_tls(), 2);
	settle();
	assert_int_equal(world.tls_reports, 2);
	assert_int_equal(listed_tls(), 2); /* of the first domain */
	pass(60000);
	assert_int_equal(listed_tls(), 0);
}

static void switched_off_nothing_is_counted(void)
{
	queue.out.tls.off = true;
	world.tls = 2;
	post(1, "anna@home.test", "a@one.test", NULL);
	settle();
	assert_int_equal(listed_tls(), 0);
}

/* Ever so many ways to fail: the report has what fits into a packet. */
static void a_day_with_many_outcomes_is_told(void)
{
	static char detail[TLS_DAYS_ROWS][200];
	for (size_t i = 0; i < TLS_DAYS_ROWS; i++) {
		memset(detail[i], 'x', sizeof detail[i]);
		detail[i][0] = (char)('a' + i % 26);
		detail[i][1] = (char)('a' + i / 26 % 26);
		detail[i][2] = (char)('a' + i / 676);
		const struct queue_relay_tls_outcome what = {.policy_type = STR("sts"), .policy_domain = STR("one.test"),
			.result = STR("certificate-expired"), .detail = str_of(detail[i], sizeof detail[i])};
		tls_days_note(&queue.out.tls, &what, 1);
	}
	assert_int_equal(tell_tls(), 1);
	settle();
	assert_int_equal(world.tls_reports, 1);
	assert_true(world.last_rows > 200 && world.last_rows < TLS_DAYS_ROWS);
	pass(DAY_MS + 5 * HOUR_MS);
	assert_int_equal(listed_tls(), 0);
}

KIT_TEST(today_is_told_when_somebody_asks)
KIT_TEST(what_is_counted_meanwhile_is_told_later)
KIT_TEST(a_silent_collector_holds_up_nobody)
KIT_TEST(switched_off_nothing_is_counted)
KIT_TEST(a_day_with_many_outcomes_is_told)
KIT_TEST(a_day_is_told_once_when_it_is_over)
KIT_TEST(who_wants_none_is_forgotten)
KIT_TEST(what_could_not_be_told_is_told_later)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_told_once_when_it_is_over_test),
		cmocka_unit_test(who_wants_none_is_forgotten_test),
		cmocka_unit_test(what_could_not_be_told_is_told_later_test),
		cmocka_unit_test(today_is_told_when_somebody_asks_test),
		cmocka_unit_test(what_is_counted_meanwhile_is_told_later_test),
		cmocka_unit_test(a_silent_collector_holds_up_nobody_test),
		cmocka_unit_test(switched_off_nothing_is_counted_test),
		cmocka_unit_test(a_day_with_many_outcomes_is_told_test),
	};
	return cmocka_run_group_tests_name("queue-tls", tests, NULL, NULL);
}
