/* Ways without a login, as auth last said: a run of letters asks once.
 *
 * An old one may be walked for WAYS_MS after an administrator changed it. A way
 * with a login is never kept, so no password is. Bounded: WAYS_KEPT, then all is
 * forgotten. Without memory nothing is kept. Nothing suspends. */
#ifndef RELAY_WAYS_KEPT_H
#define RELAY_WAYS_KEPT_H

#include "base/arena.h"
#include "base/hash.h"
#include "talk/relay_auth.h"

enum { WAYS_MS = 2000, WAYS_KEPT = 256 };

struct ways {
	hash by_route;
};

void ways_open(struct ways *w);
void ways_close(struct ways *w);

/* The texts are copied into the arena. */
bool ways_known(const struct ways *w, uint64_t route, arena *a, struct relay_auth_way_is *out);
void ways_keep(struct ways *w, uint64_t route, const struct relay_auth_way_is *is);

#endif
