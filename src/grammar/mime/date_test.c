#include "grammar/mime/date.h"
#include "base/test.h"

#include <time.h>

static void reads(str s, int64_t seconds, int32_t zone, bool unknown)
{
	struct date_time t = {0};
	result r = date_parse(s, &t);
	if (failed(r))
		fail_msg("\"%.*s\": %s", STR_ARG(s), r.text);
	if (t.seconds != seconds || t.zone != zone || t.zone_unknown != unknown)
		fail_msg("\"%.*s\": %lld %d %d", STR_ARG(s), (long long)t.seconds, t.zone, t.zone_unknown);
}

static void forms_of_the_rfc(void **state)
{
	(void)state;
	reads(STR("Fri, 21 Nov 1997 09:55:06 -0600"), 880127706, -360, false);
	reads(STR("Tue, 1 Jul 2003 10:52:37 +0200"), 1057049557, 120, false);
	reads(STR("Thu, 13 Feb 1969 23:32:54 -0330"), -27723426, -210, false);
	reads(STR("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n   -0330 (Newfoundland Time)"),
	      -27723480, -210, false);
	reads(STR("21 Nov 97 09:55:06 GMT"), 880106106, 0, false);
	reads(STR("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), 880127706, -360, false);
	reads(STR("(a (nested \\) one)) Fri (x), 21 Nov 1997 09:55 -0600 (y"), 880127700, -360, false);
}

static void obsolete_and_wild_forms(void **state)
{
	(void)state;
	reads(STR("1 Jan 49 00:00 +0000"), 2493072000, 0, false);
	reads(STR("1 Jan 50 00:00 +0000"), -631152000, 0, false);
	reads(STR("1 Jan 102 00:00:00 +0000"), 1009843200, 0, false);
	reads(STR("Mon, 23 Sep 2002 15:06:06 EDT"), 1032807966, -240, false);
	reads(STR("Mon, 23 Sep 2002 14:06:06 EST"), 1032807966, -300, false);
	reads(STR("Mon, 23 Sep 2002 14:06:06 CDT"), 1032807966, -300, false);
	reads(STR("Mon, 23 Sep 2002 13:06:06 CST"), 1032807966, -360, false);
	reads(STR("Mon, 23 Sep 2002 13:06:06 MDT"), 1032807966, -360, false);
	reads(STR("Mon, 23 Sep 2002 12:06:06 MST"), 1032807966, -420, false);
	reads(STR("Mon, 23 Sep 2002 12:06:06 pdt"), 1032807966, -420, false);
	reads(STR("Mon, 23 Sep 2002 11:06:06 PST"), 1032807966, -480, false);
	reads(STR("Mon, 23 Sep 2002 19:06:06 UT"), 1032807966, 0, false);
	reads(STR("Mon, 23 Sep 02 19 : 06 (c) :\r\n 06 (x) Z"), 1032807966, 0, false);
	reads(STR("Mon, 23 Sep 2002 19:06:06 -0000"), 1032807966, 0, true);
	reads(STR("Mon, 23 Sep 2002 19:06:06 M"), 1032807966, 0, true);
	reads(STR("Mon, 23 Sep 2002 19:06:06 CEST"), 1032807966, 0, true);
	reads(STR("Mon, 23 Sep 2002 19:06:06"), 1032807966, 0, true);
	reads(STR("Mon, 23 Sep 2002 19:06:06 -9999"), 1032807966, 0, true);
	reads(STR("Mon, 23 Sep 2002 21:06:06 GMT+0200 garbage"), 1032807966, 120, false);
	reads(STR("Monday, 23-September-2002 21:06:06.123 +02:00"), 1032807966, 120, false);
	reads(STR("23 sep 2002"), 1032739200, 0, true);
	reads(STR("Mon, 23 Sep 0102 19:06:06 +0000"), 1032807966, 0, false);
	reads(STR("Mon, 23 Sep 2002 07:06:06 PM +0000"), 1032807966, 0, false);
	reads(STR("Mon, 23 Sep 2002 12:06:06 am +0000"), 1032739566, 0, false);
	reads(STR("Mon, 23 Sep 2002 12:06 PM"), 1032782760, 0, true);
	reads(STR("Mon, 23 Sep 2002 19:06:06 PM GMT"), 1032807966, 0, false);
	reads(STR("Sat, 31 Dec 2016 23:59:60 +0000"), 1483228800, 0, false);
	reads(STR("29 Feb 2000 00:00:00 +0000"), 951782400, 0, false);
	reads(STR("1 Jan 0000 00:00:00 +0000"), -62167219200, 0, false);
	reads(STR("31 Dec 9999 23:59:59 +0000"), 253402300799, 0, false);
}

/* asctime(3), date(1), ISO 8601, and what else has one meaning. */
static void other_orders(void **state)
{
	(void)state;
	reads(STR("Mon Sep 23 19:06:06 2002"), 1032807966, 0, true);
	reads(STR("Mon Sep  3 19:06:06 2002"), 1031079966, 0, true);
	reads(STR("Mon Sep 23 15:06:06 EDT 2002"), 1032807966, -240, false);
	reads(STR("Mon Sep 23 21:06:06 +0200 2002"), 1032807966, 120, false);
	reads(STR("Mon Sep 23 21:06:06 2002 +0200"), 1032807966, 120, false);
	reads(STR("Mon, Sep 23 2002"), 1032739200, 0, true);
	reads(STR("September 23, 2002 07:06:06 PM GMT"), 1032807966, 0, false);
	reads(STR("Mon, Sep-23-2002"), 1032739200, 0, true);
	reads(STR("2002/09/23 Mon 14:06:06 CDT"), 1032807966, -300, false);
	reads(STR("2002-09-23T19:06:06Z"), 1032807966, 0, false);
	reads(STR("Mon, 2002-09-23 21:06:06.5 +02:00"), 1032807966, 120, false);
	reads(STR("2002-9-3"), 1031011200, 0, true);
}

static void no_dates(void **state)
{
	(void)state;
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT("()"),
		STR_INIT("today"),
		STR_INIT("Fri"),
		STR_INIT("32 Jan 2000 00:00:00 +0000"),
		STR_INIT("0 Jan 2000 00:00 +0000"),
		STR_INIT("29 Feb 1900 00:00 +0000"),
		STR_INIT("31 Apr 2000 00:00 +0000"),
		STR_INIT("1 Foo 2000 00:00 +0000"),
		STR_INIT("1 Jan 2 00:00 +0000"),
		STR_INIT("1 Jan 20000 00:00 +0000"),
		STR_INIT("1 Jan 2000 24:00 +0000"),
		STR_INIT("1 Jan 2000 00:60 +0000"),
		STR_INIT("1 Jan 2000 00:00:61 +0000"),
		STR_INIT("1 Jan 2000 00 +0000"),
		STR_INIT("1 Jan 2000 x"),
		STR_INIT("2000-01/01 00:00:00"),
		STR_INIT("2000-13-01 00:00:00"),
		STR_INIT("2000-02-30T00:00:00Z"),
		STR_INIT("01/02/2000 00:00:00"),
		STR_INIT("99999999999999999999 Jan 2000"),
		STR_INIT("Tue Sep 24 10:00:00"),
		STR_INIT("Tue Sep 24"),
		STR_INIT("Tue Sep 31 10:00:00 2002"),
		STR_INIT("Sep Tue 24 10:00:00 2002"),
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct date_time t;
		result r = date_parse(bad[i], &t);
		if (r.kind != FAIL_INPUT)
			fail_msg("accepted \"%.*s\"", STR_ARG(bad[i]));
	}
}

static void prints(struct date_time t, str want)
{
	AUTO_BUF buf b = buf_new(100);
	date_print(&b, t);
	assert_str(buf_str(&b), want);
}

static void prints_and_clamps(void **state)
{
	(void)state;
	prints((struct date_time){880127706, -360, false}, STR("Fri, 21 Nov 1997 09:55:06 -0600"));
	prints((struct date_time){-27723426, -210, false}, STR("Thu, 13 Feb 1969 23:32:54 -0330"));
	prints((struct date_time){0, 0, false}, STR("Thu, 1 Jan 1970 00:00:00 +0000"));
	prints((struct date_time){-1, 0, true}, STR("Wed, 31 Dec 1969 23:59:59 -0000"));
	prints((struct date_time){0, DATE_ZONE_MAX, false}, STR("Thu, 1 Jan 1970 23:59:00 +2359"));
	prints((struct date_time){INT64_MAX, 60, false}, STR("Fri, 31 Dec 9999 23:59:59 +0100"));
	prints((struct date_time){INT64_MIN, -60, false}, STR("Sat, 1 Jan 0000 00:00:00 -0100"));
}

/* Every day of the calendar against the C library's, and back. */
static void every_day_agrees_with_libc(void **state)
{
	(void)state;
	int64_t last = date_days((struct date){9999, 12, 31});
	for (int64_t day = date_days((struct date){0, 1, 1}); day <= last; day++) {
		time_t seconds = (time_t)(day * 86400);
		struct tm tm;
		struct date d = date_of_days(day);
		assert_non_null(gmtime_r(&seconds, &tm));
		if (d.year != tm.tm_year + 1900 || d.month != tm.tm_mon + 1 || d.day != tm.tm_mday ||
		    date_days(d) != day)
			fail_msg("day %lld", (long long)day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_the_rfc),
		cmocka_unit_test(obsolete_and_wild_forms),
		cmocka_unit_test(other_orders),
		cmocka_unit_test(no_dates),
		cmocka_unit_test(prints_and_clamps),
		cmocka_unit_test(every_day_agrees_with_libc),
	};
	return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
