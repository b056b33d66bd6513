/* Questions of DNS to libunbound: one cache, one thread of its own, which asks
 * and validates; its answers are parsed on the loop's stack.
 *
 * resolver_open reads and checks everything (libunbound would do it lazily);
 * resolver_start, in the jail, listens to the thread. An identical question that is under way is asked once.
 * resolver_ask suspends, at most RESOLVER_TIME_MS; it gives no failure but
 * CANCELLED and MEMORY: what the world did is in the answer's finding. Answers
 * live in the caller's arena. One process has one resolver. */
#ifndef RESOLVE_RESOLVER_H
#define RESOLVE_RESOLVER_H

#include "talk/asker_resolve.h"

enum {
	RESOLVER_UNDER_WAY = 500,   /* different questions asked at the same time; more wait */
	RESOLVER_TIME_MS = 20000,   /* for one question, waiting included */
	RESOLVER_TTL_MAX = 86400,   /* seconds an answer is kept, */
	RESOLVER_TTL_NONE = 900,    /* and what says that there is none: a mended domain is found soon */
	RESOLVER_CACHE = 32 << 20,  /* octets, of answers and of records each */
	RESOLVER_NAME_MAX = 253,    /* characters, without the last dot */
	RESOLVER_LABEL_MAX = 63,
	RESOLVER_ANCHORS_MAX = 64,
	RESOLVER_FORWARDS_MAX = 8,
	RESOLVER_PORT = 53,         /* of the domains' own servers */
};

/* Limits in a struct, so that tests reach them. */
struct resolver_limits {
	size_t under_way;
	uint64_t time_ms;
};

struct resolver_plan {
	str forwards; /* a LIST of address:port; empty: from the root down */
	str anchors;  /* DS and DNSKEY records; empty: nothing is validated */
	struct resolver_limits limits; /* 0: as above */
};

result resolver_open(const struct resolver_plan *plan) NODISCARD; /* before the jail, not on a fiber */
result resolver_start(void) NODISCARD;                            /* on a fiber, in the jail */
void resolver_close(void);

result resolver_ask(str name, uint16_t type, arena *a, struct asker_resolve_looked_up *answer) NODISCARD;

struct resolver_counts {
	size_t under_way, most_under_way;
	uint64_t asked, shared; /* shared: found under way */
};
struct resolver_counts resolver_counts(void);

#endif
