#include "grammar/text/base64.h"
#include "base/test.h"

static const struct {
	str plain, coded;
} rfc4648_10[] = {
	{STR_INIT(""), STR_INIT("")},
	{STR_INIT("f"), STR_INIT("Zg==")},
	{STR_INIT("fo"), STR_INIT("Zm8=")},
	{STR_INIT("foo"), STR_INIT("Zm9v")},
	{STR_INIT("foob"), STR_INIT("Zm9vYg==")},
	{STR_INIT("fooba"), STR_INIT("Zm9vYmE=")},
	{STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
};

static void vectors_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rfc4648_10 / sizeof rfc4648_10[0]; i++) {
		AUTO_BUF buf b = buf_new(100);
		base64_encode(&b, rfc4648_10[i].plain, 0);
		assert_str(buf_str(&b), rfc4648_10[i].coded);
		buf_clear(&b);
		assert_ok(base64_decode(&b, rfc4648_10[i].coded));
		assert_str(buf_str(&b), rfc4648_10[i].plain);
	}
}

static void strict_form_has_one_spelling(void **state)
{
	(void)state;
	static const str wrong[] = {STR_INIT("Zg"),	  STR_INIT("Zg="),	STR_INIT("Zh=="),  STR_INIT("Zm9="),
				    STR_INIT("Zg==Zg=="), STR_INIT("Zm9v\r\n"), STR_INIT("Z m9v"), STR_INIT("===="),
				    STR_INIT("A==="),	  STR_INIT("Zm9-"),	STR_INIT("\0AAA"), STR_INIT("="),
				    STR_INIT("==")};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO_BUF buf b = buf_new(100);
		result r = base64_decode(&b, wrong[i]);
		if (r.kind != FAIL_INPUT)
			fail_msg("accepted \"%.*s\"", STR_ARG(wrong[i]));
		assert_int_equal(b.n, 0);
	}
}

static void ceiling_is_a_limit(void **state)
{
	(void)state;
	AUTO_BUF buf b = buf_new(5);
	assert_int_equal(base64_decode(&b, STR("Zm9vYmFy")).kind, FAIL_LIMIT);
	buf_clear(&b);
	assert_ok(base64_decode(&b, STR("Zm9vYmE=")));
}

static void lenient(str in, str want, bool damaged)
{
	for (size_t cut = 0; cut <= in.n; cut++) {
		AUTO_BUF buf b = buf_new(1000);
		struct base64_stream s = {0};
		base64_feed(&s, str_sub(in, 0, cut), &b);
		base64_feed(&s, str_skip(in, cut), &b);
		base64_finish(&s, &b);
		assert_str(buf_str(&b), want);
		assert_int_equal(s.damaged, damaged);
	}
}

static void bodies_survive_real_faults(void **state)
{
	(void)state;
	lenient(STR("Zm9v\r\nYmFy\r\n"), STR("foobar"), false);
	lenient(STR("Zm9vYg"), STR("foob"), false);
	lenient(STR("Zm9vYg==Zm9v"), STR("foobfoo"), false);
	lenient(STR("Zm!9v"), STR("foo"), true);
	lenient(STR("Zm9vY"), STR("foo"), true);
	lenient(STR("===="), STR(""), false);
	lenient(STR("Zm9vYmFyZm9vYmFyZm9v\xff\x80YmFy"), STR("foobarfoobarfoobar"), true);
}

static void lines_are_76_long(void **state)
{
	(void)state;
	static char zeros[10000];
	AUTO_BUF buf b = buf_new(20000), back = buf_new(10000);
	base64_encode(&b, str_of(zeros, sizeof zeros), BASE64_LINE);
	size_t lines = 0;
	for (str rest = buf_str(&b); rest.n > 0; lines++) {
		size_t end = str_find(rest, STR("\r\n"));
		assert_true(end <= BASE64_LINE);
		assert_true(end == BASE64_LINE || rest.n == end + 2);
		rest = str_skip(rest, end + 2);
	}
	assert_int_equal(lines, (10000 + 56) / 57);
	struct base64_stream s = {0};
	base64_feed(&s, buf_str(&b), &back);
	base64_finish(&s, &back);
	assert_str(buf_str(&back), str_of(zeros, sizeof zeros));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_both_ways),  cmocka_unit_test(strict_form_has_one_spelling),
		cmocka_unit_test(ceiling_is_a_limit), cmocka_unit_test(bodies_survive_real_faults),
		cmocka_unit_test(lines_are_76_long),
	};
	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
