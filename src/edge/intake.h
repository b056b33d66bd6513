/* A message as it comes in: short ones stay in memory, what is longer than
 * TALK_INLINE_MAX goes piece by piece into the memfd that the other rooms will
 * share, so that it is never held twice.
 *
 * The caller puts octets into `near`, at most INTAKE_STEP_MAX of them, and
 * then calls intake_step. The owner calls intake_free. Nothing suspends. */
#ifndef EDGE_INTAKE_H
#define EDGE_INTAKE_H

#include "base/buf.h"
#include "run/stream.h"
#include "talk/body.h"

enum {
	INTAKE_STEP_MAX = 2 * STREAM_BULK + (8 << 10), /* what is read at once, were each octet of it a bare LF */
};

struct intake {
	buf near;              /* all that came, or what is not in the memfd yet */
	uint64_t far;          /* octets in the memfd */
	uint64_t max;
	int memfd;             /* -1: none */
	enum fail_kind broken; /* LIMIT: more than max; MEMORY */
};

struct intake intake_new(uint64_t max);
void intake_free(struct intake *in); /* leaves an empty one with the same max */
uint64_t intake_size(const struct intake *in);
void intake_step(struct intake *in); /* nothing, once broken */
/* The whole of it; a short one is a view of `in`, a long one has left it. MEMORY, LIMIT (descriptors). */
result intake_body(struct intake *in, struct body *out) NODISCARD;

#endif
