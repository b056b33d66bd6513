/* Which deliveries were kept before: each delivery id once in an account.
 *
 * An id begins with the time it was made (48 bits of milliseconds), and content
 * numbers are times too. A content row remembers the id that brought it, where
 * its number lies within DELIVERED_NEAR_US after the id's time: there it is
 * found again without an index. All others are in the table `delivered`: ids
 * with another time, and those whose content is gone.
 *
 * A fresh id needs no question: no time that was noted before this process
 * opened the store is later than `floor`, and the ids since then are at hand in
 * `recent`; when that is full, the floor rises. Only an id that is not later
 * than the floor, or at hand, is looked for. Store thread; errors are the
 * database's. */
#ifndef ACCOUNT_STORE_DELIVERED_H
#define ACCOUNT_STORE_DELIVERED_H

#include "base/log.h"
#include "engine/query.h"

struct work;
struct checking;

enum delivered_limits {
	DELIVERED_NEAR_US = 60 * 1000 * 1000,
	DELIVERED_RECENT = 128,
	DELIVERED_DAYS = 14, /* how long an id is remembered once its content is gone, or at all in the table */
	DELIVERED_PRUNE_EVERY = 256,
	DELIVERED_PRUNE_AT_ONCE = 512,
	DELIVERED_PRUNE_OPENING = 10000,
};

/* A content number: microseconds since 1970, then CONTENT_TAG_BITS of the delivery id. */
enum { CONTENT_TAG_BITS = 10, CONTENT_TAG_MASK = (1 << CONTENT_TAG_BITS) - 1 };

struct delivered {
	uint64_t floor; /* microseconds */
	trace_id recent[DELIVERED_RECENT];
	size_t recent_n;
	uint32_t since_prune;
};

result delivered_open(struct delivered *d, struct db *db, uint64_t last_content) NODISCARD;
unsigned delivered_tag(const trace_id *id);
bool delivered_is_new(struct delivered *d, const trace_id *id); /* for certain, without a question */
result delivered_before(struct work *w, const trace_id *id, bool *before) NODISCARD;
/* Does the content row of that number remember the id? Else delivered_note does. */
bool delivered_is_near(const trace_id *id, uint64_t content);
result delivered_note(struct work *w, const trace_id *id) NODISCARD;
/* The content goes: its id is remembered without it. */
result delivered_part(struct work *w, uint64_t content) NODISCARD;
/* Of store_check: an id in a content row that is not near it goes into the table. */
result check_delivered(struct checking *c) NODISCARD;

#endif
