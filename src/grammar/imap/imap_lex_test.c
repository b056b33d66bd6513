#include "base/buf.h"
#include "base/test.h"
#include "grammar/imap/imap_flags.h"
#include "grammar/imap/imap_literal.h"
#include "grammar/imap/imap_time.h"

static void literals_are_seen_at_the_end_of_a_line(void **state)
{
	(void)state;
	struct imap_literal l;
	assert_int_equal(imap_literal_at_end(STR("a1 LOGIN {11}"), &l), IMAP_LINE_LITERAL);
	assert_true(l.size == 11 && l.sync && !l.binary && l.head == 4);
	assert_int_equal(imap_literal_at_end(STR("a1 LOGIN {0+}"), &l), IMAP_LINE_LITERAL);
	assert_true(l.size == 0 && !l.sync && l.head == 4);
	assert_int_equal(imap_literal_at_end(STR("a APPEND x ~{310}"), &l), IMAP_LINE_LITERAL);
	assert_true(l.size == 310 && l.sync && l.binary && l.head == 6);
	assert_int_equal(imap_literal_at_end(STR("~{7+}"), &l), IMAP_LINE_LITERAL);
	assert_true(l.size == 7 && !l.sync && l.binary && l.head == 5);
	assert_int_equal(imap_literal_at_end(STR("{9223372036854775807}"), &l), IMAP_LINE_LITERAL);
	assert_true(l.size == IMAP_NUMBER64_MAX);
}

static void sizes_nobody_can_read_are_an_error(void **state)
{
	(void)state;
	struct imap_literal l;
	assert_int_equal(imap_literal_at_end(STR("a {9223372036854775808}"), &l), IMAP_LINE_BAD);
	assert_int_equal(imap_literal_at_end(STR("a {99999999999999999999999+}"), &l), IMAP_LINE_BAD);
	static const char *const whole[] = {"", "}", "{}", "{+}", "{-1}", "{1", "1}", "{1}x", "{ 1}", "{1 }", "{1++}",
		"{a}"};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		assert_int_equal(imap_literal_at_end(str_from(whole[i]), &l), IMAP_LINE_WHOLE);
}

static str read_string(str text, arena *a, result *why)
{
	struct imap_lex x = imap_lex_on(text, a);
	str s = imap_astring(&x, "a string");
	if (!imap_ends(&x))
		imap_want(&x, "rest");
	*why = x.error;
	return s;
}

static void strings_in_each_form(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	static const struct {
		str text, want;
	} good[] = {
		{STR_INIT("abc"), STR_INIT("abc")},
		{STR_INIT("a]b+c"), STR_INIT("a]b+c")},
		{STR_INIT("\"\""), STR_INIT("")},
		{STR_INIT("\"a b\""), STR_INIT("a b")},
		{STR_INIT("\"a\\\"b\\\\\""), STR_INIT("a\"b\\")},
		{STR_INIT("\"gr\xc3\xbc\xc3\x9f\""), STR_INIT("gr\xc3\xbc\xc3\x9f")},
		{STR_INIT("{3}\r\na\"b"), STR_INIT("a\"b")},
		{STR_INIT("{3+}\r\n\r\n\""), STR_INIT("\r\n\"")},
		{STR_INIT("{0}\r\n"), STR_INIT("")},
		{STR_INIT("{1}\r\n\xff"), STR_INIT("\xff")},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		result why;
		str s = read_string(good[i].text, &a, &why);
		assert_ok(why);
		assert_str(s, good[i].want);
	}
}

