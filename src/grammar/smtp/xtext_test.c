#include "grammar/smtp/xtext.h"
#include "base/test.h"

static void xtext_both_ways(void **state)
{
	(void)state;
	static const str pairs[][2] = {
		{STR_INIT(""), STR_INIT("")},
		{STR_INIT("a+b=c d"), STR_INIT("a+2Bb+3Dc+20d")},
		{STR_INIT("\xc3\xa9~!\x7f\0"), STR_INIT("+C3+A9~!+7F+00")},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		AUTO_ARENA arena a = arena_new(1024);
		AUTO_BUF buf b = buf_new(100);
		str plain = {NULL, 0};
		xtext_encode(&b, pairs[i][0]);
		assert_str(buf_str(&b), pairs[i][1]);
		assert_ok(xtext_decode(pairs[i][1], &a, &plain));
		assert_str(plain, pairs[i][0]);
	}
}

static void malformed_xtext(void **state)
{
	(void)state;
	static const str bad[] = {STR_INIT("+"),   STR_INIT("+2"),   STR_INIT("+2G"),
				  STR_INIT("a b"), STR_INIT("\x80"), STR_INIT("\n")};
	AUTO_ARENA arena a = arena_new(1024);
	str plain = {NULL, 0};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(xtext_decode(bad[i], &a, &plain).kind, FAIL_INPUT);
	assert_ok(xtext_decode(STR("a=+2b"), &a, &plain));
	assert_str(plain, STR("a=+"));
}

static void utf8_addr_both_ways(void **state)
{
	(void)state;
	static const struct {
		str plain, ascii, utf8;
	} rows[] = {
		{STR_INIT("a+b@c"), STR_INIT("a\\x{2B}b@c"), STR_INIT("a\\x{2B}b@c")},
		{STR_INIT("\xc3\xa9@\xe5\xa4\xa7"), STR_INIT("\\x{E9}@\\x{5927}"), STR_INIT("\xc3\xa9@\xe5\xa4\xa7")},
		{STR_INIT("\xf0\x9f\x93\xac\\ ="), STR_INIT("\\x{1F4EC}\\x{5C}\\x{20}\\x{3D}"),
		 STR_INIT("\xf0\x9f\x93\xac\\x{5C}\\x{20}\\x{3D}")},
		{STR_INIT("\xf4\x8f\xbf\xbf"), STR_INIT("\\x{10FFFF}"), STR_INIT("\xf4\x8f\xbf\xbf")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int utf8 = 0; utf8 < 2; utf8++) {
			AUTO_ARENA arena a = arena_new(1024);
			AUTO_BUF buf b = buf_new(100);
			str plain = {NULL, 0};
			utf8_addr_encode(&b, rows[i].plain, utf8);
			assert_str(buf_str(&b), utf8 ? rows[i].utf8 : rows[i].ascii);
			assert_ok(utf8_addr_decode(buf_str(&b), &a, &plain));
			assert_str(plain, rows[i].plain);
		}
}

static void malformed_utf8_addr(void **state)
{
	(void)state;
	static const str bad[] = {STR_INIT("\\"),	 STR_INIT("\\x"),	  STR_INIT("\\x{"),
				  STR_INIT("\\x{}"),	 STR_INIT("\\x{2}"),	  STR_INIT("\\x{20"),
				  STR_INIT("\\x{D800}"), STR_INIT("\\x{110000}"), STR_INIT("\\x{0000041}"),
				  STR_INIT("\\x{00}"),	 STR_INIT("a+b"),	  STR_INIT("a=b"),
				  STR_INIT("a b"),	 STR_INIT("\xff")};
	AUTO_ARENA arena a = arena_new(4096);
	str plain;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(utf8_addr_decode(bad[i], &a, &plain).kind, FAIL_INPUT);
	AUTO_ARENA arena small = arena_new(0);
	assert_int_equal(xtext_decode(STR("a"), &small, &plain).kind, FAIL_LIMIT);
	assert_int_equal(utf8_addr_decode(STR("a"), &small, &plain).kind, FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xtext_both_ways),
		cmocka_unit_test(malformed_xtext),
		cmocka_unit_test(utf8_addr_both_ways),
		cmocka_unit_test(malformed_utf8_addr),
	};
	return cmocka_run_group_tests_name("xtext", tests, NULL, NULL);
}
