#include "grammar/smtp/smtp.h"
#include "base/mem.h"
#include "base/test.h"
#include "grammar/smtp/smtp_print.h"

enum {
	ALL = SMTP_P_SIZE | SMTP_P_BODY | SMTP_P_SMTPUTF8 | SMTP_P_DSN | SMTP_P_AUTH | SMTP_P_BINARYMIME,
	HANDLING = SMTP_P_FUTURE | SMTP_P_BY | SMTP_P_REQUIRETLS,
};

/* Parses with everything offered; the arena lives until the group's next test. */
static arena memory;
static struct smtp_parser parser;

static int begin(void **state)
{
	(void)state;
	arena_free(&memory);
	memory = arena_new(1 << 20);
	parser = (struct smtp_parser){.arena = &memory, .offered = ALL};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&memory);
	return 0;
}

static struct smtp_command accept(str line)
{
	struct smtp_command c = {0};
	result r = smtp_parse(&parser, line, &c);
	if (failed(r))
		fail_msg("refused \"%.*s\": %s", STR_ARG(line), r.text);
	return c;
}

static void refuse(str line, unsigned code, const char *status)
{
	struct smtp_command c;
	result r = smtp_parse(&parser, line, &c);
	if (!failed(r))
		fail_msg("accepted \"%.*s\"", STR_ARG(line));
	if (parser.fault.code != code || strcmp(parser.fault.status, status) != 0)
		fail_msg("\"%.*s\": %u %s", STR_ARG(line), parser.fault.code, parser.fault.status);
}

static void every_verb_is_known(void **state)
{
	(void)state;
	static const str lines[SMTP_VERBS] = {
		STR_INIT("EHLO a.example"), STR_INIT("helo a"),	  STR_INIT("LHLO a"),	  STR_INIT("MAIL FROM:<>"),
		STR_INIT("RCPT TO:<a@b>"),  STR_INIT("DATA"),	  STR_INIT("BDAT 0"),	  STR_INIT("RSET"),
		STR_INIT("NOOP"),	    STR_INIT("QUIT"),	  STR_INIT("VRFY a"),	  STR_INIT("EXPN a"),
		STR_INIT("HELP"),	    STR_INIT("StartTLS"), STR_INIT("AUTH PLAIN"), STR_INIT("XCLIENT NAME=a"),
	};
	for (size_t i = 0; i < SMTP_VERBS; i++) {
		struct smtp_command c = accept(lines[i]);
		assert_int_equal(c.verb, i);
		assert_false(c.lenient);
		assert_true(str_istarts(lines[i], smtp_verb_name(c.verb)));
	}
}

static void unknown_and_malformed_lines(void **state)
{
	(void)state;
	static const str unknown[] = {
		STR_INIT(""),	    STR_INIT("   "),	      STR_INIT("GET / HTTP/1.1"), STR_INIT("MAILFROM:<a@b>"),
		STR_INIT("DATA\0"), STR_INIT("\x16\x03\x01"), STR_INIT(" EHLO x"),	  STR_INIT("QUIT\r")};
	static const str syntax[] = {STR_INIT("EHLO"),
				     STR_INIT("MAIL"),
				     STR_INIT("MAIL <a@b>"),
				     STR_INIT("MAIL FROM <a@b>"),
				     STR_INIT("RCPT FROM:<a@b>"),
				     STR_INIT("NOOP \x01"),
				     STR_INIT("NOOP \xff"),
				     STR_INIT("HELP a\nQUIT"),
				     STR_INIT("MAIL TO:<a@b>")};
	static const str arguments[] = {STR_INIT("DATA x"),
					STR_INIT("RSET x"),
					STR_INIT("QUIT now"),
					STR_INIT("STARTTLS x"),
					STR_INIT("BDAT"),
					STR_INIT("BDAT x"),
					STR_INIT("BDAT -1"),
					STR_INIT("BDAT 1 FIRST"),
					STR_INIT("BDAT 1LAST"),
					STR_INIT("BDAT 1 LAST x"),
					STR_INIT("BDAT 18446744073709551616"),
					STR_INIT("AUTH"),
					STR_INIT("AUTH PLAIN = ="),
					STR_INIT("VRFY"),
					STR_INIT("EXPN"),
					STR_INIT("XCLIENT"),
					STR_INIT("XCLIENT NAME"),
					STR_INIT("XCLIENT FOO=1"),
					STR_INIT("XCLIENT ADDR=1.2.3"),
					STR_INIT("XCLIENT PORT=65536"),
					STR_INIT("XCLIENT NAME=a NAME=b"),
					STR_INIT("XCLIENT HELO=a+0Db")};
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		refuse(unknown[i], 500, "5.5.2");
	for (size_t i = 1; i < sizeof syntax / sizeof syntax[0]; i++)
		refuse(syntax[i], 501, "5.5.2");
	refuse(syntax[0], 501, "5.5.4");
	for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++)
		refuse(arguments[i], 501, "5.5.4");
}

