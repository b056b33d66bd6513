#include "grammar/smtp/smtp_reply.h"
#include "base/test.h"

static void printed(unsigned code, const char *status, str text, str want)
{
	AUTO_BUF buf b = buf_new(4096);
	smtp_reply_print(&b, code, status, text);
	assert_str(buf_str(&b), want);
}

static void replies_print(void **state)
{
	(void)state;
	printed(250, "2.1.0", STR("sender accepted"), STR("250 2.1.0 sender accepted\r\n"));
	printed(250, NULL, STR("mx.example.org\nPIPELINING\nSIZE 10"),
		STR("250-mx.example.org\r\n250-PIPELINING\r\n250 SIZE 10\r\n"));
	printed(554, "5.6.0", STR("a\nb"), STR("554-5.6.0 a\r\n554 5.6.0 b\r\n"));
	printed(550, "5.1.1", STR("evil\r250 \x01\xff\tname"), STR("550 5.1.1 evil 250 ?? name\r\n"));
	printed(220, NULL, STR(""), STR("220 \r\n"));
	printed(220, NULL, STR("a\n"), STR("220-a\r\n220 \r\n"));
}

static void long_text_is_broken(void **state)
{
	(void)state;
	static const size_t places[] = {0, 1, 100, 505, 506, 507, 600};
	for (size_t blank = 0; blank < sizeof places / sizeof places[0]; blank++) {
		char text[1600];
		AUTO_BUF buf b = buf_new(8192), back = buf_new(8192);
		struct smtp_reply r = {0};
		memset(text, 'x', sizeof text);
		text[places[blank]] = ' ';
		smtp_reply_print(&b, 550, NULL, str_of(text, sizeof text));
		for (str rest = buf_str(&b); rest.n > 0;) {
			size_t end = str_find(rest, STR("\r\n"));
			assert_true(end + 2 <= SMTP_REPLY_LINE_MAX);
			assert_ok(smtp_reply_read(&r, str_sub(rest, 0, end), &back));
			rest = str_skip(rest, end + 2);
		}
		assert_true(r.done && r.lines >= 4 && r.lines <= 5);
		size_t xs = 0;
		for (size_t i = 0; i < back.n; i++)
			xs += back.p[i] == 'x';
		assert_int_equal(xs, sizeof text - 1);
	}
}

static void replies_are_read(void **state)
{
	(void)state;
	AUTO_BUF buf text = buf_new(4096);
	struct smtp_reply r = {0};
	assert_ok(smtp_reply_read(&r, STR("250-2.1.5 first"), &text));
	assert_false(r.done);
	assert_ok(smtp_reply_read(&r, STR("250-"), &text));
	assert_ok(smtp_reply_read(&r, STR("250 4.0.0 other class"), &text));
	assert_true(r.done);
	assert_int_equal(r.code, 250);
	assert_int_equal(r.status[0] * 100 + r.status[1] * 10 + r.status[2], 215);
	assert_str(buf_str(&text), STR("first\n\n4.0.0 other class"));
	r = (struct smtp_reply){0};
	assert_ok(smtp_reply_read(&r, STR("354"), &text));
	assert_true(r.done && r.status[0] == 0);
}

static void malformed_replies_are_refused(void **state)
{
	(void)state;
	static const str bad[] = {STR_INIT(""),	      STR_INIT("25"),	 STR_INIT("150 x"),
				  STR_INIT("600 x"),  STR_INIT("2a0 x"), STR_INIT("250x"),
				  STR_INIT("2500 x"), STR_INIT("250_x"), STR_INIT(" 250 x")};
	AUTO_BUF buf text = buf_new(4096);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct smtp_reply r = {0};
		assert_int_equal(smtp_reply_read(&r, bad[i], &text).kind, FAIL_INPUT);
	}
	struct smtp_reply r = {0};
	assert_ok(smtp_reply_read(&r, STR("250-a"), &text));
	assert_int_equal(smtp_reply_read(&r, STR("550 b"), &text).kind, FAIL_INPUT);
}

static void reading_has_limits(void **state)
{
	(void)state;
	static char line[SMTP_REPLY_READ_MAX + 1];
	memset(line, 'x', sizeof line);
	memcpy(line, "250-", 4);
	AUTO_BUF buf text = buf_new(1 << 20);
	struct smtp_reply r = {0};
	assert_int_equal(smtp_reply_read(&r, str_of(line, sizeof line), &text).kind, FAIL_LIMIT);
	for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		assert_ok(smtp_reply_read(&r, str_of(line, sizeof line - 1), &text));
	assert_int_equal(smtp_reply_read(&r, STR("250 end"), &text).kind, FAIL_LIMIT);
	AUTO_BUF buf small = buf_new(3);
	r = (struct smtp_reply){0};
	assert_int_equal(smtp_reply_read(&r, STR("250 long"), &small).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_print),      cmocka_unit_test(long_text_is_broken),
		cmocka_unit_test(replies_are_read),   cmocka_unit_test(malformed_replies_are_refused),
		cmocka_unit_test(reading_has_limits),
	};
	return cmocka_run_group_tests_name("smtp_reply", tests, NULL, NULL);
}
