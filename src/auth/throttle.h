/* How long a client waits for the answer to a failed login.
 *
 * Failures count by client network (IPv4 address, IPv6 /64) and by account
 * name, and halve every HALF_LIFE. The wait grows with both counts and ends at
 * THROTTLE_MOST; nobody is locked out. The table is bounded: when it is full,
 * what has decayed is dropped, and then the oldest. Times are milliseconds.
 * Owns its memory; nothing suspends. */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include "base/hash.h"
#include "base/list.h"

enum throttle_limits {
	THROTTLE_ENTRIES = 20000,
	THROTTLE_HALF_LIFE = 120000,
	THROTTLE_FREE = 3, /* failures without a wait */
	THROTTLE_STEP = 500,
	THROTTLE_MOST = 10000,
};

struct throttle {
	hash table;
	struct list oldest; /* first: longest ago */
};

void throttle_init(struct throttle *t);
void throttle_free(struct throttle *t);
/* Counts a failure under the key and gives the wait before the answer. */
uint32_t throttle_failed(struct throttle *t, str key, uint64_t now);
/* The wait that a further failure would get, without counting. */
uint32_t throttle_wait(const struct throttle *t, str key, uint64_t now);

#endif