static void mail_with_all_parameters(void **state)
{
	(void)state;
	struct smtp_command c =
		accept(STR("MAIL FROM:<a+b@x.org> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q+2B1 "
			   "AUTH=e+3Dmc2@example.com"));
	assert_str(c.mail.from.local, STR("a+b"));
	assert_int_equal(c.mail.size, 1000);
	assert_int_equal(c.mail.body, SMTP_BODY_8BITMIME);
	assert_int_equal(c.mail.ret, SMTP_RET_HDRS);
	assert_str(c.mail.envid, STR("Q+1"));
	assert_str(c.mail.auth.local, STR("e=mc2"));
	assert_int_equal(c.mail.given, ALL & ~(SMTP_P_NOTIFY | SMTP_P_ORCPT | SMTP_P_BINARYMIME));
	assert_false(c.lenient);
	c = accept(STR("mail from:<> body=binarymime auth=<> ret=full size=99999999999999999999"));
	assert_int_equal(c.mail.from.kind, MAILBOX_NULL);
	assert_int_equal(c.mail.body, SMTP_BODY_BINARYMIME);
	assert_int_equal(c.mail.auth.kind, MAILBOX_NULL);
	assert_int_equal(c.mail.ret, SMTP_RET_FULL);
	assert_true(c.mail.size == UINT64_MAX);
}

static void mail_with_parameters_of_handling(void **state)
{
	(void)state;
	parser.offered = ALL | HANDLING;
	struct smtp_command c = accept(STR("MAIL FROM:<a@b> HOLDFOR=3600 BY=600;R REQUIRETLS"));
	assert_int_equal(c.mail.given, SMTP_P_HOLDFOR | SMTP_P_BY | SMTP_P_REQUIRETLS);
	assert_int_equal(c.mail.hold_for, 3600);
	assert_int_equal(c.mail.by, 600);
	assert_true(c.mail.by_return && !c.mail.by_trace);
	c = accept(STR("MAIL FROM:<a@b> holduntil=2026-11-22T11:30:00+01:30 by=-10;nt"));
	assert_int_equal(c.mail.hold_until, 1795341600);
	assert_int_equal(c.mail.by, -10);
	assert_true(!c.mail.by_return && c.mail.by_trace);
	c = accept(STR("MAIL FROM:<a@b> HOLDFOR=999999999 BY=+999999999;RT"));
	assert_int_equal(c.mail.hold_for, SMTP_SECONDS_MAX);
	assert_int_equal(c.mail.by, SMTP_SECONDS_MAX);
}

static void handling_is_judged(void **state)
{
	static const char *const values[] = {
		"HOLDFOR", "HOLDFOR=", "HOLDFOR=x", "HOLDFOR=-1", "HOLDFOR=1000000000", "HOLDUNTIL", "HOLDUNTIL=",
		"HOLDUNTIL=tomorrow", "HOLDUNTIL=1960-01-01T00:00:00Z", "HOLDUNTIL=9999-12-31T23:59:59-10:00",
		"HOLDFOR=1 HOLDUNTIL=2026-11-22T10:00:00Z", "HOLDUNTIL=2026-11-22T10:00:00Z HOLDFOR=1", "HOLDFOR=1 HOLDFOR=1",
		"BY", "BY=", "BY=10", "BY=10;", "BY=10;X", "BY=10;RN", "BY=10;RTT", "BY=10;T", "BY=;R", "BY=0;R", "BY=-1;R",
		"BY=--1;N", "BY=+-1;N", "BY=1000000000;N", "REQUIRETLS=", "REQUIRETLS=yes", "REQUIRETLS REQUIRETLS",
	};
	(void)state;
	parser.offered = ALL | HANDLING;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		AUTO_BUF buf line = buf_new(200);
		buf_printf(&line, "MAIL FROM:<a@b> %s", values[i]);
		refuse(buf_str(&line), 501, "5.5.4");
	}
}

