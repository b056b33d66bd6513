/* Mail for other servers, whole, on a disk in memory: a relay and an auth that
 * do as the test says. Time stands still and is moved by hand. */
#include "queue/queue_kit.h"

#include <stdio.h>

#include "queue/mail.h"
#include "talk/mail_flags.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* ---- sending ---- */

static void a_message_is_sent_at_once(void)
{
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.sends, 1);
	assert_string_equal(world.last_destination, "one.test");
	assert_int_equal(queued(), 0);
	assert_int_equal(world.events[EV_QUEUED_OUT], 1);
	assert_int_equal(world.events[EV_SENT], 1);
	assert_int_equal(queue.out.traffic.due.n, 0); /* nothing polls */
	assert_int_equal(queue.out.traffic.off.n, 0);
	assert_int_equal(body_files(), 0);
}

static void posting_twice_is_posting_once(void)
{
	world.manner = LATER;
	post(1, "a@example.org", "b@one.test", NULL);
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(queued(), 1);
	assert_int_equal(world.sends, 1);
}

static void one_transaction_for_a_destination(void)
{
	post_many(1, 120, "one.test");
	settle();
	assert_int_equal(world.sends, 3);
	assert_int_equal(world.recipients, 120);
	assert_int_equal(queued(), 0);
	post(2, "a@example.org", "b@one.test", "c@ONE.test", "d@two.test", NULL);
	settle();
	assert_int_equal(world.sends, 5);
}

static void what_is_late_is_tried_ever_less_often(void)
{
	world.manner = LATER;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.sends, 1);
	uint64_t waited = 0;
	for (int i = 2; i < 9; i++) {
		uint64_t before = waited;
		waited = 0;
		while (world.sends < i) {
			pass(MINUTE);
			waited += MINUTE;
			assert_true(waited < 5ul * HOUR);
		}
		assert_true(waited + MINUTE >= before);
	}
	assert_true(waited > 2ul * HOUR);
	world.manner = TAKES;
	pass(4 * HOUR);
	assert_int_equal(queued(), 0);
}

static void a_destination_that_is_not_reached_is_left_alone(void)
{
	world.manner = UNREACHED;
	for (unsigned char i = 1; i <= 40; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	settle();
	assert_true(world.sends <= TRAFFIC_FIRST);
	pass(HOUR);
	assert_true(world.sends <= TRAFFIC_FIRST + 2);
	post(50, "a@example.org", "b@two.test", NULL);
	world.manner = TAKES;
	settle();
	assert_string_equal(world.last_destination, "two.test");
	pass(4 * HOUR);
	pass(4 * HOUR);
	assert_int_equal(queued(), 0);
}

static void sessions_grow_and_shrink_with_the_answers(void)
{
	world.manner = SLOWLY;
	for (unsigned char i = 1; i <= 200; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.at_once, TRAFFIC_FIRST);
	for (int i = 0; i < 8; i++) {
		gate_wake_all(&world.go);
		settle();
	}
	assert_int_equal(world.at_once, EACH);
	world.slow_down = true;
	gate_wake_all(&world.go);
	settle();
	world.slow_down = false;
	pass(TRAFFIC_RESPITE_MS);
	assert_true(world.at_once <= EACH / 2);
	world.manner = TAKES;
	for (int i = 0; i < 4; i++) {
		gate_wake_all(&world.go);
		pass(MINUTE);
	}
	assert_int_equal(queued(), 0);
}

static void a_list_run_does_not_hold_up_a_letter(void)
{
	world.manner = SLOWLY;
	for (unsigned i = 0; i < 300; i++) {
		char to[40];
		snprintf(to, sizeof to, "r@d%u.test", i % 150); /* more destinations than sessions */
		post_as(1, i, "list@big.example", to);
	}
	post_as(2, 900, "letter@small.example", "r@d0.test");
	post_as(3, 901, "letter@other.example", "r@alone.test");
	for (int i = 0; i < 3; i++) {
		settle();
		gate_wake_all(&world.go);
	}
	settle();
	assert_true(world.seen[900 % SEEN] > 0 && world.seen[900 % SEEN] <= SESSIONS + 60);
	assert_true(world.seen[901 % SEEN] > 0 && world.seen[901 % SEEN] <= SESSIONS + 60);
	world.manner = TAKES;
	for (int i = 0; i < 10; i++) {
		gate_wake_all(&world.go);
		pass(MINUTE);
	}
	assert_int_equal(queued(), 0);
}

static void a_route_is_a_line_of_its_own(void)
{
	world.route = 7;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.last_route, 7);
	world.auth_absent = true;
	post(2, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.last_route, 0);
	world.auth_absent = false;
	world.auth_dead = true; /* it might say another way: nothing is accepted */
	assert_int_equal(post_result(3, "b@one.test"), FAIL_BUSY);
	assert_int_equal(queued(), 0);
}

