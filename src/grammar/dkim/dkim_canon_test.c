#include "grammar/dkim/dkim_canon.h"
#include "base/test.h"

#include "base/buf.h"

enum { OUT_MAX = 1 << 20 };

static void collect(void *ctx, str octets)
{
	buf_put(ctx, octets);
}

static void body(enum dkim_canon canon, str in, str want)
{
	for (size_t cut = 0; cut <= in.n; cut++) {
		AUTO_BUF buf out = buf_new(OUT_MAX);
		struct dkim_body b = {.canon = canon, .to = {collect, &out}, .limit = DKIM_WHOLE};
		dkim_body_feed(&b, str_sub(in, 0, cut));
		dkim_body_feed(&b, str_skip(in, cut));
		dkim_body_finish(&b);
		assert_str(buf_str(&out), want);
		assert_int_equal(b.length, want.n);
	}
}

static void field(enum dkim_canon canon, str in, str want)
{
	AUTO_BUF buf out = buf_new(OUT_MAX);
	dkim_field(canon, in, (struct dkim_sink){collect, &out});
	assert_str(buf_str(&out), want);
}

/* RFC 6376 section 3.4.5 */
static void the_examples_of_the_rfc(void **state)
{
	(void)state;
	const str in = STR(" C \r\nD \t E\r\n\r\n\r\n");
	body(DKIM_RELAXED, in, STR(" C\r\nD E\r\n"));
	body(DKIM_SIMPLE, in, STR(" C \r\nD \t E\r\n"));
	field(DKIM_RELAXED, STR("A: X\r\n"), STR("a:X"));
	field(DKIM_RELAXED, STR("B : Y\t\r\n\tZ  \r\n"), STR("b:Y Z"));
	field(DKIM_SIMPLE, STR("B : Y\t\r\n\tZ  \r\n"), STR("B : Y\t\r\n\tZ  "));
}

static void an_empty_body(void **state)
{
	(void)state;
	body(DKIM_SIMPLE, STR(""), STR("\r\n"));
	body(DKIM_RELAXED, STR(""), STR(""));
	body(DKIM_SIMPLE, STR("\r\n\r\n"), STR("\r\n"));
	body(DKIM_RELAXED, STR("\r\n\r\n"), STR(""));
	body(DKIM_RELAXED, STR(" \t\r\n \r\n"), STR(""));
	body(DKIM_SIMPLE, STR(" \r\n"), STR(" \r\n"));
}

static void the_last_line_has_an_end(void **state)
{
	(void)state;
	body(DKIM_SIMPLE, STR("a\r\nb"), STR("a\r\nb\r\n"));
	body(DKIM_RELAXED, STR("a\r\nb \t"), STR("a\r\nb\r\n"));
	body(DKIM_RELAXED, STR("a\r\nb\r\n\r\n\r\nc"), STR("a\r\nb\r\n\r\n\r\nc\r\n"));
}

static void a_lone_cr_or_lf_is_an_octet(void **state)
{
	(void)state;
	body(DKIM_RELAXED, STR("a\rb \n c\r\r\n\r"), STR("a\rb \n c\r\r\n\r\r\n"));
	body(DKIM_SIMPLE, STR("a\rb\nc\r\r\n\r"), STR("a\rb\nc\r\r\n\r\r\n"));
	body(DKIM_RELAXED, STR("a\n\n"), STR("a\n\n\r\n"));
}

static void many_line_ends_inside_stay(void **state)
{
	(void)state;
	AUTO_BUF buf in = buf_new(OUT_MAX), out = buf_new(OUT_MAX);
	buf_put(&in, STR("a"));
	for (int i = 0; i < 1000; i++)
		buf_put(&in, STR("\r\n"));
	buf_put(&in, STR("b\r\n"));
	struct dkim_body b = {.canon = DKIM_RELAXED, .to = {collect, &out}, .limit = DKIM_WHOLE};
	dkim_body_feed(&b, buf_str(&in));
	dkim_body_finish(&b);
	assert_str(buf_str(&out), buf_str(&in));
}

static void a_length_limit_cuts_what_is_hashed(void **state)
{
	(void)state;
	AUTO_BUF buf out = buf_new(OUT_MAX);
	struct dkim_body b = {.canon = DKIM_RELAXED, .to = {collect, &out}, .limit = 4};
	dkim_body_feed(&b, STR("a  b c\r\nd"));
	dkim_body_finish(&b);
	assert_str(buf_str(&out), STR("a b "));
	assert_int_equal(b.length, sizeof "a b c\r\nd\r\n" - 1);
}

static void fields_in_relaxed_form(void **state)
{
	(void)state;
	field(DKIM_RELAXED, STR("SUBJect:  \r\n  a\r\n\t \tb  c \r\n"), STR("subject:a b c"));
	field(DKIM_RELAXED, STR("Subject:\r\n"), STR("subject:"));
	field(DKIM_RELAXED, STR("Subject: a:b"), STR("subject:a:b"));
	field(DKIM_RELAXED, STR("Subject: \xc3\x89t\xc3\xa9\n  x\n"), STR("subject:\xc3\x89t\xc3\xa9 x"));
	field(DKIM_SIMPLE, STR("Subject: a\n"), STR("Subject: a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc),
		cmocka_unit_test(an_empty_body),
		cmocka_unit_test(the_last_line_has_an_end),
		cmocka_unit_test(a_lone_cr_or_lf_is_an_octet),
		cmocka_unit_test(many_line_ends_inside_stay),
		cmocka_unit_test(a_length_limit_cuts_what_is_hashed),
		cmocka_unit_test(fields_in_relaxed_form),
	};
	return cmocka_run_group_tests_name("dkim canon", tests, NULL, NULL);
}