static void rcpt_with_all_parameters(void **state)
{
	(void)state;
	refuse(STR("MAIL FROM:<Postmaster>"), 501, "5.1.7");
	struct smtp_command c = accept(STR("RCPT TO:<Postmaster> NOTIFY=SUCCESS,delay ORCPT=rfc822;Carol@Ivory.EDU"));
	assert_int_equal(c.rcpt.to.kind, MAILBOX_BARE);
	assert_int_equal(c.rcpt.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY);
	assert_str(c.rcpt.orcpt_type, STR("rfc822"));
	assert_str(c.rcpt.orcpt, STR("Carol@Ivory.EDU"));
	c = accept(STR("RCPT TO:<a@b> NOTIFY=NEVER"));
	assert_int_equal(c.rcpt.notify, SMTP_NOTIFY_NEVER);
	assert_int_equal(c.rcpt.given, SMTP_P_NOTIFY);
}

static void utf8_original_recipients(void **state)
{
	(void)state;
	struct smtp_command c = accept(STR("RCPT TO:<a@b> ORCPT=utf-8;\\x{E9}\\x{2B}t@x.example"));
	assert_str(c.rcpt.orcpt, STR("\xc3\xa9+t@x.example"));
	refuse(STR("RCPT TO:<a@b> ORCPT=utf-8;\xc3\xa9@x"), 553, "5.6.7");
	parser.smtputf8 = true;
	c = accept(STR("RCPT TO:<\xc3\xa9@b> ORCPT=utf-8;\xc3\xa9@x"));
	assert_str(c.rcpt.orcpt, STR("\xc3\xa9@x"));
	refuse(STR("RCPT TO:<a@b> ORCPT=utf-8;a+b@x"), 501, "5.5.4");
	refuse(STR("RCPT TO:<a@b> ORCPT=utf-8;\\x{D800}"), 501, "5.5.4");
	refuse(STR("RCPT TO:<a@b> ORCPT=utf-8;\\x{0A}"), 501, "5.5.4");
}

static void parameters_are_judged(void **state)
{
	(void)state;
	refuse(STR("MAIL FROM:<a@b> FOO=1"), 555, "5.5.4");
	assert_str(parser.fault.word, STR("FOO"));
	refuse(STR("MAIL FROM:<a@b> NOTIFY=NEVER"), 555, "5.5.4");
	refuse(STR("RCPT TO:<a@b> SIZE=1"), 555, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> REQUIRETLS"), 504, "5.5.4");
	assert_str(parser.fault.word, STR("REQUIRETLS"));
	refuse(STR("MAIL FROM:<a@b> HOLDFOR=10"), 504, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> HOLDUNTIL=x"), 504, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> BY=1;R"), 504, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> MT-PRIORITY=3"), 504, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> SIZE=1 SIZE=1"), 501, "5.5.4");
	refuse(STR("RCPT TO:<a@b> NOTIFY=NEVER NOTIFY=NEVER"), 501, "5.5.4");
	static const str values[] = {
		STR_INIT("MAIL FROM:<a@b> SIZE"),
		STR_INIT("MAIL FROM:<a@b> SIZE="),
		STR_INIT("MAIL FROM:<a@b> SIZE=1x"),
		STR_INIT("MAIL FROM:<a@b> SIZE=100000000000000000000"),
		STR_INIT("MAIL FROM:<a@b> BODY=9BIT"),
		STR_INIT("MAIL FROM:<a@b> SMTPUTF8=1"),
		STR_INIT("MAIL FROM:<a@b> RET=ALL"),
		STR_INIT("MAIL FROM:<a@b> ENVID="),
		STR_INIT("MAIL FROM:<a@b> ENVID=+0D+0A"),
		STR_INIT("MAIL FROM:<a@b> ENVID=+G0"),
		STR_INIT("MAIL FROM:<a@b> ENVID=+2"),
		STR_INIT("MAIL FROM:<a@b> AUTH=x"),
		STR_INIT("MAIL FROM:<a@b> AUTH="),
		STR_INIT("RCPT TO:<a@b> NOTIFY="),
		STR_INIT("RCPT TO:<a@b> NOTIFY=NEVER,DELAY"),
		STR_INIT("RCPT TO:<a@b> NOTIFY=SUCCESS,"),
		STR_INIT("RCPT TO:<a@b> ORCPT=x"),
		STR_INIT("RCPT TO:<a@b> ORCPT=;x"),
		STR_INIT("RCPT TO:<a@b> ORCPT=rfc822;"),
		STR_INIT("RCPT TO:<a@b> ORCPT=rfc822;a+0Ab"),
	};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		refuse(values[i], 501, "5.5.4");
}

