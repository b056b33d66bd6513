/* Sessions that are kept and used again, and questions to primary servers. */
#include "relay/limits.h"
#include "relay/relay_kit.h"

#include "run/clock.h"

static const struct queue_relay_recipient anna = {.address = STR_INIT("anna@example.test")};

/* ---- sessions kept ---- */

#define TRANSACTION "<MAIL", ">250 fine", "<RCPT", ">250 fine", "<DATA", ">354 go", "data", ">250 kept"

static void the_next_message_takes_the_same_connection(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, TRANSACTION, "<QUIT",
		">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send_twice(&m, kit_delivered, kit_delivered);
	assert_int_equal(kit.played, 1);
}

static void a_refused_message_is_followed_by_rset(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<MAIL", ">250 fine", "<RCPT",
		">550 5.1.1 no", "<RSET",
		">250 fine", TRANSACTION, "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit.wanted = STR("5.1.1");
	kit_send_twice(&m, kit_refused, kit_delivered);
}

/* The first connection goes as `first` says; the second message takes another. */
static void expect_another(const char *const *first)
{
	static const char *const second[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(first);
	kit_script(second);
	kit_send_twice(&m, kit_delivered, kit_delivered);
	assert_int_equal(kit.played, 2);
}

static void a_connection_that_ended_while_kept_is_made_anew(void **state)
{
	(void)state;
	static const char *const first[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, NULL};
	expect_another(first);
}

static void a_server_that_ends_at_mail_is_called_again(void **state)
{
	(void)state;
	static const char *const first[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, "<MAIL", NULL};
	expect_another(first);
}

static void a_way_and_a_key_are_asked_for_once(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, TRANSACTION, "<QUIT", ">221 bye",
		NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit.way = (struct relay_auth_way_is){.known = true, .host = STR("mx.example.test")};
	m.route = 7;
	kit_usual_dns();
	kit_script(script);
	kit_send_twice(&m, kit_delivered, kit_delivered);
	assert_int_equal(kit.ways_asked, 1);
	assert_int_equal(kit.unwrapped, 1);
}

static void mailmax_ends_the_connection(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250 LIMITS MAILMAX=1", TRANSACTION,
		"<QUIT", ">221 bye",
		NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_script(script);
	kit_send_twice(&m, kit_delivered, kit_delivered);
	assert_int_equal(kit.played, 2);
}

static void a_kept_session_ends_in_time(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", TRANSACTION, "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	clock_test_hold(1000000000);
	kit.rest_ms = 2 * RELAY_KEPT_MS;
	kit_send(&m, kit_delivered);
	clock_test_release();
	assert_int_equal(kit.kept_after, 0);
}

/* ---- questions ---- */

static void a_primary_server_is_asked(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<MAIL FROM:<>", ">250 fine",
		"<RCPT TO:<nobody@example.test>", ">550 5.1.1 no such user", "<RSET", ">250 fine", "<MAIL",
			">250 fine",
		"<RCPT TO:<anna@example.test>", ">250 fine", "<QUIT", ">221 bye", NULL};
	kit_usual_dns();
	kit_script(script);
	kit_verify(STR("nobody@example.test"), EDGE_RELAY_VERDICT_NO, STR("anna@example.test"),
		EDGE_RELAY_VERDICT_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RELAY(the_next_message_takes_the_same_connection),
		IN_RELAY(a_way_and_a_key_are_asked_for_once),
		IN_RELAY(a_refused_message_is_followed_by_rset),
		IN_RELAY(a_connection_that_ended_while_kept_is_made_anew),
		IN_RELAY(a_server_that_ends_at_mail_is_called_again),
		IN_RELAY(mailmax_ends_the_connection),
		IN_RELAY(a_kept_session_ends_in_time),
		IN_RELAY(a_primary_server_is_asked),
	};
	return cmocka_run_group_tests(tests, kit_group_open, kit_group_close);
}
