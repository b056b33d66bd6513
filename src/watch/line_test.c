#include "base/test.h"
#include "watch/line.h"

static buf out;
static const char stamp[] = "2026-11-21T19:40:01.123Z";

static int empty(void **state)
{
	(void)state;
	buf_free(&out);
	out = buf_new(1 << 20);
	return 0;
}

static str json_of(str s)
{
	buf_clear(&out);
	json_put(&out, s);
	assert_ok(buf_result(&out));
	return buf_str(&out);
}

static void test_text_is_escaped(void **state)
{
	(void)state;
	assert_str(json_of(STR("plain <a@b>")), STR("\"plain <a@b>\""));
	assert_str(json_of(STR("")), STR("\"\""));
	assert_str(json_of(STR("a\"b\\c")), STR("\"a\\\"b\\\\c\""));
	assert_str(json_of(STR("x\r\n\0\x1b[2J\x7f")), STR("\"x\\u000d\\u000a\\u0000\\u001b[2J\\u007f\""));
	assert_str(json_of(STR("Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x8f\xb0")),
		   STR("\"Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x8f\xb0\""));
}

static void test_what_is_no_utf8_is_replaced(void **state)
{
	(void)state;
	assert_str(json_of(STR("\xff")), STR("\"\\ufffd\""));
	assert_str(json_of(STR("\xc3")), STR("\"\\ufffd\""));               /* cut */
	assert_str(json_of(STR("\xc3(")), STR("\"\\ufffd(\""));
	assert_str(json_of(STR("\xc0\xaf")), STR("\"\\ufffd\\ufffd\""));     /* overlong */
	assert_str(json_of(STR("\xed\xa0\x80")), STR("\"\\ufffd\\ufffd\\ufffd\"")); /* surrogate */
	assert_str(json_of(STR("\xf4\x90\x80\x80")), STR("\"\\ufffd\\ufffd\\ufffd\\ufffd\""));
}

static void test_what_misleads_a_reader_is_escaped(void **state)
{
	(void)state;
	assert_str(json_of(STR("\xc2\x9b" "31m")), STR("\"\\u009b31m\""));
	assert_str(json_of(STR("\xe2\x80\xae" "gpj")), STR("\"\\u202egpj\""));
	assert_str(json_of(STR("\xe2\x80\xa8")), STR("\"\\u2028\""));
	assert_str(json_of(STR("\xe2\x81\xa6")), STR("\"\\u2066\""));
}

/* ---- records, made by the real sink ---- */

static char kept[LOG_RECORD_MAX];
static size_t kept_n;

static void keep(void *ctx, str record)
{
	(void)ctx;
	memcpy(kept, record.p, record.n);
	kept_n = record.n;
}

static void test_an_event_is_one_line(void **state)
{
	(void)state;
	static const trace_id id = {{0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}};
	struct log_record r;
	struct origin from = {STR("account"), 42};
	log_set_sink(keep, NULL);
	log_event(EV_DELIVERED, &id, F_STR("from", STR("a\nb")), F_U64("size", 7), F_I64("delta", -3));
	log_set_sink(NULL, NULL);
	assert_true(log_read(str_of(kept, kept_n), &r));
	buf_clear(&out);
	assert_true(line_put(&out, &r, &from, stamp));
	assert_str(buf_str(&out),
		   STR("{\"time\":\"2026-11-21T19:40:01.123Z\",\"level\":\"info\",\"event\":\"delivery.kept\","
		       "\"room\":\"account\",\"number\":42,\"trace\":\"ab0102030405060708090a0b0c0d0eff\","
		       "\"fields\":{\"from\":\"a\\u000ab\",\"size\":7,\"delta\":-3}}\n"));
}

static void test_a_damaged_record_leaves_nothing(void **state)
{
	(void)state;
	struct log_record r;
	struct origin from = {STR("edge-mx"), 0};
	log_set_sink(keep, NULL);
	log_event(EV_DELIVERED, NULL, F_STR("from", STR("somebody")));
	log_set_sink(NULL, NULL);
	assert_true(log_read(str_of(kept, kept_n - 1), &r));
	buf_clear(&out);
	buf_put(&out, STR("before"));
	assert_false(line_put(&out, &r, &from, stamp));
	assert_str(buf_str(&out), STR("before"));
}

static void test_a_name_that_is_none_is_damage(void **state)
{
	(void)state;
	struct log_record r;
	log_set_sink(keep, NULL);
	log_event(EV_DELIVERED, NULL, F_STR("from", STR("x")), F_U64("big", UINT64_MAX));
	log_set_sink(NULL, NULL);
	assert_true(log_read(str_of(kept, kept_n), &r));
	buf_clear(&out);
	assert_true(fields_put(&out, r, SIZE_MAX));
	assert_str(buf_str(&out), STR("{\"from\":\"x\",\"big\":\"18446744073709551615\"}"));
	kept[2 + 16 + 1] = '\0'; /* the first octet of "from" */
	assert_true(log_read(str_of(kept, kept_n), &r));
	assert_false(fields_put(&out, r, SIZE_MAX));
}

static void test_fields_are_cut_at_their_ceiling(void **state)
{
	(void)state;
	struct log_record r;
	log_set_sink(keep, NULL);
	log_event(EV_DELIVERED, NULL, F_STR("a", STR("0123456789")), F_STR("b", STR("0123456789")), F_U64("c", 1));
	log_set_sink(NULL, NULL);
	assert_true(log_read(str_of(kept, kept_n), &r));
	buf_clear(&out);
	assert_true(fields_put(&out, r, 40));
	assert_str(buf_str(&out), STR("{\"a\":\"0123456789\",\"cut\":true}"));
	buf_clear(&out);
	assert_true(fields_put(&out, r, 20));
	assert_str(buf_str(&out), STR("{\"cut\":true}"));
}

static void test_time_is_rfc3339(void **state)
{
	(void)state;
	char text[STAMP_SIZE];
	stamp_of(1795290001123, text);
	assert_str(str_from(text), STR("2026-11-21T19:40:01.123Z"));
	stamp_of(5, text);
	assert_str(str_from(text), STR("1970-01-01T00:00:00.005Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_text_is_escaped, empty),
		cmocka_unit_test_setup(test_what_is_no_utf8_is_replaced, empty),
		cmocka_unit_test_setup(test_what_misleads_a_reader_is_escaped, empty),
		cmocka_unit_test_setup(test_an_event_is_one_line, empty),
		cmocka_unit_test_setup(test_a_damaged_record_leaves_nothing, empty),
		cmocka_unit_test_setup(test_a_name_that_is_none_is_damage, empty),
		cmocka_unit_test_setup(test_fields_are_cut_at_their_ceiling, empty),
		cmocka_unit_test_setup(test_time_is_rfc3339, empty),
	};
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&out);
	return failures;
}
