/* Where a host is: what resolve says, without the addresses that nobody on the
 * Internet has. Suspends. The answer is in words when there is none. */
#ifndef FETCH_ADDRESSES_H
#define FETCH_ADDRESSES_H

#include "fetch/request.h"

struct addresses {
	size_t n;
	net_addr list[REQUEST_ADDRESSES_MAX];
	const char *why; /* there is none; static */
};

/* `also_private`: those of private networks and of this machine too. Failures are those of asking resolve. */
result addresses_find(str host, bool also_private, struct addresses *out) NODISCARD;

#endif