static void what_is_not_offered_is_named(void **state)
{
	(void)state;
	parser.offered = SMTP_P_SIZE | SMTP_P_BODY;
	accept(STR("MAIL FROM:<a@b> SIZE=1 BODY=7BIT"));
	refuse(STR("MAIL FROM:<a@b> BODY=BINARYMIME"), 504, "5.5.4");
	refuse(STR("MAIL FROM:<a@b> SMTPUTF8"), 504, "5.5.4");
	refuse(STR("RCPT TO:<a@b> NOTIFY=NEVER"), 504, "5.5.4");
}

static void addresses_are_judged(void **state)
{
	(void)state;
	refuse(STR("MAIL FROM:<a@b"), 501, "5.1.7");
	refuse(STR("MAIL FROM:"), 501, "5.1.7");
	refuse(STR("MAIL FROM:<a@b>SIZE=1"), 501, "5.1.7");
	refuse(STR("RCPT TO:<a b@c>"), 501, "5.1.3");
	refuse(STR("RCPT TO:<>"), 501, "5.1.3");
	refuse(STR("RCPT TO:a@b>"), 501, "5.1.3");
	refuse(STR("MAIL FROM:<\xc3\xa9@b>"), 553, "5.6.7");
	refuse(STR("RCPT TO:<\xc3\xa9@b>"), 553, "5.6.7");
	assert_true(accept(STR("MAIL FROM:<\xc3\xa9@b> SMTPUTF8")).mail.from.utf8);
}

static void leniencies(void **state)
{
	(void)state;
	static const str lines[] = {STR_INIT("MAIL FROM: <a@b>"), STR_INIT("MAIL FROM:a@b"),
				    STR_INIT("MAIL FROM: a@b SIZE=5"), STR_INIT("MAIL  FROM:<a@b>"),
				    STR_INIT("MAIL FROM:<a@b>  SIZE=5")};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct smtp_command c = accept(lines[i]);
		assert_true(c.lenient);
		assert_str(c.mail.from.domain, STR("b"));
	}
	assert_true(accept(STR("RCPT TO: postmaster")).rcpt.to.kind == MAILBOX_BARE);
	assert_false(accept(STR("MAIL FROM:<a@b> \t ")).lenient);
	assert_false(accept(STR("DATA  ")).lenient);
}

static void names_of_clients(void **state)
{
	(void)state;
	struct smtp_command c = accept(STR("EHLO [IPv6:::1]"));
	assert_true(c.helo.valid && c.helo.domain.kind == MAILBOX_IPV6);
	c = accept(STR("HELO my computer"));
	assert_true(c.helo.valid);
	assert_str(c.helo.name, STR("my"));
	c = accept(STR("EHLO <script>"));
	assert_false(c.helo.valid);
	assert_str(c.helo.name, STR("<script>"));
}

static void data_and_login_arguments(void **state)
{
	(void)state;
	struct smtp_command c = accept(STR("BDAT 86400 last"));
	assert_true(c.bdat.last && c.bdat.size == 86400);
	c = accept(STR("AUTH plain AGEAYg=="));
	assert_str(c.auth.mechanism, STR("plain"));
	assert_str(c.auth.initial, STR("AGEAYg=="));
	c = accept(STR("AUTH PLAIN ="));
	assert_true(c.auth.has_initial && c.auth.initial.n == 0);
	assert_false(accept(STR("AUTH LOGIN")).auth.has_initial);
}

static void xclient_attributes(void **state)
{
	(void)state;
	struct smtp_command c =
		accept(STR("XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::5 PORT=1234 HELO=a+20b PROTO=ESMTP"));
	assert_int_equal(c.xclient.given, 1u << SMTP_X_NAME | 1u << SMTP_X_ADDR | 1u << SMTP_X_PORT |
						  1u << SMTP_X_HELO | 1u << SMTP_X_PROTO);
	assert_int_equal(c.xclient.unknown, 1u << SMTP_X_NAME);
	assert_int_equal(c.xclient.addr.n, 16);
	assert_int_equal(c.xclient.port, 1234);
	assert_str(c.xclient.value[SMTP_X_HELO], STR("a b"));
	assert_int_equal(accept(STR("XCLIENT addr=192.0.2.7")).xclient.addr.n, 4);
}

/* `head` and as many 'x' as make the line n octets long. */
static str line_of(str head, size_t n)
{
	char *p = arena_alloc(&memory, n);
	assert_non_null(p);
	memset(p, 'x', n);
	memcpy(p, head.p, head.n);
	return str_of(p, n);
}

