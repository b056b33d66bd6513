/* What the supervisor says to a room that starts or stops. All but opening_stop
 * suspend while the room's socket is full. Errors are the channel's. */
#ifndef SUPERVISOR_OPENING_H
#define SUPERVISOR_OPENING_H

#include "supervisor/house.h"

/* Opens p's channel on `fd` (taken, also on failure) with the broker's handlers. */
result opening_channel(struct process *p, int fd, void (*ended)(void *, struct channel *, result)) NODISCARD;
/* Settings, certificate, listeners: everything a room needs before its jail. */
result opening_begin(struct process *p) NODISCARD;
/* The databases as they are now, to a room that has to do with them. */
result opening_places(struct process *p) NODISCARD;
/* The page of bans in force, to an edge that is up. */
result opening_bans(struct process *p) NODISCARD;
result opening_stop(struct process *p) NODISCARD; /* BUSY: it does not listen; kill it */
/* Lends `fd` (the caller closes its own) as a channel from `role` `number`. */
struct visitor {
	const char *pair;
	const char *role;
	uint64_t number;
	int fd;
};
result opening_visitor(struct process *p, const struct visitor *v) NODISCARD;

#endif
