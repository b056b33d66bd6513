/* The networks of whom something was seen, in three grains: an address (IPv4, or
 * an IPv6 /64), its network (/24, /48), its autonomous system.
 *
 * The tables are bounded (limits.h): what was seen longest ago goes first, and what
 * never had a step before what had one, unless those are more than half. Owns its memory; without memory nothing is
 * remembered. Nothing suspends. Times are milliseconds since 1970. */
#ifndef WATCH_DETECT_SUSPECTS_H
#define WATCH_DETECT_SUSPECTS_H

#include "base/hash.h"
#include "base/list.h"
#include "run/net.h"
#include "watch/detect/score.h"
#include "watch/detect/tally.h"

enum grain { GRAIN_ADDRESS, GRAIN_NETWORK, GRAIN_ASN, GRAINS };

enum step { STEP_NONE, STEP_DELAY, STEP_TARPIT, STEP_BAN };

struct suspect {
	struct list node;
	bool marked;        /* in which of the lists */
	enum grain grain;
	net_cidr network;   /* of an autonomous system: its number alone, in the first octets */
	struct score scores[DETECTORS_MOST];
	struct tally names;      /* tried with wrong secrets */
	struct tally recipients; /* unknown ones */
	struct tally parts;      /* of a network its addresses that were charged, of a system its networks */
	struct fading connects, useful, garbage, handshakes, stalls;
	enum step step;
	int64_t step_until;
	struct fading bans;
};

struct suspects {
	hash table[GRAINS];
	struct list clean[GRAINS], marked[GRAINS]; /* the longest unseen first */
	size_t marked_n[GRAINS];
};

void suspects_init(struct suspects *t);
void suspects_free(struct suspects *t);
net_cidr suspect_network(const net_addr *a, enum grain grain); /* ADDRESS or NETWORK */
net_cidr suspect_system(uint32_t asn);
struct suspect *suspects_find(struct suspects *t, enum grain grain, const net_cidr *network);
/* Makes it when it is not there; NULL: no memory. */
struct suspect *suspects_get(struct suspects *t, enum grain grain, const net_cidr *network);
void suspects_set_step(struct suspects *t, struct suspect *s, enum step step, int64_t until);

#endif
