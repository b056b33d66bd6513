#include "base/test.h"
#include "grammar/text/timestamp.h"

static void are_read(void **state)
{
	static const struct {
		str text;
		int64_t seconds;
	} rows[] = {
		{STR_INIT("1970-01-01T00:00:00Z"), 0},
		{STR_INIT("2026-11-22T10:00:00Z"), 1795341600},
		{STR_INIT("2026-11-22t10:00:00.25z"), 1795341600},
		{STR_INIT("2026-11-22T11:30:00+01:30"), 1795341600},
		{STR_INIT("2026-11-22T04:00:00-06:00"), 1795341600},
		{STR_INIT("2016-12-31T23:59:60Z"), 1483228799},
		{STR_INIT("1969-12-31T23:59:59Z"), -1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t got = 1;
		assert_true(timestamp_parse(rows[i].text, &got));
		assert_int_equal(got, rows[i].seconds);
	}
}

static void nothing_else_is_read(void **state)
{
	static const char *const rows[] = {
		"", "2026", "2026-11-22", "2026-11-22T10:00Z", "2026-11-22T10:00:00", "2026-13-22T10:00:00Z",
		"2026-02-29T10:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:61Z",
		"2026-11-22T10:00:00.Z", "2026-11-22T10:00:00Zx", "2026-11-22T10:00:00+1:00", "2026-11-22T10:00:00+24:00",
		"2026/11/22T10:00:00Z", "+026-11-22T10:00:00Z", "Sun, 22 Nov 2026 10:00:00 +0000",
	};
	int64_t got;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_false(timestamp_parse(str_from(rows[i]), &got));
}

static void are_printed_as_they_are_read(void **state)
{
	static const int64_t rows[] = {0, -1, 1795341600, 253402300799, -62167219200};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_BUF buf out = buf_new(100);
		int64_t got;
		timestamp_print(&out, rows[i]);
		assert_true(timestamp_parse(buf_str(&out), &got));
		assert_int_equal(got, rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_read),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(are_printed_as_they_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
