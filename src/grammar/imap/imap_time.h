/* Dates as IMAP commands write them (RFC 9051: date, date-time).
 *
 * date is a calendar day without a zone, as SEARCH wants it; date-time is a
 * moment, kept with the zone it was written in, so that it prints unchanged. */
#ifndef GRAMMAR_IMAP_TIME_H
#define GRAMMAR_IMAP_TIME_H

#include "grammar/imap/imap_lex.h"
#include "grammar/mime/date.h"

struct imap_time {
	int64_t seconds; /* seconds since 1970-01-01 00:00 UTC, no leap seconds */
	int16_t minutes; /* the zone, east of UTC: -1439 to 1439 */
};

struct date imap_date(struct imap_lex *x);      /* 1-Feb-1994, with or without quotes */
struct imap_time imap_date_time(struct imap_lex *x); /* "17-Jul-1996 02:44:25 -0700" */

/* With its quotes. A moment outside of years 0 to 9999 prints as the nearest end. */
void imap_put_time(buf *out, struct imap_time t);

#endif
