#include "base/test.h"
#include "grammar/imap/imap_print.h"

static void prints(void (*put)(buf *, str, bool), str s, bool utf8, str want)
{
	AUTO_BUF buf b = buf_new(65536);
	put(&b, s, utf8);
	assert_ok(buf_result(&b));
	assert_str(buf_str(&b), want);
}

static void strings_choose_their_form(void **state)
{
	(void)state;
	prints(imap_put_string, STR(""), false, STR("\"\""));
	prints(imap_put_string, STR("a \"b\" \\c"), false, STR("\"a \\\"b\\\" \\\\c\""));
	prints(imap_put_string, STR("a\r\nb"), false, STR("{4}\r\na\r\nb"));
	prints(imap_put_string, STR("a\nb"), true, STR("{3}\r\na\nb"));
	prints(imap_put_string, STR("a\0b"), true, STR("{3}\r\na?b"));
	prints(imap_put_string, STR("\xc3\xbc"), false, STR("{2}\r\n\xc3\xbc"));
	prints(imap_put_string, STR("\xc3\xbc"), true, STR("\"\xc3\xbc\""));
	prints(imap_put_string, STR("\xfc"), true, STR("{1}\r\n\xfc"));
	prints(imap_put_nstring, str_of(NULL, 0), false, STR("NIL"));
	prints(imap_put_nstring, STR("NIL"), false, STR("\"NIL\""));
}

static void atoms_only_where_they_are_unambiguous(void **state)
{
	(void)state;
	prints(imap_put_astring, STR("INBOX"), false, STR("INBOX"));
	prints(imap_put_astring, STR("a]+b"), false, STR("a]+b"));
	prints(imap_put_astring, STR("nil"), false, STR("\"nil\""));
	prints(imap_put_astring, STR(""), false, STR("\"\""));
	prints(imap_put_astring, STR("a b"), false, STR("\"a b\""));
	prints(imap_put_astring, STR("a*"), false, STR("\"a*\""));
	prints(imap_put_astring, STR("{1}"), false, STR("\"{1}\""));
	prints(imap_put_astring, STR("x\r\n* BYE"), false, STR("{8}\r\nx\r\n* BYE"));
}

static void long_strings_become_literals(void **state)
{
	(void)state;
	char x[IMAP_QUOTED_MAX + 1];
	memset(x, 'x', sizeof x);
	AUTO_BUF buf b = buf_new(65536);
	imap_put_string(&b, str_of(x, IMAP_QUOTED_MAX), false);
	assert_int_equal(b.n, IMAP_QUOTED_MAX + 2);
	buf_clear(&b);
	imap_put_astring(&b, str_of(x, sizeof x), false);
	assert_true(str_starts(buf_str(&b), STR("{1001}\r\nxx")));
}

static void literal_heads(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(100);
	imap_put_literal_head(&b, 342, false);
	imap_put_literal_head(&b, 0, true);
	assert_str(buf_str(&b), STR("{342}\r\n~{0}\r\n"));
}

static void text_stays_one_line(void **state)
{
	(void)state;
	prints(imap_put_text, STR("done\r\n* BYE \x7f\t"), false, STR("done??* BYE ??"));
	prints(imap_put_text, STR("[ALERT] no"), false, STR(" [ALERT] no"));
	prints(imap_put_text, STR(""), false, STR("-"));
	prints(imap_put_text, STR("\xc3\xbc"), false, STR("??"));
	prints(imap_put_text, STR("\xc3\xbc"), true, STR("\xc3\xbc"));
	prints(imap_put_text, STR("\xc3"), true, STR("?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_choose_their_form),
		cmocka_unit_test(atoms_only_where_they_are_unambiguous),
		cmocka_unit_test(long_strings_become_literals),
		cmocka_unit_test(literal_heads),
		cmocka_unit_test(text_stays_one_line),
	};
	return cmocka_run_group_tests_name("imap_print", tests, NULL, NULL);
}
