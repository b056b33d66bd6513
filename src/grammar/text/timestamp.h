/* Date and time as RFC 3339 writes them ("2026-11-22T10:00:00Z"), to seconds
 * since 1970 and back. Fractions of a second are read over; a leap second counts
 * as the one before. Owns nothing, nothing suspends. */
#ifndef GRAMMAR_TIMESTAMP_H
#define GRAMMAR_TIMESTAMP_H

#include "base/buf.h"

bool timestamp_parse(str s, int64_t *seconds);
void timestamp_print(buf *out, int64_t seconds); /* in UTC; outside of years 0 to 9999 the nearest end */

#endif