static void a_way_that_the_edge_knows_is_not_asked_for(void)
{
	world.route = 7;
	world.way = 8;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.last_route, 8);
	assert_int_equal(world.routes_asked, 0);
}

static void what_waits_goes_by_the_routes_of_the_day(void)
{
	world.manner = UNREACHED;
	for (unsigned char i = 1; i <= 3; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	pass(MINUTE);
	assert_int_equal(world.last_route, 0);
	world.manner = TAKES;
	world.route = 7;
	world.table = 1;
	pass(20 * MINUTE);
	assert_int_equal(queued(), 0);
	assert_int_equal(world.last_route, 7);
	assert_int_equal(world.events[EV_REROUTED], 3);
}

static void a_route_that_went_while_the_queue_was_away_is_not_gone_by(void)
{
	world.route = 7;
	world.table = 5;
	world.manner = LATER;
	post(1, "a@example.org", "b@one.test", NULL);
	pass(6 * MINUTE);
	assert_int_equal(world.last_route, 7);
	assert_int_equal(world.events[EV_REROUTED], 0); /* it came by that route */
	close_queue();
	world.route = 0;
	world.table = 2;
	open_queue();
	int asked = world.routes_asked;
	pass(30 * MINUTE);
	assert_int_equal(world.last_route, 0);
	assert_int_equal(world.events[EV_REROUTED], 1);
	assert_true(world.routes_asked > asked);
	close_queue();
	open_queue();
	asked = world.routes_asked;
	for (int i = 0; i < 24; i++)
		pass(HOUR);
	assert_int_equal(world.events[EV_REROUTED], 1);
	assert_true(world.routes_asked - asked < 20); /* once an attempt, not once a row */
}

static void without_a_relay_mail_waits(void)
{
	world.relay_absent = true;
	for (unsigned char i = 1; i <= 100; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	pass(MINUTE);
	assert_int_equal(world.sends, 0);
	assert_int_equal(queued(), 100);
	world.relay_absent = false;
	pass(MINUTE);
	assert_int_equal(queued(), 0);
}

static void what_ends_the_relay_is_held(void)
{
	world.manner = DIES_OF_ONE;
	world.poison = 3;
	for (unsigned char i = 1; i <= 6; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	for (int i = 0; i < 20; i++)
		pass(MINUTE);
	assert_int_equal(queued(), 1);
	assert_int_equal(world.events[EV_QUARANTINED], 1);
	world.manner = TAKES;
	pass(2ull * DAY);
	assert_int_equal(queued(), 1);
	assert_int_equal(choose_release("", "", "one.test"), 1);
	settle();
	assert_int_equal(queued(), 0);
}

/* ---- reports ---- */

static void a_failure_is_reported_to_its_account(void)
{
	world.reader_account = 2;
	world.manner = FAILS;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.kept[2], 1);
	assert_int_equal(world.last_rows, 1);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_FAILED);
	assert_int_equal(queued(), 0);
	assert_int_equal(world.events[EV_REPORTED], 1);
}

static void a_failure_is_reported_to_another_server_and_ends_there(void)
{
	world.reader_outside = "a@example.org";
	world.manner = FAILS;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	settle();
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.sends, 2);
	assert_string_equal(world.last_destination, "example.org");
	assert_int_equal(world.last_sender_n, 0);
	assert_true(world.last_flags & MAIL_REPORT);
	assert_int_equal(queued(), 0); /* the report could not be sent: nobody is told of that */
	assert_int_equal(world.events[EV_UNREPORTED], 1);
}

