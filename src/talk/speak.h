/* How a message is given to a channel: what the generated functions call.
 *
 * Rooms call those (edge_auth_recipient_call, ..._send, ..._offer), which check
 * the types; the contract of calls and messages is channel.h's. */
#ifndef TALK_SPEAK_H
#define TALK_SPEAK_H

#include "talk/channel.h"

/* What one side says; the generated functions fill it. */
struct saying {
	const struct talk_pair *pair;
	unsigned number;
	const trace_id *trace; /* NULL: none */
	const void *message;
};
struct hearing {
	arena *arena;
	uint64_t timeout_ms; /* FIBER_FOREVER */
	void *answer;
};
/* For ..._call_within. */
struct asking {
	const trace_id *trace;
	arena *arena;
	uint64_t timeout_ms;
};

result channel_call(struct channel *c, const struct saying *s, const struct hearing *h) NODISCARD; /* suspends */
result channel_send(struct channel *c, const struct saying *s) NODISCARD;  /* suspends while the socket is full */
result channel_offer(struct channel *c, const struct saying *s) NODISCARD; /* BUSY when it is full; not suspending */
result channel_unhandled(void); /* the refusal where no handler is set */

/* Before there is a loop: blocks until the first message is there, which must be
 * that one. The buffer it came in is wiped, since it may hold a secret. CLOSED
 * when the peer has gone, PEER when it is another message. */
result channel_first(int fd, const struct talk_pair *pair, unsigned number, const struct hearing *h) NODISCARD;

#endif
