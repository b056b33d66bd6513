/* MTA-STS policies of destinations (RFC 8461): the TXT record by resolve, the
 * policy by fetch, remembered in this process for as long as it says.
 *
 * A remembered policy that has not run out holds when its record or its host
 * cannot be reached (3.3, 10.2), so that nobody gets rid of it by being in the
 * way. Bounded: RELAY_STS_MAX, the one unused longest goes. */
#ifndef RELAY_MTA_STS_H
#define RELAY_MTA_STS_H

#include "base/hash.h"
#include "base/list.h"
#include "grammar/dns/sts.h"

struct sts_cache {
	struct hash by_domain;
	struct list all; /* used longest ago first */
	size_t n;
};

struct sts_found {
	bool found;
	struct sts_policy policy; /* in the arena, as `text` is */
	str text;        /* lines separated by LF, for reports */
	str failed_with; /* RFC 8460 4.3.2.2, when there should be a policy and none could be had */
};

void sts_open(struct sts_cache *c);
void sts_close(struct sts_cache *c);
/* Suspends. The domain is A-labels in lower case. */
void sts_find(str domain, arena *a, struct sts_found *out);

#endif