static void lines_have_limits(void **state)
{
	(void)state;
	accept(line_of(STR("NOOP "), SMTP_SHORT_LINE_MAX));
	refuse(line_of(STR("NOOP "), SMTP_SHORT_LINE_MAX + 1), 500, "5.5.2");
	accept(line_of(STR("AUTH PLAIN "), SMTP_LINE_MAX));
	refuse(line_of(STR("AUTH PLAIN "), SMTP_LINE_MAX + 1), 500, "5.5.2");
	refuse(line_of(STR("MAIL FROM:<a@b> "), SMTP_LONG_LINE_MAX), 555, "5.5.4");
	refuse(line_of(STR("MAIL FROM:<a@b> "), SMTP_LONG_LINE_MAX + 1), 500, "5.5.2");
	accept(line_of(STR("MAIL FROM:<a@b> ENVID="), 22 + SMTP_ENVID_MAX));
	refuse(line_of(STR("MAIL FROM:<a@b> ENVID="), 22 + SMTP_ENVID_MAX + 1), 501, "5.5.4");
	accept(line_of(STR("RCPT TO:<a@b> ORCPT=rfc822;"), 20 + SMTP_ORCPT_MAX));
	refuse(line_of(STR("RCPT TO:<a@b> ORCPT=rfc822;"), 20 + SMTP_ORCPT_MAX + 1), 501, "5.5.4");
	accept(line_of(STR("EHLO "), 5 + SMTP_HELO_MAX));
	refuse(line_of(STR("EHLO "), 5 + SMTP_HELO_MAX + 1), 501, "5.5.4");
}

static void a_full_arena_is_told(void **state)
{
	(void)state;
	AUTO_ARENA arena small = arena_new(16);
	parser.arena = &small;
	refuse(STR("MAIL FROM:<a@b> ENVID=a-rather-long-envelope-id"), 452, "4.3.1");
	parser.arena = &memory;
	mem_fail_at(1);
	refuse(STR("MAIL FROM:<\"a b\"@b>"), 452, "4.3.1");
	mem_fail_at(0);
}

static void faults_print_as_replies(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(4096);
	refuse(STR("MAIL FROM:<a@b> FOO=1"), 555, "5.5.4");
	smtp_fault_print(&b, &parser.fault);
	assert_str(buf_str(&b), STR("555 5.5.4 this parameter is not known here: FOO\r\n"));
}

static void commands_print(void **state)
{
	(void)state;
	parser.offered = ALL | HANDLING;
	static const str lines[] = {
		STR_INIT("MAIL FROM:<> BODY=7BIT RET=FULL AUTH=<>\r\n"),
		STR_INIT("MAIL FROM:<\"a b\"@c.d> SIZE=12 SMTPUTF8 ENVID=+2B+3D AUTH=x+2By@z\r\n"),
		STR_INIT("MAIL FROM:<a@b> HOLDFOR=60 BY=-5;NT REQUIRETLS\r\n"),
		STR_INIT("MAIL FROM:<a@b> HOLDUNTIL=2026-11-22T10:00:00Z BY=600;R\r\n"),
		STR_INIT("RCPT TO:<a@[1.2.3.4]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c\r\n"),
		STR_INIT("RCPT TO:<a@b> NOTIFY=NEVER ORCPT=utf-8;\\x{E9}@c\r\n"),
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		AUTO_BUF buf b = buf_new(4096);
		struct smtp_command c = accept(str_sub(lines[i], 0, lines[i].n - 2));
		if (c.verb == SMTP_MAIL)
			smtp_print_mail(&b, &c.mail);
		else
			smtp_print_rcpt(&b, &c.rcpt, false);
		assert_str(buf_str(&b), lines[i]);
	}
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_verb_is_known),
		TEST(unknown_and_malformed_lines),
		TEST(mail_with_all_parameters),
		TEST(mail_with_parameters_of_handling),
		TEST(handling_is_judged),
		TEST(rcpt_with_all_parameters),
		TEST(utf8_original_recipients),
		TEST(parameters_are_judged),
		TEST(what_is_not_offered_is_named),
		TEST(addresses_are_judged),
		TEST(leniencies),
		TEST(names_of_clients),
		TEST(data_and_login_arguments),
		TEST(xclient_attributes),
		TEST(lines_have_limits),
		TEST(a_full_arena_is_told),
		TEST(faults_print_as_replies),
		TEST(commands_print),
	};
	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}
