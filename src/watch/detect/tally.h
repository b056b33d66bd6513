/* How many different ones came lately: a sketch of fixed size that nobody can
 * make grow. Exact enough for a handful, within a fifth up to about 300, and
 * never above TALLY_MOST. What came counts for one to two hours. Marks are keyed
 * hashes (hash_bytes), so that a client cannot choose collisions. */
#ifndef WATCH_DETECT_TALLY_H
#define WATCH_DETECT_TALLY_H

#include <stdbool.h>
#include <stdint.h>

enum { TALLY_BITS = 128, TALLY_WINDOW_MS = 3600 * 1000, TALLY_MOST = 700 };

struct tally {
	uint64_t young[TALLY_BITS / 64], old[TALLY_BITS / 64];
	int64_t since; /* of the young; milliseconds */
};

/* True when it is a new one, as far as the sketch can tell. */
bool tally_add(struct tally *t, uint64_t mark, int64_t now);
unsigned tally_count(const struct tally *t, int64_t now);

#endif
