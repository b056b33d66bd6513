#include "base/test.h"
#include "grammar/imap/utf7.h"

static void both_ways(void **state)
{
	(void)state;
	static const struct {
		str wire, name;
	} rows[] = {
		{STR_INIT(""), STR_INIT("")},
		{STR_INIT("INBOX"), STR_INIT("INBOX")},
		{STR_INIT("a &- b&-"), STR_INIT("a & b&")},
		/* RFC 3501 section 5.1.3 */
		{STR_INIT("~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
			STR_INIT("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e")},
		{STR_INIT("&Jjo-!"), STR_INIT("\xe2\x98\xba!")},
		{STR_INIT("&U,BTF2XlZyyKng-"),
		STR_INIT("\xe5\x8f\xb0\xe5\x8c\x97\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e")},
		{STR_INIT("Entw&APw-rfe"), STR_INIT("Entw\xc3\xbcrfe")},
		{STR_INIT("&2D3cxg-"), STR_INIT("\xf0\x9f\x93\x86")},
		{STR_INIT("&AOQ-&-&AOQ-"), STR_INIT("\xc3\xa4&\xc3\xa4")},
		{STR_INIT("&AAo-"), STR_INIT("\n")},
		{STR_INIT("+-,"), STR_INIT("+-,")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF buf b = buf_new(1000);
		assert_ok(utf7_decode(rows[i].wire, &b));
		assert_str(buf_str(&b), rows[i].name);
		buf_clear(&b);
		assert_ok(utf7_encode(rows[i].name, &b));
		assert_str(buf_str(&b), rows[i].wire);
	}
}

static void only_one_spelling_is_taken(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"&Jjo!",               /* not closed: RFC 3501 section 5.1.3 */
		"&U,BTFw-&ZeVnLIqe-",  /* two runs side by side: same place */
		"&", "a&", "&Jjo", "&J-", "&Jj-", "&JjoA-", /* cut, half a unit, one too many */
		"&AGE-", "&ACY-",      /* printable ASCII and "&" in base64 */
		"&Jjp-",               /* padding bits that are not zero */
		"&Jjo-&AOQ-", "&Jj/-", "&Jjo=-", "\xc3\xbc", "a\tb", "\x7f", "&2D0-", "&3cY-", "&3cbYPQ-", "&2D0APA-",
		"&AOQAYQ-",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO_BUF buf b = buf_new(1000);
		if (utf7_decode(str_from(bad[i]), &b).kind != FAIL_INPUT)
			fail_msg("%s was taken", bad[i]);
	}
}

static void encoding_refuses_what_is_not_utf8(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(1000);
	assert_int_equal(utf7_encode(STR("\xed\xa0\x80"), &b).kind, FAIL_INPUT);
	assert_int_equal(utf7_encode(STR("a\xff"), &b).kind, FAIL_INPUT);
}

static void the_ceiling_is_kept(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(3);
	assert_int_equal(utf7_encode(STR("\xe2\x98\xba"), &b).kind, FAIL_LIMIT);
	buf_clear(&b);
	assert_int_equal(utf7_decode(STR("abcd"), &b).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(only_one_spelling_is_taken),
		cmocka_unit_test(encoding_refuses_what_is_not_utf8),
		cmocka_unit_test(the_ceiling_is_kept),
	};
	return cmocka_run_group_tests_name("utf7", tests, NULL, NULL);
}
