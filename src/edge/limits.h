/* How many connections there are, in all and from each network (IPv4 address,
 * IPv6 /64). The table holds a row only while a network has a connection, so it
 * is bounded by the connections themselves. Nothing suspends. */
#ifndef EDGE_LIMITS_H
#define EDGE_LIMITS_H

#include "base/hash.h"
#include "run/net.h"

struct limits {
	uint64_t most, most_each;
	uint64_t now;
	hash networks;
};

void limits_init(struct limits *l, uint64_t most, uint64_t most_each);
void limits_free(struct limits *l);
/* LIMIT with the sentence for the client; `exempt` counts only against all. */
result limits_enter(struct limits *l, const net_addr *a, bool exempt) NODISCARD;
void limits_leave(struct limits *l, const net_addr *a, bool exempt);

#endif
