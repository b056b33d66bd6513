/* The rooms that an edge asks. The channels are the room's (talk/room.h): use
 * one at once and ask again after the next wait. Suspends when a connection has
 * to be made, at most ROOM_CONNECT_MS. Errors are room_connect's.
 *
 * Every call is given a time: a neighbour that answers nothing must end in a 4xx
 * while the client still listens (RFC 5321 4.5.3.2: 5 minutes for MAIL and RCPT,
 * 10 for the end of the data). */
#ifndef EDGE_NEIGHBOURS_H
#define EDGE_NEIGHBOURS_H

#include "talk/channel.h"

enum neighbour_wait {
	NEIGHBOUR_LOOKUP_MS = 20000, /* an address, a sender */
	NEIGHBOUR_OFFERS_MS = 500,   /* a greeting waits for it, and can do without */
	NEIGHBOUR_VERIFY_MS = 90000, /* the primary server is asked, which may be slow */
	NEIGHBOUR_QUOTA_MS = 20000,  /* all accounts behind one recipient together */
	NEIGHBOUR_LOGIN_MS = 60000,  /* hashing passwords takes its time, in turn */
	NEIGHBOUR_KEY_MS = 20000,
	NEIGHBOUR_KEEP_MS = 60000,   /* the queue's commit */
};

enum neighbour { NEIGHBOUR_AUTH, NEIGHBOUR_INSPECT, NEIGHBOUR_QUEUE, NEIGHBOUR_VAULT, NEIGHBOUR_RELAY, NEIGHBOUR_WEB };

result neighbour(enum neighbour which, struct channel **out) NODISCARD;
result neighbour_account(uint64_t account, struct channel **out) NODISCARD;

#endif
