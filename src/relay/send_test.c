/* Whole errands against scripted servers. */
#include "relay/relay_kit.h"

#include "grammar/dns/rdata.h"
#include "talk/mail_flags.h"

static const struct queue_relay_recipient anna = {.address = STR_INIT("anna@example.test")};
static const struct queue_relay_recipient pair[] = {
	{.address = STR_INIT("anna@example.test")}, {.address = STR_INIT("bert@example.test"), .notify = 2}};

static void a_plain_server_gets_it_step_by_step(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx.example.test", "<EHLO home.test", ">250 mx.example.test",
		"<MAIL FROM:<user1@home.test>", ">250 fine", "<RCPT TO:<anna@example.test>", ">250 fine", "<DATA",
			">354 go",
		"data", ">250 2.6.0 kept as 17", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, kit_delivered);
	assert_str(buf_str(&kit.message), STR("Received: from here\r\nSubject: hello\r\n\r\n.dot\r\nbody\r\n"));
}

static void hello_falls_back(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">502 what?", "<HELO home.test", ">250 mx",
		"<MAIL", ">250 fine",
		"<RCPT", ">250 fine", "<DATA", ">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, kit_delivered);
}

static void mixed(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_FAILED);
	assert_int_equal(s->outcomes.p[0].code, 550);
	assert_str(s->outcomes.p[0].status, STR("5.1.1"));
	assert_str(s->outcomes.p[0].text, STR("no such user"));
	assert_int_equal(s->outcomes.p[1].verdict, QUEUE_RELAY_VERDICT_RELAYED);
}

static void commands_go_in_one_flight_and_answers_are_matched(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250-SIZE 1000", ">250 PIPELINING",
		"<MAIL FROM:<user1@home.test> SIZE=51", "<RCPT TO:<anna@", "<RCPT TO:<bert@", "<DATA", ">250 fine",
		">550 5.1.1 no such user", ">250 fine", ">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, mixed);
}

static void with_chunks(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_DELIVERED);
	assert_int_equal(s->outcomes.p[1].verdict, QUEUE_RELAY_VERDICT_DELIVERED);
}

static void chunks_and_reports_are_handed_on(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250-CHUNKING", ">250-DSN",
		">250-8BITMIME",
		">250 PIPELINING", "<MAIL FROM:<user1@home.test> BODY=8BITMIME RET=HDRS ENVID=e+2B1",
			"<RCPT TO:<anna@example.test>",
		"<RCPT TO:<bert@example.test> NOTIFY=SUCCESS", ">250 fine", ">250 fine", ">250 fine", "bdat",
			">250 kept",
		"<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	m.flags = MAIL_8BIT;
	m.ret = 2;
	m.envid = STR("e+1");
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, with_chunks);
	assert_str(buf_str(&kit.message), STR("Received: from here\r\nSubject: hello\r\n\r\n.dot\r\nbody\r\n"));
}

static void all_refused(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_FAILED);
	assert_int_equal(s->outcomes.p[1].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_int_equal(s->outcomes.p[1].code, 451);
}

static void an_empty_transaction_is_ended_by_a_lone_dot(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250 PIPELINING", "<MAIL", "<RCPT",
		"<RCPT", "<DATA",
		">250 fine", ">550 no", ">451 4.7.1 greylisted, come again", ">354 go", "<.", ">554 nobody",
			"<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, all_refused);
}

static void both_delivered(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_DELIVERED);
	assert_int_equal(s->outcomes.p[1].verdict, QUEUE_RELAY_VERDICT_RELAYED);
}

static void who_was_too_many_goes_with_the_next_transaction(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250 PIPELINING", "<MAIL",
		"<RCPT TO:<anna@", "<RCPT",
		"<DATA", ">250 fine", ">250 fine", ">452 too many", ">354 go", "data", ">250 kept", "<MAIL",
			"<RCPT TO:<bert@", "<DATA",
		">250 fine", ">250 fine", ">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, both_delivered);
}

static void the_servers_own_limit_is_kept(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250-LIMITS RCPTMAX=1",
		">250 PIPELINING", "<MAIL",
		"<RCPT TO:<anna@", "<DATA", ">250 fine", ">250 fine", ">354 go", "data", ">250 kept", "<MAIL",
			"<RCPT TO:<bert@",
		"<DATA", ">250 fine", ">250 fine", ">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, both_delivered);
}

static void may_be_doubled(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_int_not_equal(str_find(s->outcomes.p[0].text, STR("may arrive twice")), STR_NONE);
}

static void a_connection_lost_after_the_dot_is_for_later(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<MAIL", ">250 fine", "<RCPT",
		">250 fine", "<DATA",
		">354 go", "data", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, may_be_doubled);
}

static void slowed(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_true(s->slow_down);
	assert_int_equal(s->outcomes.p[0].code, 421);
	assert_false(s->reached);
}

static void a_421_asks_to_slow_down(void **state)
{
	(void)state;
	static const char *const script[] = {">421 4.3.2 too busy", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, slowed);
}

/* ---- where to ---- */

static void is_failed(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_FAILED);
	assert_str(s->outcomes.p[0].status, kit.wanted);
	assert_int_equal(kit.played, 0);
}

static void a_null_mx_takes_no_mail(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, false, STR("\0\0\0")});
	kit.wanted = STR("5.1.10");
	kit_send(&m, is_failed);
}