static void who_wants_no_report_gets_none(void)
{
	world.manner = FAILS;
	post(1, "", "b@one.test", NULL);
	world.notify = NOTIFY_NEVER;
	post(2, "a@example.org", "b@one.test", NULL);
	world.notify = NOTIFY_SUCCESS;
	post(3, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.reports, 0);
	assert_int_equal(queued(), 0);
	assert_int_equal(world.events[EV_UNREPORTED], 3);
}

static void a_report_that_cannot_be_written_waits(void)
{
	world.reader_account = 2;
	world.manner = FAILS;
	world.report_fails = true;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(queued(), 1);
	close_queue();
	open_queue();
	pass(QUEUE_REPORT_WAIT_MS);
	assert_int_equal(queued(), 1);
	assert_int_equal(world.sends, 1);
	world.report_fails = false;
	pass(QUEUE_REPORT_WAIT_MS);
	assert_int_equal(world.kept[2], 1);
	assert_int_equal(queued(), 0);
}

static void a_large_report_lies_in_a_file(void)
{
	world.reader_account = 2;
	world.manner = FAILS;
	world.report_octets = QUEUE_INLINE + 7;
	world.account_unable = true;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(body_files(), 1);
	world.account_unable = false;
	pass(HOUR);
	assert_int_equal(world.kept[2], 1);
	assert_int_equal(body_files(), 0);
}

static void success_is_to_be_told(bool delivered)
{
	world.reader_account = 2;
	world.notify = NOTIFY_SUCCESS;
	world.delivered = delivered;
}

static void success_is_told_where_the_next_server_does_not(void)
{
	success_is_to_be_told(false);
	world.manner = TAKES;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.reports, 0);
	world.manner = RELAYS;
	post(2, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_RELAYED);
	assert_int_equal(queued(), 0);
}

static void a_delivery_here_is_told(void)
{
	success_is_to_be_told(true);
	post(1, "a@example.org", "b@example.org", "postmaster", NULL);
	settle();
	assert_int_equal(world.sends, 0);
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.last_rows, 2);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_DELIVERED);
	assert_int_equal(world.kept[2], 1);
	assert_int_equal(queued(), 0);
}

static void a_delivery_here_that_waits_is_told_when_it_is_made(void)
{
	success_is_to_be_told(true);
	world.hold = START / 1000 + 3600;
	post(1, "a@example.org", "b@example.org", NULL);
	post(2, "a@example.org", "b@example.org", NULL);
	pass(59 * MINUTE);
	close_queue();
	open_queue();
	settle();
	assert_int_equal(world.reports, 0);
	assert_int_equal(choose_release("02", "", ""), 1);
	settle();
	assert_int_equal(world.reports, 1);
	pass(2 * MINUTE);
	assert_int_equal(world.reports, 2);
	assert_int_equal(world.sends, 0);
	assert_int_equal(queued(), 0);
}

