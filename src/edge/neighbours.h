/* The rooms that an edge asks. The channels are the room's (talk/room.h): use
 * one at once and ask again after the next wait. Suspends when a connection has
 * to be made. Errors are room_connect's. */
#ifndef EDGE_NEIGHBOURS_H
#define EDGE_NEIGHBOURS_H

#include "talk/channel.h"

enum neighbour { NEIGHBOUR_AUTH, NEIGHBOUR_INSPECT, NEIGHBOUR_QUEUE, NEIGHBOUR_VAULT };

result neighbour(enum neighbour which, struct channel **out) NODISCARD;
result neighbour_account(uint64_t account, struct channel **out) NODISCARD;

#endif
