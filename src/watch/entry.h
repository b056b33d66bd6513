/* An event as the ledger keeps it: when, who said it, and the record.
 *
 * Entries lie one behind the other in a run of bytes and are found again by
 * their offset. What is decoded came from our own database, yet is checked.
 * Nothing suspends. */
#ifndef WATCH_ENTRY_H
#define WATCH_ENTRY_H

#include "watch/line.h"

struct entry {
	int64_t at; /* milliseconds since 1970 */
	struct origin from;
	str record;
};

/* Two kinds of marks lead to an entry: its trace id, and each address in it. */
enum lane { LANE_TRACE, LANE_ADDRESS, LANES };

enum { ENTRY_ADDRESSES = 8, MARK_KEY = 16 };

struct marks {
	int64_t keys[1 + ENTRY_ADDRESSES]; /* the first is the trace's */
	size_t n;
};

void entry_put(buf *out, const struct entry *e);
bool entry_read(str run, size_t at, struct entry *out);

/* `secret` makes an address's key unpredictable to those who choose addresses. */
void entry_marks(const struct log_record *r, const unsigned char secret[MARK_KEY], struct marks *out);
int64_t address_key(str address, const unsigned char secret[MARK_KEY]);
bool entry_names(str record, str address); /* is it in one of its fields? */

/* A trace id, or its first digits. */
enum { TRACE_PREFIX_MIN = 8 };
struct trace_prefix {
	char digits[TRACE_HEX];
	size_t n;
	int64_t least, most; /* of the keys */
};
bool trace_prefix_of(str text, struct trace_prefix *out);
bool trace_has_prefix(const trace_id *id, const struct trace_prefix *p);

#endif