static void an_account_that_is_back_gets_all_at_once(void)
{
	world.reader_account = 2;
	world.manner = FAILS;
	world.no_suppression = world.account_unable = true;
	for (unsigned char i = 1; i <= 5; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	pass(6 * HOUR);
	assert_int_equal(queued(), 5);
	world.account_unable = false;
	for (int i = 0; i < 400 && world.kept[2] == 0; i++)
		leap(10000);
	assert_int_equal(world.kept[2], 5);
}

/* ---- time ---- */

static void a_delay_is_told_once_and_the_end_too(void)
{
	world.reader_account = 2;
	world.manner = LATER;
	post(1, "a@example.org", "b@one.test", NULL);
	settle();
	for (int i = 0; i < 8; i++)
		pass(HOUR);
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_DELAYED);
	for (int i = 0; i < 130; i++)
		pass(HOUR);
	assert_int_equal(world.reports, 2);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_FAILED);
	assert_int_equal(queued(), 0);
}

static void what_waits_behind_a_dead_destination_ends_too(void)
{
	world.reader_account = 2;
	world.manner = UNREACHED;
	for (unsigned char i = 1; i <= 100; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	for (int i = 0; i < 6 * 24; i++)
		pass(HOUR);
	assert_int_equal(queued(), 0);
	assert_int_equal(world.kept[2], 200);
}

static void what_is_to_wait_waits(void)
{
	world.hold = START / 1000 + 3600;
	post(1, "a@example.org", "b@one.test", NULL);
	pass(59 * MINUTE);
	assert_int_equal(world.sends, 0);
	close_queue();
	open_queue();
	settle();
	assert_int_equal(world.sends, 0);
	pass(2 * MINUTE);
	assert_int_equal(world.sends, 1);
	assert_int_equal(queued(), 0);
}

static void what_must_arrive_by_a_time_is_returned_or_told(void)
{
	world.reader_account = 2;
	world.manner = LATER;
	world.by = START / 1000 + 1800;
	world.by_return = true;
	post(1, "a@example.org", "b@one.test", NULL);
	pass(31 * MINUTE);
	assert_int_equal(world.reports, 1);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_FAILED);
	assert_int_equal(queued(), 0);
	world.by += 1900;
	world.by_return = false;
	post(2, "a@example.org", "b@one.test", NULL);
	pass(35 * MINUTE);
	assert_int_equal(world.reports, 2);
	assert_int_equal(world.last_action, QUEUE_RELAY_ACTION_DELAYED);
	assert_int_equal(queued(), 1);
}

static void an_unknown_address_is_not_tried_for_ever(void)
{
	world.reader_account = 2;
	world.manner = FAILS;
	for (unsigned char i = 1; i <= 3; i++) {
		post(i, "a@example.org", "b@one.test", NULL);
		settle();
	}
	assert_int_equal(world.sends, 3);
	post(4, "a@example.org", "b@one.test", "c@one.test", NULL);
	settle();
	assert_int_equal(world.sends, 4);
	assert_int_equal(world.recipients, 4);
	assert_int_equal(world.kept[2], 5);
	assert_int_equal(world.events[EV_SUPPRESSED], 1);
	assert_int_equal(queued(), 0);
	post(6, "a@example.org", "B@One.TEST", NULL);
	settle();
	assert_int_equal(world.events[EV_SUPPRESSED], 2);
	assert_int_equal(lift("B@one.test"), FAIL_NONE);
	assert_int_equal(lift("b@one.test"), FAIL_ABSENT);
	post(5, "a@example.org", "b@one.test", NULL);
	settle();
	assert_int_equal(world.sends, 5);
}

static void sessions_are_counted_by_day(void)
{
	AUTO_ARENA arena a = arena_new(TLS_DAYS_ARENA);
	struct tls_day day;
	int64_t oldest;
	world.tls = 2;
	for (unsigned char i = 1; i <= 5; i++)
		post(i, "a@example.org", "b@one.test", NULL);
	settle();
	pass(2 * MINUTE);
	post(6, "a@example.org", "b@one.test", NULL);
	settle();
	close_queue(); /* the last ones are written down at the end */
	open_queue();
	assert_ok(tls_days_oldest(&queue, tls_days_today(), &oldest));
	assert_int_equal(oldest, tls_days_today());
	assert_ok(tls_days_next(&queue, (struct tls_from){.day = oldest}, &a, &day));
	assert_str(day.domain, STR("one.test"));
	assert_int_equal(day.n, 2);
	assert_int_equal(day.rows[0].sessions, 6);
	assert_int_equal(day.rows[1].sessions, 6);
	assert_str(day.rows[0].what.policy_type, STR("sts"));
	assert_ok(tls_days_next(&queue, (struct tls_from){oldest, STR("one.test")}, &a, &day));
	assert_int_equal(day.domain.n, 0);
	assert_ok(tls_days_forget(&queue, oldest, STR("one.test")));
	assert_ok(tls_days_oldest(&queue, oldest, &oldest));
	assert_int_equal(oldest, -1);
}

