/* The relay as a whole: what its files share, and its seam to other rooms.
 *
 * One process, one relay. After a restart it knows nothing and needs nothing. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "config/options.h"
#include "relay/kept.h"
#include "relay/mta_sts.h"
#include "relay/ways_kept.h"
#include "run/net.h"
#include "talk/edge_relay.h"
#include "talk/item_keys.h"
#include "talk/queue_relay.h"

enum neighbour { NEIGHBOUR_RESOLVE, NEIGHBOUR_FETCH, NEIGHBOUR_AUTH, NEIGHBOUR_VAULT, NEIGHBOUR_INSPECT };

/* Tests put stand-ins here. Suspends; errors are room_connect's. */
struct relay_world {
	result (*room)(enum neighbour which, struct channel **out);
};

struct relay {
	struct options options;
	const struct relay_world *world;
	struct tls_context *tls;
	net_addr from4, from6; /* the addresses it calls from; all zero: the system chooses */
	struct kept kept;
	struct sts_cache sts;
	struct ways ways;
	struct item_keys keys; /* of items opened just now */
};

extern struct relay relay;

str relay_name(void); /* in EHLO */

/* send.c, verify.c, report.c: what comes in. */
extern const struct queue_relay_as_relay relay_queue_handlers;
extern const struct edge_relay_as_relay relay_edge_handlers;
result on_send(struct arrival *in, struct queue_relay_send *m, struct queue_relay_sent *answer) NODISCARD;
result on_report(struct arrival *in, struct queue_relay_report *m, struct queue_relay_reported *answer) NODISCARD;
result on_tls_report(struct arrival *in, struct queue_relay_tls_report *m,
	struct queue_relay_tls_reported *answer) NODISCARD;
result on_verify(struct arrival *in, struct edge_relay_verify *m, struct edge_relay_verified *answer) NODISCARD;

#endif
