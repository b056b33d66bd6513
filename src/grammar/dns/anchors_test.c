#include "base/test.h"

#include "grammar/dns/anchors.h"

static const char debian[] = "; comment\n. 172800 IN DNSKEY 257 3 8 AwEA+/= ;{id = 20326 (ksk)}\n\n"
			     "example.test.\tIN DS ( 1 13 2 ; a digest\n\tAB\n CD )\nb.test. DS 1 13 2 EF";

static void records_come_on_one_line_each(void **state)
{
	(void)state;
	AUTO_BUF buf r = buf_new(ANCHOR_RECORD_MAX);
	struct anchors a = anchors_on(STR(debian));
	assert_ok(anchors_next(&a, &r));
	assert_str(buf_str(&r), STR(". 172800 IN DNSKEY 257 3 8 AwEA+/="));
	assert_ok(anchors_next(&a, &r));
	assert_str(buf_str(&r), STR("example.test. IN DS 1 13 2 AB CD"));
	assert_ok(anchors_next(&a, &r));
	assert_str(buf_str(&r), STR("b.test. DS 1 13 2 EF"));
	assert_ok(anchors_next(&a, &r));
	assert_int_equal(r.n, 0);
	assert_int_equal(a.records, 3);
}

static enum fail_kind all(str text)
{
	AUTO_BUF buf r = buf_new(ANCHOR_RECORD_MAX);
	struct anchors a = anchors_on(text);
	for (;;) {
		result next = anchors_next(&a, &r);
		if (failed(next) || r.n == 0)
			return next.kind;
	}
}

static void what_is_no_anchor_is_refused(void **state)
{
	(void)state;
	assert_int_equal(all(STR("")), FAIL_NONE);
	assert_int_equal(all(STR(" ; nothing\n")), FAIL_NONE);
	assert_int_equal(all(STR("example.test. IN A 192.0.2.1\n")), FAIL_INPUT);
	assert_int_equal(all(STR("$ORIGIN test.\n")), FAIL_INPUT);
	assert_int_equal(all(STR("a.test. DS ( 1 13 2 AB\n")), FAIL_INPUT);
	assert_int_equal(all(STR("a.test. DS 1 13 2 AB )\n")), FAIL_INPUT);
}

static void limits_are_kept(void **state)
{
	(void)state;
	AUTO_BUF buf text = buf_new(1 << 20);
	for (size_t i = 0; i < ANCHOR_RECORDS_MAX; i++)
		buf_put(&text, STR("a.test. DS 1 13 2 AB\n"));
	assert_int_equal(all(buf_str(&text)), FAIL_NONE);
	buf_put(&text, STR("a.test. DS 1 13 2 AB\n"));
	assert_int_equal(all(buf_str(&text)), FAIL_LIMIT);
	buf_clear(&text);
	buf_put(&text, STR("a.test. DNSKEY "));
	while (text.n <= ANCHOR_RECORD_MAX)
		buf_putc(&text, 'A');
	assert_int_equal(all(buf_str(&text)), FAIL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_on_one_line_each),
		cmocka_unit_test(what_is_no_anchor_is_refused),
		cmocka_unit_test(limits_are_kept),
	};
	return cmocka_run_group_tests_name("anchors", tests, NULL, NULL);
}
