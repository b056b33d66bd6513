/* Sealing a message for who takes it from the queue: one account, or the relay.
 *
 * The key comes from the vault for that holder alone and is forgotten at once;
 * one for the relay serves the letters of a moment (talk/item_keys.h).
 * A large message is sealed only while no other of this process is, so that a
 * message for many does not take memory for each of them. Suspends. */
#ifndef EDGE_SEAL_H
#define EDGE_SEAL_H

#include "edge/edge.h"
#include "talk/item.h"

struct sealing {
	struct edge *edge;
	const struct item *item;
	const trace_id *id;
	uint64_t account; /* 0: the relay */
	uint64_t wait_ms; /* for the vault */
};

/* Views into `out`, which then holds the sealed bytes and, behind them, the wrapping. */
struct sealed {
	str bytes, wrapped;
};

result seal_item(const struct sealing *s, buf *out, struct sealed *views) NODISCARD;

/* Around sealing and handing over; `size` is the message's. OK is followed by seal_leave. */
result seal_enter(struct edge *e, uint64_t size, uint64_t wait_ms) NODISCARD;
void seal_leave(struct edge *e, uint64_t size);

#endif
