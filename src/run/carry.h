/* Carries bytes both ways between a client's stream and a room's, on one fiber:
 * what edge does after login, between TLS and the account.
 *
 * Idle, it holds no buffer; moving, all carries of the process share one; only
 * what a slow receiver has not taken yet is kept apart, and then nothing more
 * is read for it. The streams stay the caller's. */
#ifndef RUN_CARRY_H
#define RUN_CARRY_H

#include "run/stream.h"

enum {
	CARRY_BLOCK = 16 * 1024,
	CARRY_STALL_MS = 5 * 60 * 1000, /* a receiver that takes nothing for so long has gone */
};

/* Suspends until `inner` has ended, in order or not (OK, when all it sent
 * reached the client), or the client broke (NETWORK) or stalled (TIMEOUT), or
 * CANCELLED. When the client ends its sending side, inner is told so and may
 * still answer. What is buffered in either stream is carried first. */
result carry(struct stream *client, struct stream *inner) NODISCARD;

#endif