static void strings_that_are_refused(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	static const str bad[] = {
		STR_INIT(""), STR_INIT("\""), STR_INIT("\"a"), STR_INIT("\"a\\"), STR_INIT("\"a\\x\""),
		STR_INIT("\"a\r\n\""),
		STR_INIT("\"a\0b\""), STR_INIT("\"\xff\""), STR_INIT("{3}\r\nab"), STR_INIT("{3}\nabc"),
		STR_INIT("{3}"),
		STR_INIT("{1}\r\n\0"), STR_INIT("~{1}\r\na"), STR_INIT("\xc3\xbc"), STR_INIT("(a"), STR_INIT("a*"),
		STR_INIT("{99999999999}\r\na"), STR_INIT("{1} {1}\r\na"), STR_INIT("\x7f"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		result why;
		read_string(bad[i], &a, &why);
		if (why.kind != FAIL_INPUT)
			fail_msg("row %zu was taken", i);
	}
}

static void numbers_keep_their_bounds(void **state)
{
	(void)state;
	struct imap_lex x = imap_lex_on(STR("4294967295"), NULL);
	assert_true(imap_nz_number(&x) == UINT32_MAX && !x.in.bad);
	x = imap_lex_on(STR("4294967296"), NULL);
	imap_nz_number(&x);
	assert_int_equal(x.error.kind, FAIL_INPUT);
	x = imap_lex_on(STR("0"), NULL);
	imap_nz_number(&x);
	assert_int_equal(x.error.kind, FAIL_INPUT);
	x = imap_lex_on(STR("9223372036854775807"), NULL);
	assert_true(imap_number64(&x) == IMAP_NUMBER64_MAX && !x.in.bad);
	x = imap_lex_on(STR("9223372036854775808"), NULL);
	imap_number64(&x);
	assert_int_equal(x.error.kind, FAIL_INPUT);
	assert_int_equal(x.error_at, 0);
}

static void partial_ranges(void **state)
{
	(void)state;
	uint64_t from = 9, n = 9;
	struct imap_lex x = imap_lex_on(STR("<0.2048>"), NULL);
	assert_true(imap_partial(&x, &from, &n) && from == 0 && n == 2048);
	x = imap_lex_on(STR("x"), NULL);
	assert_true(!imap_partial(&x, &from, &n) && !x.in.bad);
	static const char *const bad[] = {"<0.0>", "<1>", "<.1>", "<1.>", "<1.2", "<-1.2>"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		x = imap_lex_on(str_from(bad[i]), NULL);
		assert_true(!imap_partial(&x, &from, &n) && x.in.bad);
	}
}

static void dates_of_search(void **state)
{
	(void)state;
	struct imap_lex x = imap_lex_on(STR("1-Feb-1994"), NULL);
	struct date d = imap_date(&x);
	assert_true(!x.in.bad && d.year == 1994 && d.month == 2 && d.day == 1);
	x = imap_lex_on(STR("\"29-fEB-2000\""), NULL);
	d = imap_date(&x);
	assert_true(imap_ends(&x) && !x.in.bad && d.day == 29);
	static const char *const bad[] = {"29-Feb-1900", "0-Jan-2000", "32-Jan-2000", "1-Foo-2000", "1-Jan-99",
		"\"1-Jan-2000",
		"1 Jan 2000", "", "1-Jan-200x", "001-Jan-2000"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		x = imap_lex_on(str_from(bad[i]), NULL);
		imap_date(&x);
		if (!x.in.bad)
			fail_msg("%s was taken", bad[i]);
	}
}

static void a_moment_prints_as_it_was_read(void **state)
{
	(void)state;
	static const struct {
		str text;
		int64_t seconds;
	} rows[] = {
		{STR_INIT("\"17-Jul-1996 02:44:25 -0700\""), 837596665},
		{STR_INIT("\" 7-Feb-1994 21:52:25 -0800\""), 760686745},
		{STR_INIT("\" 1-Jan-1970 00:00:00 +0000\""), 0},
		{STR_INIT("\"31-Dec-1969 23:59:59 +0000\""), -1},
		{STR_INIT("\"29-Feb-2024 12:00:00 +0530\""), 1709188200},
		{STR_INIT("\" 1-Jan-0000 00:00:00 +0000\""), -62167219200},
		{STR_INIT("\"31-Dec-9999 23:59:59 +0000\""), 253402300799},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct imap_lex x = imap_lex_on(rows[i].text, NULL);
		struct imap_time t = imap_date_time(&x);
		assert_false(x.in.bad);
		assert_true(t.seconds == rows[i].seconds);
		AUTO_BUF buf b = buf_new(100);
		imap_put_time(&b, t);
		assert_str(buf_str(&b), rows[i].text);
	}
	AUTO_BUF buf b = buf_new(100);
	imap_put_time(&b, (struct imap_time){INT64_MAX, 60});
	assert_str(buf_str(&b), STR("\"31-Dec-9999 23:59:59 +0100\""));
}

static void moments_that_do_not_exist(void **state)
{
	(void)state;
	static const char *const bad[] = {"\"7-Feb-1994 21:52:25 -0800\"", "\"17-Jul-1996 24:00:00 +0000\"",
		"\"17-Jul-1996 02:60:25 -0700\"", "\"17-Jul-1996 02:44:61 -0700\"", "\"17-Jul-1996 02:44:25 -2400\"",
		"\"17-Jul-1996 02:44:25 GMT\"", "\"17-Jul-1996 02:44:25\"", "17-Jul-1996",
		"\"31-Jun-1996 02:44:25 -0700\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct imap_lex x = imap_lex_on(str_from(bad[i]), NULL);
		imap_date_time(&x);
		if (!x.in.bad)
			fail_msg("%s was taken", bad[i]);
	}
}

static void flags_and_keywords(void **state)
{
	(void)state;
	AUTO_ARENA arena a = arena_new(4096);
	struct imap_lex x = imap_lex_on(STR("(\\seen $Work \\DELETED nonjunk a b c d)"), &a);
	struct imap_flags f = imap_flag_list(&x);
	assert_ok(x.error);
	assert_int_equal(f.system, IMAP_SEEN | IMAP_DELETED);
	assert_int_equal(f.keywords.n, 6);
	AUTO_BUF buf b = buf_new(1000);
	imap_put_flags(&b, &f);
	assert_str(buf_str(&b), STR("(\\Deleted \\Seen $Work nonjunk a b c d)"));
	static const char *const bad[] = {"(\\Recent)", "(\\Foo)", "(\\)", "(a", "(a  b)", "(\"a\")", "(a,)b", "a"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		x = imap_lex_on(str_from(bad[i]), &a);
		imap_flag_list(&x);
		if (!x.in.bad && imap_ends(&x))
			fail_msg("%s was taken", bad[i]);
	}
}

static void uses_have_bits(void **state)
{
	(void)state;
	assert_int_equal(imap_use_of(STR("\\sent")), IMAP_USE_SENT);
	assert_int_equal(imap_use_of(STR("Sent")), 0);
	AUTO_BUF buf b = buf_new(100);
	imap_put_uses(&b, IMAP_USE_SENT | IMAP_USE_TRASH);
	assert_str(buf_str(&b), STR("\\Sent \\Trash"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_seen_at_the_end_of_a_line),
		cmocka_unit_test(sizes_nobody_can_read_are_an_error),
		cmocka_unit_test(strings_in_each_form),
		cmocka_unit_test(strings_that_are_refused),
		cmocka_unit_test(numbers_keep_their_bounds),
		cmocka_unit_test(partial_ranges),
		cmocka_unit_test(dates_of_search),
		cmocka_unit_test(a_moment_prints_as_it_was_read),
		cmocka_unit_test(moments_that_do_not_exist),
		cmocka_unit_test(flags_and_keywords),
		cmocka_unit_test(uses_have_bits),
	};
	return cmocka_run_group_tests_name("imap_lex", tests, NULL, NULL);
}
