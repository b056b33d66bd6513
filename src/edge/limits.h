/* How many connections there are, and how many come in a minute: in all, from
 * one address (IPv4 address, IPv6 /64, which a single customer has) and from one
 * network (IPv4 /24, IPv6 /48, which a single site has).
 *
 * A row is kept while its network has a connection, and while somebody came from
 * it within a minute; at most LIMITS_IDLE rows without one, the oldest go first. A
 * rate is a bucket that holds a minute's connections and empties steadily. Half full
 * means pressure: whoever has not logged in then waits for less long. Nothing suspends. */
#ifndef EDGE_LIMITS_H
#define EDGE_LIMITS_H

#include "base/hash.h"
#include "base/list.h"
#include "run/net.h"

enum {
	LIMITS_IDLE = 20000,          /* rows without a connection */
	LIMITS_MINUTE_MS = 60000,
	LIMITS_HURRY_MS = 10000,      /* longest wait for a command, a handshake or a login under pressure */
	LIMITS_TELL_MS = 1000,        /* between two lines of the log about one network */
};

struct limits_most {
	uint64_t all, address, network;          /* at the same time */
	uint64_t address_minute, network_minute; /* new ones in a minute; 0: no limit */
};

struct limits_telling {
	uint64_t refused, told; /* refusals that the log has not told of; when it told last */
};

struct limits {
	struct limits_most most;
	uint64_t now;
	hash networks; /* both kinds */
	struct list idle; /* rows without a connection, the oldest first */
	size_t idle_n;
	struct limits_telling others; /* networks without a row */
};

void limits_init(struct limits *l, const struct limits_most *most);
void limits_free(struct limits *l);
/* LIMIT with the sentence for the client; `exempt` counts only against all. */
result limits_enter(struct limits *l, const net_addr *a, bool exempt) NODISCARD;
void limits_leave(struct limits *l, const net_addr *a, bool exempt);
/* Whether the log should tell of one more refusal: once in LIMITS_TELL_MS for each network, and once for all that a
 * full server does not know apart. *times: how many since. */
bool limits_tell(struct limits *l, const net_addr *a, uint64_t *times);
/* A wait, cut short under pressure. */
uint64_t limits_patience(const struct limits *l, uint64_t ms);

#endif
