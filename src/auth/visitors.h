/* Sessions in the administration API over the network (visitor_door.c).
 *
 * A session is a random token that its owner shows with each request; kept is only
 * its BLAKE2b, in memory, so it ends with this process too. It ends after
 * VISITOR_IDLE_MS without a request and VISITOR_LONGEST_MS after it began, whichever
 * comes first. Bounded: an account's sessions beyond VISITORS_EACH, and all beyond
 * VISITORS_MAX, end the ones that were used longest ago. Each end is an event with its
 * reason. What a session may do is asked anew of the directory each time. Owns its
 * memory; nothing suspends. Times are clock_mono_ms's. */
#ifndef AUTH_VISITORS_H
#define AUTH_VISITORS_H

#include "base/hash.h"
#include "base/list.h"

enum visitors_limits {
	VISITOR_TOKEN = 32, /* octets */
	VISITORS_MAX = 1000,
	VISITORS_EACH = 16,
	VISITOR_IDLE_MS = 15 * 60 * 1000,
	VISITOR_LONGEST_MS = 12 * 3600 * 1000,
};

struct visitors {
	hash table;
	struct list idle; /* the one used longest ago first */
};

/* A session, as it was proved at its beginning. */
struct visitor {
	uint64_t account;
	bool factor; /* by a code too */
	uint64_t began, used;
};

void visitors_init(struct visitors *v);
void visitors_free(struct visitors *v);
/* `who.account` and `who.factor` count. */
result visitors_give(struct visitors *v, struct visitor who, uint64_t now, unsigned char token[VISITOR_TOKEN])
	NODISCARD;
/* NULL: there is no such session (any more). Counts as a use; the pointer lives until the next call. */
const struct visitor *visitors_use(struct visitors *v, str token, uint64_t now);
void visitors_end(struct visitors *v, str token, const char *why);
void visitors_end_account(struct visitors *v, uint64_t account, const char *why);

#endif