/* ---- by an administrator ---- */

static void an_administrator_steers(void)
{
	world.manner = LATER;
	post(1, "a@example.org", "b@one.test", NULL);
	post(2, "x@example.net", "c@one.test", "d@two.test", NULL);
	settle();
	assert_int_equal(queued(), 3);
	assert_int_equal(listed("", "X@example.NET", ""), 2);
	assert_int_equal(listed("", "", "One.test"), 2);
	assert_int_equal(listed("02", "", ""), 2);
	assert_int_equal(listed("", "", "none.test"), 0);
	int before = world.sends;
	assert_int_equal(choose_retry("", "", "one.test"), 2);
	settle();
	assert_int_equal(world.sends, before + 2);
	assert_int_equal(choose_hold("02", "", ""), 2);
	pass(5ull * HOUR);
	world.manner = TAKES;
	pass(5ull * HOUR);
	assert_int_equal(queued(), 2);
	assert_int_equal(choose_release("", "", "two.test"), 1);
	settle();
	assert_int_equal(queued(), 1);
	assert_int_equal(choose_drop("", "x@example.net", ""), 1);
	assert_int_equal(queued(), 0);
	assert_int_equal(world.events[EV_QUEUE_DROPPED], 1);
}

static void what_is_under_way_is_not_sent_twice(void)
{
	world.manner = SLOWLY;
	post(1, "a@example.org", "b@one.test", "c@one.test", NULL);
	settle();
	assert_int_equal(world.at_once, 1);
	assert_int_equal(choose_retry("", "", "one.test"), 2);
	settle();
	assert_int_equal(world.sends, 1);
	gate_wake_all(&world.go);
	settle();
	assert_int_equal(world.sends, 1);
	assert_int_equal(queued(), 0);
}

/* ---- a bad disk ---- */

enum { LETTERS = 12, BIG = 5 };

/* What was acknowledged is sent, or its failure reported, once the disk is well. */
static bool mended(enum sim_fault fault, uint64_t n, const bool kept[LETTERS])
{
	bool hit = sim_steps(world.sim) >= n;
	close_queue();
	sim_fault_at(world.sim, SIM_NONE, 0);
	if (fault != SIM_FULL)
		sim_crash(world.sim);
	open_queue();
	for (int i = 0; i < 8; i++)
		leap(4 * HOUR);
	assert_int_equal(queued(), 0);
	assert_int_equal(body_files(), 0);
	for (unsigned char i = 0; i < LETTERS; i++)
		assert_true(!kept[i] || world.seen[i + 1] > 0);
	return hit;
}

static bool fault_at(enum sim_fault fault, uint64_t n, bool sending)
{
	bool kept[LETTERS];
	int reports = world.kept[2];
	memset(world.seen, 0, sizeof world.seen);
	world.relay_absent = !sending;
	world.manner = FAILS_ODD;
	if (!sending)
		sim_fault_at(world.sim, fault, n);
	world.relay_absent = true;
	for (unsigned char i = 0; i < LETTERS; i++) {
		world.octets = i == BIG ? QUEUE_INLINE + 1 : 0;
		enum fail_kind r = post_result((unsigned char)(i + 1), "b@one.test");
		assert_true(r == FAIL_NONE || r == FAIL_DISK || r == FAIL_FULL);
		kept[i] = r == FAIL_NONE;
	}
	world.relay_absent = false;
	if (sending)
		sim_fault_at(world.sim, fault, n);
	for (int i = 0; i < 3; i++)
		leap(QUEUE_REPORT_WAIT_MS);
	bool hit = mended(fault, n, kept);
	if (fault == SIM_FULL && sending) /* nothing was accepted twice: as many reports as failures */
		assert_true(world.kept[2] - reports >= LETTERS / 2);
	return hit;
}