static void a_domain_that_does_not_exist_fails(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_record((struct kit_record){"example.test", 0, ASKER_RESOLVE_FINDING_NO_NAME, false, STR("")});
	kit.wanted = STR("5.1.2");
	kit_send(&m, is_failed);
}

static void ourselves_as_the_server_is_a_loop(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\0\12\4HOME\4test\0")});
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\0\24\2mx\7example\4test\0")});
	kit.wanted = STR("5.4.6");
	kit_send(&m, is_failed);
}

static void a_private_address_is_refused(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	assert_ok(options_set(&relay.options, OPT_RELAY_PRIVATE, STR("no")));
	kit_usual_dns();
	kit.wanted = STR("5.4.4");
	kit_send(&m, is_failed);
}

static void is_later(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_str(s->outcomes.p[0].status, kit.wanted);
	assert_false(s->reached);
}

static void a_bogus_answer_is_for_later(void **state)
{
	(void)state;
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_BOGUS, false, STR("")});
	kit.wanted = STR("4.4.3");
	kit_send(&m, is_later);
}

static void the_next_server_is_asked_when_the_first_is_dead(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<MAIL", ">250 fine", "<RCPT",
		">250 fine", "<DATA",
		">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit_record((struct kit_record){"example.test", DNS_MX, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\0\1\4dead\7example\4test\0")});
	kit_usual_dns();
	kit_record((struct kit_record){"dead.example.test", DNS_A, ASKER_RESOLVE_FINDING_FOUND, false,
		STR("\177\0\0\2")});
	kit_script(script);
	kit_send(&m, kit_delivered);
}

static void what_the_server_cannot_take_is_said_before_sending(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250 SIZE 50", "<QUIT", ">221 bye",
		NULL};
	static const struct {
		uint32_t flags;
		str status;
	} wants[] = {{0, STR_INIT("5.3.4")}};
	struct queue_relay_send m = kit_mail(&anna, 1);
	m.flags = wants[0].flags;
	kit.wanted = wants[0].status;
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, kit_refused);
}

static void without_smtputf8_it_fails(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250 mx", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	m.flags = MAIL_UTF8;
	kit.wanted = STR("5.6.7");
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, kit_refused);
}

/* ---- routes ---- */

static void a_route_logs_in_over_tls(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<EHLO", ">250-mx", ">250 STARTTLS", "<STARTTLS", ">220 go",
		"tls", "<EHLO",
		">250-mx", ">250 AUTH PLAIN", "<AUTH PLAIN AHVzZXIAc2VjcmV0", ">235 welcome", "<MAIL", ">250 fine",
			"<RCPT", ">250 fine",
		"<DATA", ">354 go", "data", ">250 kept", "<QUIT", ">221 bye", NULL};
	struct queue_relay_send m = kit_mail(&anna, 1);
	kit.way = (struct relay_auth_way_is){.known = true, .host = STR("mx.example.test"),
		.tls = RELAY_AUTH_TLS_VERIFIED,
		.user = STR("user"), .password = STR("secret")};
	m.route = 7;
	kit_usual_dns();
	kit_script(script);
	kit_send(&m, kit_delivered);
}

static void lmtp_mixed(const struct queue_relay_sent *s)
{
	assert_int_equal(s->outcomes.p[0].verdict, QUEUE_RELAY_VERDICT_LATER);
	assert_int_equal(s->outcomes.p[1].verdict, QUEUE_RELAY_VERDICT_DELIVERED);
}

static void lmtp_answers_for_each(void **state)
{
	(void)state;
	static const char *const script[] = {">220 mx", "<LHLO", ">250-mx", ">250 PIPELINING", "<MAIL", "<RCPT",
		"<RCPT", "<DATA",
		">250 fine", ">250 fine", ">250 fine", ">354 go", "data", ">452 4.2.2 full", ">250 kept", "<QUIT",
			">221 bye", NULL};
	struct queue_relay_send m = kit_mail(pair, 2);
	kit.way = (struct relay_auth_way_is){.known = true, .host = STR("[127.0.0.1]"),
		.protocol = RELAY_AUTH_PROTOCOL_LMTP};
	m.route = 8;
	kit_script(script);
	kit_send(&m, lmtp_mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RELAY(a_plain_server_gets_it_step_by_step),
		IN_RELAY(hello_falls_back),
		IN_RELAY(commands_go_in_one_flight_and_answers_are_matched),
		IN_RELAY(chunks_and_reports_are_handed_on),
		IN_RELAY(an_empty_transaction_is_ended_by_a_lone_dot),
		IN_RELAY(who_was_too_many_goes_with_the_next_transaction),
		IN_RELAY(the_servers_own_limit_is_kept),
		IN_RELAY(a_connection_lost_after_the_dot_is_for_later),
		IN_RELAY(a_421_asks_to_slow_down),
		IN_RELAY(a_null_mx_takes_no_mail),
		IN_RELAY(a_domain_that_does_not_exist_fails),
		IN_RELAY(ourselves_as_the_server_is_a_loop),
		IN_RELAY(a_private_address_is_refused),
		IN_RELAY(a_bogus_answer_is_for_later),
		IN_RELAY(the_next_server_is_asked_when_the_first_is_dead),
		IN_RELAY(what_the_server_cannot_take_is_said_before_sending),
		IN_RELAY(without_smtputf8_it_fails),
		IN_RELAY(a_route_logs_in_over_tls),
		IN_RELAY(lmtp_answers_for_each),
	};
	return cmocka_run_group_tests(tests, kit_group_open, kit_group_close);
}
