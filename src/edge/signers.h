/* The DKIM keys that sign for a domain, as auth has said, so that not every
 * submission asks.
 *
 * Kept for SIGNERS_MS and until auth says that the directory changed
 * (signers_drop): a key stays good for long after another has taken its place.
 * Bounded by domains; when it is full everything is forgotten. Without memory
 * less is kept. */
#ifndef EDGE_SIGNERS_H
#define EDGE_SIGNERS_H

#include "base/arena.h"
#include "base/hash.h"
#include "talk/asker_inspect.h"

enum signers_limits { SIGNERS_DOMAINS = 1000, SIGNERS_MS = 60000, SIGNERS_MAX = 8 };

struct signers {
	hash domains;
};

struct signers_rows {
	struct asker_inspect_signer p[SIGNERS_MAX]; /* texts in the arena */
	size_t n;
};

void signers_init(struct signers *s);
void signers_drop(struct signers *s);

/* From the table or from auth; no rows where a domain is not signed. Suspends. */
result signers_of(struct signers *s, str domain, arena *a, struct signers_rows *out) NODISCARD;

#endif
