/* Accepting connections: one fiber a listener, one fiber a client.
 *
 * Limits are checked before anything is read. A network that speaks PROXY v2
 * for its clients is believed only when it is configured (or for every port in
 * the demo with --proxy). */
#ifndef EDGE_DOOR_H
#define EDGE_DOOR_H

#include "edge/edge.h"

enum {
	DOOR_STOP_MS = 4000, /* for deliveries under way when the server stops */
	DOOR_LOOK_MS = 20,
	DOOR_PROXY_MS = 10000, /* for the PROXY header */
	DOOR_BURST = 64,       /* accepted in a row; then others run */
};

/* Takes fd and accepts until the process stops. Starts a fiber; an unknown
 * protocol closes fd and is our supervisor's mistake, not ours to die of. */
void door_open(struct edge *e, str protocol, int fd);
/* No new connections; sessions end with BYE or 421, at once where nothing is
 * under way, after DOOR_STOP_MS where it is. Suspends. */
void door_close_all(struct edge *e);

#endif
