#include <stdio.h>

#include "base/test.h"
#include "grammar/text/charset.h"

static struct charsets *cs;

static void assert_text(const char *charset, str in, const char *want)
{
	AUTO_BUF buf b = buf_new(10000), one = buf_new(10000);
	struct charset_stream s;
	charset_text(cs, str_from(charset), in, &b);
	assert_str(buf_str(&b), str_from(want));
	/* Byte by byte gives the same, where nothing is guessed from the whole. */
	if (!charset_begin(&s, cs, str_from(charset)) || s.kind == CHARSET_GUESS)
		return;
	for (size_t i = 0; i < in.n; i++)
		charset_feed(&s, str_sub(in, i, 1), &one);
	charset_finish(&s, &one);
	assert_str(buf_str(&one), str_from(want));
}

static void common_charsets(void **state)
{
	(void)state;
	assert_text("utf-8", STR("a\xc3\xa9\xf0\x9f\x93\xac"), "a\xc3\xa9\xf0\x9f\x93\xac");
	assert_text("ISO-8859-1", STR("caf\xe9 \x80"), "caf\xc3\xa9 \xe2\x82\xac");
	assert_text("\"iso-8859-15\"", STR("\xa4"), "\xe2\x82\xac");
	assert_text("koi8-r", STR("\xf0\xd2\xc9"), "\xd0\x9f\xd1\x80\xd0\xb8");
	assert_text("iso-2022-jp", STR("\x1b$B$3\x1b(B."), "\xe3\x81\x93.");
	assert_text("Shift_JIS", STR("\x82\xb1"), "\xe3\x81\x93");
	assert_text("gb2312", STR("\xc4\xe3"), "\xe4\xbd\xa0");
	assert_text("big5", STR("\xa7\x41"), "\xe4\xbd\xa0");
	assert_text("ChineseBig5", STR("\xa7\x41"), "\xe4\xbd\xa0");
	assert_text("GB2312_CHARSET", STR("\xc4\xe3"), "\xe4\xbd\xa0");
	assert_text("ks_c_5601-1987", STR("\xb0\xa1"), "\xea\xb0\x80");
	assert_text("utf-16le", STR("\x3d\xd8\xec\xdc"), "\xf0\x9f\x93\xac");
	assert_text("utf-8*en", STR("\xc3\xa9"), "\xc3\xa9");
	assert_text("iso-8859-8-i", STR("\xe0"), "\xd7\x90");
	assert_text("windows-1251", STR("\xcf"), "\xd0\x9f");
}

static void what_cannot_be_is_replaced(void **state)
{
	(void)state;
	assert_text("utf-8", STR("a\xffz\xc3"), "a\xef\xbf\xbdz\xef\xbf\xbd");
	assert_text("utf-8", STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_text("utf-16le", STR("\x3d\xd8"), "\xef\xbf\xbd");
	assert_text("koi8-r", STR(""), "");
}

static void guesses(void **state)
{
	(void)state;
	assert_text("", STR("\xc3\xa9"), "\xc3\xa9");
	assert_text("us-ascii", STR("\xe9\xc3\xa9"), "\xc3\xa9\xc3\x83\xc2\xa9");
	assert_text("x-unknown", STR("\xe9"), "\xc3\xa9");
	assert_false(charset_known(cs, STR("x-unknown")));
	assert_false(charset_known(cs, STR("../../etc/passwd")));
	assert_false(charset_known(cs, STR("utf-16,version=1")));
	assert_true(charset_known(cs, STR("US-ASCII")));
	AUTO_BUF buf b = buf_new(100);
	struct charset_stream s;
	assert_true(charset_begin(&s, cs, STR("")));
	charset_feed(&s, STR("\xc3\xa9\xe2"), &b);
	charset_feed(&s, STR("\x82x\xe9\xc3\xa9"), &b);
	charset_finish(&s, &b);
	assert_str(buf_str(&b), STR("\xc3\xa9\xc3\xa2\xe2\x80\x9ax\xc3\xa9\xc3\x83\xc2\xa9"));
}

static void more_names_than_converters(void **state)
{
	(void)state;
	char name[CHARSET_NAME_MAX + 20];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3 * CHARSET_OPEN_MAX; i++) {
			int n = snprintf(name, sizeof name, "windows-%d", 1250 + i);
			assert_int_equal(charset_known(cs, str_of(name, (size_t)n)), i <= 8);
		}
		assert_text("koi8-u", STR("\xa4"), "\xd1\x94");
	}
	memset(name, 'x', sizeof name);
	assert_false(charset_known(cs, str_of(name, sizeof name)));
}

static void a_full_buf_ends_the_work(void **state)
{
	(void)state;
	static const char *const names[] = {"utf-8", "iso-8859-1", "koi8-r", ""};
	for (size_t i = 0; i < 4; i++) {
		AUTO_BUF buf b = buf_new(8);
		charset_text(cs, str_from(names[i]), STR("0123456789\xc3\xa9"), &b);
		assert_int_equal(buf_result(&b).kind, FAIL_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_charsets),
		cmocka_unit_test(what_cannot_be_is_replaced),
		cmocka_unit_test(guesses),
		cmocka_unit_test(more_names_than_converters),
		cmocka_unit_test(a_full_buf_ends_the_work),
	};
	if (failed(charset_preload()) || !(cs = charsets_new()))
		return 1;
	int r = cmocka_run_group_tests_name("charset", tests, NULL, NULL);
	charsets_free(&cs);
	return r;
}
