/* The edges that have heard who receives somewhere and may have kept it: they
 * hear when the directory changes.
 *
 * An edge is in the audience from an answer that it may keep until it was told
 * of a change or has left, so a change costs a packet for each edge at work and
 * an edge that does not read is told once. audience_tell returns when every
 * packet is in its socket; an edge whose socket is full loses its channel, which
 * tells it as much. Nothing suspends. */
#ifndef AUTH_AUDIENCE_H
#define AUTH_AUDIENCE_H

#include "base/hash.h"

struct channel;

enum { AUDIENCE_MAX = 1000 };

struct audience {
	hash edges; /* by visitor, to its channel */
};

void audience_init(struct audience *a);
void audience_free(struct audience *a);

/* LIMIT or MEMORY: the answer must not be given, its hearer would not be told. */
result audience_add(struct audience *a, const void *visitor, struct channel *c) NODISCARD;
void audience_left(struct audience *a, const void *visitor);
void audience_tell(struct audience *a);

#endif
