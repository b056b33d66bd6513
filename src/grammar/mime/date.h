/* The calendar, and the date-time of mail headers (RFC 5322 sections 3.3, 4.3).
 *
 * The calendar is the proleptic Gregorian one, computed here: no time zone
 * files, no libc. Reading takes the obsolete forms too (comments, years of two
 * or three digits, named zones, no seconds, no weekday) and what mail in the
 * wild has: hyphens between day, month and year, fractions of a second, AM and
 * PM, no time or zone at all, anything behind the zone, years 0100 to 0199 for
 * 2000 to 2099; asctime's order, "September 23, 2002", and the year in front
 * ("2002-09-23T19:06:06Z", "2002/09/23"). Refused is what has two meanings
 * ("01/02/2000"). A weekday is not compared with the date. Owns nothing,
 * nothing suspends. */
#ifndef GRAMMAR_DATE_H
#define GRAMMAR_DATE_H

#include "base/buf.h"

enum {
	DATE_YEAR_MAX = 9999,
	DATE_ZONE_MAX = 24 * 60 - 1, /* minutes; a zone beyond is taken as unknown */
};

struct date {
	uint16_t year; /* 0 to 9999 */
	uint8_t month; /* 1 to 12 */
	uint8_t day;   /* 1 to the month's length */
};

struct date_time {
	int64_t seconds;   /* seconds since 1970-01-01 00:00 UTC, without leap seconds */
	int32_t zone;	   /* minutes east of UTC */
	bool zone_unknown; /* "-0000" or a zone nobody knows: `seconds` takes it as UTC */
};

bool date_valid(struct date d);
int64_t date_days(struct date d);	    /* days since 1970-01-01; d is valid */
struct date date_of_days(int64_t days);	    /* the nearest end of years 0 to 9999 when outside */

str date_month_name(unsigned index);	      /* "Jan" to "Dec" for 0 to 11 */
bool date_month_of(str name, uint8_t *month); /* by the first three letters, in either case; 1 to 12 */

result date_parse(str s, struct date_time *out) NODISCARD; /* INPUT */
/* "Fri, 21 Nov 1997 09:55:06 -0600"; outside of years 0 to 9999 the nearest end. */
void date_print(buf *out, struct date_time t);

#endif
