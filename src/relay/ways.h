/* How mail for a destination goes, as auth's table of routes says. Suspends. */
#ifndef RELAY_WAYS_H
#define RELAY_WAYS_H

#include "relay/hosts.h"

/* Route 0: the destination's MX. A trouble is for later: auth, or the route, may be back by then. */
/* The password has to be wiped: way_forget. */
struct trouble way_find(uint64_t route, str destination, arena *a, struct way *out);
void way_forget(struct way *w);

#endif
