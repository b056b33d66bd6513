/* One event as one line of JSON (RFC 8259), for the log.
 *
 * {"time":"2026-11-21T19:40:01.123Z","level":"info","event":"smtp.accepted",
 *  "room":"edge-mx","number":0,"trace":"32 hex digits","fields":{...}}
 *
 * Who spoke is what the supervisor said when it made the channel. Text of
 * fields comes from clients: bytes that are not UTF-8 become U+FFFD; quotes,
 * control characters (C0, DEL, C1) and what turns a line's direction or breaks
 * it (U+2028, U+2029, U+202A-202E, U+2066-2069) are escaped. `trace` is absent
 * when it is zero. Output is one line however hostile the record. The caller
 * looks at buf_result. Nothing suspends. */
#ifndef WATCH_LINE_H
#define WATCH_LINE_H

#include "base/buf.h"
#include "base/log_read.h"
#include "grammar/text/json_text.h"

enum { STAMP_SIZE = sizeof "2026-11-21T19:40:01.123Z", TRACE_HEX = 32 };

struct origin {
	str role;
	uint64_t number;
};

void stamp_of(int64_t wall_ms, char out[STAMP_SIZE]);
void trace_hex(const trace_id *id, char out[TRACE_HEX]);

/* {"name":value,...} of at most `max` octets: what does not fit is left out, and
 * "cut":true says so. False when the record is damaged: drop what was put. */
bool fields_put(buf *out, struct log_record r, size_t max);
/* The whole line with LF; on false nothing was put. */
bool line_put(buf *out, const struct log_record *r, const struct origin *from, const char *stamp);

#endif
