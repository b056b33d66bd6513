#include "base/test.h"
#include "grammar/mime/words.h"

static struct charsets *cs;

static void assert_words(str in, const char *want)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	words_decode(cs, STR(""), in, &b);
	assert_ok(buf_result(&b));
	assert_str(buf_str(&b), str_from(want));
}

/* RFC 2047 8. */
static void the_rfc_examples(void **state)
{
	(void)state;
	assert_words(STR("=?ISO-8859-1?Q?a?="), "a");
	assert_words(STR("=?ISO-8859-1?Q?a?= b"), "a b");
	assert_words(STR("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), "ab");
	assert_words(STR("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?="), "ab");
	assert_words(STR("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?="), "ab");
	assert_words(STR("=?ISO-8859-1?Q?a_b?="), "a b");
	assert_words(STR("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="), "a b");
	assert_words(STR("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>"), "Keith Moore <moore@cs.utk.edu>");
	assert_words(STR("=?ISO-8859-1?Q?Andr=E9?= Pirard"), "Andr\xc3\xa9 Pirard");
	assert_words(STR("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
	                 " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="),
	             "If you can read this you understand the example.");
	assert_words(STR("(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)"),
	             "(\xd7\x9d\xd7\x95\xd7\x9c\xd7\xa9 \xd7\x9f\xd7\x91 \xd7\x99\xd7\x9c\xd7\x98\xd7\xa4\xd7\xa0)");
}

static void read_as_meant(void **state)
{
	(void)state;
	assert_words(STR("=?utf-8?Q?Hello\r\n _there!?="), "Hello  there!");
	/* A character cut between words, in B and in Q, and in both. */
	assert_words(STR("=?utf-8?B?w6nD?= =?utf-8?b?qQ==?="), "\xc3\xa9\xc3\xa9");
	assert_words(STR("=?utf-8?Q?=C3?=\r\n =?UTF-8?Q?=A9?="), "\xc3\xa9");
	assert_words(STR("=?utf-8?Q?=C3?= =?UTF-8?B?qQ==?="), "\xc3\xa9");
	assert_words(STR("=?iso-2022-jp?B?GyRCJDMbKEI=?= x"), "\xe3\x81\x93 x");
	assert_words(STR("=?utf-8?Q?What?\?="), "What?");
	assert_words(STR("\"=?utf-8?Q?a b?=\" x=?utf-8*en?q?=C3=A9?=y"), "\"a b\" x\xc3\xa9y");
	assert_words(STR("=?utf-8?Q?=4?= =?utf-8?Q?\?= ="), "=4 =");
	assert_words(STR("=?utf-8?B?YQ?= =?utf-8?B?YQ==YQ==?="), "aaa");
}

static void left_as_they_are(void **state)
{
	(void)state;
	assert_words(STR("=?x-nobody?Q?a=20b?= =?x-nobody?Q?c?="), "=?x-nobody?Q?a=20b?= =?x-nobody?Q?c?=");
	assert_words(STR("=?utf-8?Z?a?="), "=?utf-8?Z?a?=");
	assert_words(STR("=?utf-8?Q?a"), "=?utf-8?Q?a");
	assert_words(STR("=?utf-8?Q?"), "=?utf-8?Q?");
	assert_words(STR("=?utf-8"), "=?utf-8");
	assert_words(STR("=?=?=?="), "=?=?=?=");
	assert_words(STR("=??Q?a?="), "=??Q?a?=");
	assert_words(STR("a =? b ?="), "a =? b ?=");
	assert_words(STR(""), "");
}

static void raw_bytes(void **state)
{
	(void)state;
	assert_words(STR("\xc3\xa9 =?utf-8?Q?a?= \xe9"), "\xc3\xa9 a \xc3\xa9");
	AUTO_BUF buf b = buf_new(100);
	words_decode(cs, STR("koi8-r"), STR("\xf0"), &b);
	words_decode(cs, STR("koi8-r"), STR("\xc3\xa9"), &b);
	words_decode(cs, STR("nobody"), STR("\xe9"), &b);
	assert_str(buf_str(&b), STR("\xd0\x9f\xc3\xa9\xc3\xa9"));
}

static void assert_param(str value, bool extended, const char *want)
{
	AUTO_BUF buf b = buf_new(1000);
	words_param(cs, &(struct content_param){STR("name"), value, extended}, &b);
	assert_str(buf_str(&b), str_from(want));
}

static void parameters(void **state)
{
	(void)state;
	assert_param(STR("us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"), true, "This is ***fun***");
	assert_param(STR("iso-8859-1''%E9_%4"), true, "\xc3\xa9_%4");
	assert_param(STR("%C3%A9"), true, "\xc3\xa9");
	assert_param(STR("''%E9'"), true, "\xc3\xa9'");
	assert_param(STR("=?utf-8?Q?=C3=A9?=.txt"), false, "\xc3\xa9.txt");
	assert_param(STR("50%25.txt"), false, "50%25.txt");
	assert_param(STR("\xe9"), false, "\xc3\xa9");
}

static void hostile_words_take_linear_time(void **state)
{
	(void)state;
	static const char *const seeds[] = {"=?a?q?x", "=?utf-8?q?x?", "=?", "=?utf-8?q?\?= ", "?=", "=?koi8-r?b?=?="};
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
		AUTO_BUF buf in = buf_new(2 << 20), out = buf_new(4 << 20);
		while (in.n < 1 << 20)
			buf_put(&in, str_from(seeds[i]));
		words_decode(cs, STR(""), buf_str(&in), &out);
		assert_ok(buf_result(&out));
		assert_true(out.n <= in.n);
	}
	AUTO_BUF buf b = buf_new(2 * WORD_LOOK_MAX), out = buf_new(2 * WORD_LOOK_MAX);
	for (int more = 0; more < 2; more++) {
		buf_clear(&b);
		buf_clear(&out);
		buf_put(&b, STR("=?utf-8?q?a?b"));
		while (b.n < sizeof "=?utf-8?q?" - 1 + WORD_LOOK_MAX - 2 + (size_t)more)
			buf_putc(&b, 'c');
		buf_put(&b, STR("?="));
		words_decode(cs, STR(""), buf_str(&b), &out);
		assert_int_equal(out.n, more ? b.n : b.n - 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_examples),
		cmocka_unit_test(read_as_meant),
		cmocka_unit_test(left_as_they_are),
		cmocka_unit_test(raw_bytes),
		cmocka_unit_test(parameters),
		cmocka_unit_test(hostile_words_take_linear_time),
	};
	if (failed(charset_preload()) || !(cs = charsets_new()))
		return 1;
	int r = cmocka_run_group_tests_name("words", tests, NULL, NULL);
	charsets_free(&cs);
	return r;
}