static void what_was_acknowledged_is_sent_or_reported(void)
{
	static const enum sim_fault faults[] = {SIM_REFUSE, SIM_FULL, SIM_CRASH};
	world.reader_account = 2;
	world.no_suppression = true;
	for (size_t f = 0; f < 3; f++) {
		uint64_t posting = 1, sending = 1;
		while (fault_at(faults[f], posting, false))
			posting += 1 + posting / 10;
		while (fault_at(faults[f], sending, true))
			sending += 1 + sending / 10;
		assert_true(posting > 30 && sending > 30);
	}
}

/* Stopped in every state: waiting, under way, late, held, failed and not yet reported, in quarantine. */
static void a_stop_in_any_state_loses_nothing(void)
{
	world.reader_account = 2;
	for (int manner = 0; manner < MANNERS; manner++) {
		memset(world.seen, 0, sizeof world.seen);
		world.manner = (enum manner)manner;
		world.poison = 1;
		world.report_fails = true;
		post(1, "a@example.org", "b@one.test", NULL);
		settle();
		world.stopping = true;
		gate_wake_all(&world.go);
		close_queue();
		world.stopping = false;
		world.report_fails = false;
		world.manner = TAKES;
		open_queue();
		pass(4 * HOUR);
		pass(4 * HOUR);
		assert_int_equal(queued(), 0);
		assert_true(world.seen[1] > 0);
	}
}

#define TESTS(X) \
	X(a_message_is_sent_at_once) X(posting_twice_is_posting_once) X(one_transaction_for_a_destination) \
	X(what_is_late_is_tried_ever_less_often) X(a_destination_that_is_not_reached_is_left_alone) \
	X(sessions_grow_and_shrink_with_the_answers) X(a_list_run_does_not_hold_up_a_letter) \
	X(a_route_is_a_line_of_its_own) X(a_way_that_the_edge_knows_is_not_asked_for) \
	X(what_waits_goes_by_the_routes_of_the_day) \
	X(a_route_that_went_while_the_queue_was_away_is_not_gone_by) X(a_delivery_here_is_told) \
	X(a_delivery_here_that_waits_is_told_when_it_is_made) X(without_a_relay_mail_waits) X(what_ends_the_relay_is_held) \
	X(a_failure_is_reported_to_its_account) X(a_failure_is_reported_to_another_server_and_ends_there) \
	X(who_wants_no_report_gets_none) X(a_report_that_cannot_be_written_waits) \
	X(a_large_report_lies_in_a_file) X(an_account_that_is_back_gets_all_at_once) \
	X(success_is_told_where_the_next_server_does_not) X(a_delay_is_told_once_and_the_end_too) \
	X(what_waits_behind_a_dead_destination_ends_too) X(what_is_to_wait_waits) \
	X(what_must_arrive_by_a_time_is_returned_or_told) X(an_unknown_address_is_not_tried_for_ever) \
	X(sessions_are_counted_by_day) X(an_administrator_steers) X(what_is_under_way_is_not_sent_twice) \
	X(what_was_acknowledged_is_sent_or_reported) X(a_stop_in_any_state_loses_nothing)
TESTS(KIT_TEST)

int main(void)
{
#define ROW(NAME) cmocka_unit_test(NAME##_test),
	const struct CMUnitTest tests[] = {TESTS(ROW)};
	return cmocka_run_group_tests_name("outward", tests, NULL, NULL);
}
