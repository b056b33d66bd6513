#include "base/test.h"
#include "grammar/imap/imap_name.h"

static void reads(str wire, bool utf8, str want)
{
	AUTO_BUF buf b = buf_new(4096);
	assert_ok(imap_name_read(wire, utf8, &b));
	assert_str(buf_str(&b), want);
}

static void names_from_the_wire(void **state)
{
	(void)state;
	reads(STR("inBox"), false, STR("INBOX"));
	reads(STR("inbox/Sub/inbox"), false, STR("INBOX/Sub/inbox"));
	reads(STR("inboxes"), false, STR("inboxes"));
	reads(STR("a/inbox"), true, STR("a/inbox"));
	reads(STR("Entw&APw-rfe"), false, STR("Entw\xc3\xbcrfe"));
	reads(STR("Entw\xc3\xbcrfe & Co"), true, STR("Entw\xc3\xbcrfe & Co"));
	AUTO_BUF buf b = buf_new(4096);
	assert_int_equal(imap_name_read(STR("Fish & Chips"), false, &b).kind, FAIL_INPUT);
	assert_int_equal(imap_name_read(STR("\xfc"), true, &b).kind, FAIL_INPUT);
	assert_int_equal(imap_name_read(STR("\xc3\xbc"), false, &b).kind, FAIL_INPUT);
	buf_clear(&b);
	buf_put(&b, STR("x"));
	assert_ok(imap_name_read(STR("inbox"), true, &b));
	assert_str(buf_str(&b), STR("xINBOX"));
}

static void patterns_join_their_reference(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(4096);
	assert_ok(imap_name_read_pattern(STR("a/&APw-"), STR("&APw-*/inbox%"), false, &b));
	assert_str(buf_str(&b), STR("a/\xc3\xbc\xc3\xbc*/inbox%"));
	assert_int_equal(imap_name_read_pattern(STR("&"), STR("%"), false, &b).kind, FAIL_INPUT);
	assert_int_equal(imap_name_read_pattern(STR(""), STR("&"), false, &b).kind, FAIL_INPUT);
}

static void names_that_may_exist(void **state)
{
	(void)state;
	static const char *const good[] = {"INBOX", "a/b/c", "Gr\xc3\xbcn", "a b", "*", ".", "..", "\"",
		"\\", "&", "~"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_ok(imap_name_check(str_from(good[i])));
	static const str bad[] = {STR_INIT(""), STR_INIT("/"), STR_INIT("/a"), STR_INIT("a/"), STR_INIT("a//b"),
		STR_INIT("a\r"),
		STR_INIT("a\0"), STR_INIT("\x7f"), STR_INIT("\xc2\x85"), STR_INIT("a\xe2\x80\xa8"),
		STR_INIT("\xe2\x80\xa9"),
		STR_INIT("\xff")};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (imap_name_check(bad[i]).kind != FAIL_INPUT)
			fail_msg("row %zu was taken", i);
}

static void limits_of_names(void **state)
{
	(void)state;
	char x[IMAP_NAME_MAX + 1];
	memset(x, 'x', sizeof x);
	assert_ok(imap_name_check(str_of(x, IMAP_NAME_MAX)));
	assert_int_equal(imap_name_check(str_of(x, IMAP_NAME_MAX + 1)).kind, FAIL_LIMIT);
	for (int i = 1; i < IMAP_NAME_LEVELS_MAX; i++)
		x[2 * i - 1] = '/';
	assert_ok(imap_name_check(str_of(x, 2 * IMAP_NAME_LEVELS_MAX)));
	x[2 * IMAP_NAME_LEVELS_MAX - 1] = '/';
	assert_int_equal(imap_name_check(str_of(x, 2 * IMAP_NAME_LEVELS_MAX + 1)).kind, FAIL_LIMIT);
}

static void names_to_the_wire(void **state)
{
	(void)state;
	static const struct {
		str name;
		bool utf8;
		str want;
	} rows[] = {
		{STR_INIT("INBOX"), false, STR_INIT("INBOX")},
		{STR_INIT("a b"), true, STR_INIT("\"a b\"")},
		{STR_INIT("\xc3\xbc"), false, STR_INIT("&APw-")},
		{STR_INIT("\xc3\xbc"), true, STR_INIT("\"\xc3\xbc\"")},
		{STR_INIT("a & b"), false, STR_INIT("\"a &- b\"")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF buf b = buf_new(1000);
		imap_put_name(&b, rows[i].name, rows[i].utf8);
		assert_str(buf_str(&b), rows[i].want);
	}
}

static void the_inbox_in_any_case(void **state)
{
	(void)state;
	assert_true(imap_name_is_inbox(STR("Inbox")));
	assert_false(imap_name_is_inbox(STR("Inbox/")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_from_the_wire),
		cmocka_unit_test(patterns_join_their_reference),
		cmocka_unit_test(names_that_may_exist),
		cmocka_unit_test(limits_of_names),
		cmocka_unit_test(names_to_the_wire),
		cmocka_unit_test(the_inbox_in_any_case),
	};
	return cmocka_run_group_tests_name("imap_name", tests, NULL, NULL);
}
