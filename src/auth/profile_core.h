/* What profile.c and profile_store.c share, and nobody else. */
#ifndef AUTH_PROFILE_CORE_H
#define AUTH_PROFILE_CORE_H

#include "auth/profile.h"

struct profile_bucket {
	int64_t slot; /* number of PROFILE_BUCKET_S since 1970 */
	uint32_t sent, first;
	bool changed;
};

/* Marks stand in `known` and, in the order in which they came, in a ring. The
 * last `fresh` of the ring are not written down yet. */
struct profile {
	struct list node;
	uint64_t account;
	struct profile_bucket day[PROFILE_DAY];
	hash known;
	uint64_t *ring;
	size_t ring_cap, ring_n, ring_at; /* ring_at: the oldest */
	size_t fresh;
	bool changed;
	uint64_t held_sent, held_first; /* by all logins together */
};

/* Remembers a mark; without memory it comes as new again. */
void profile_learn(struct profile *f, uint64_t mark, bool fresh);
/* profile_store.c. Suspends. */
result profile_load(struct profiles *p, struct profile *f) NODISCARD;
void profile_flush_later(struct profiles *p);

#endif
