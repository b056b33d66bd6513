/* What a submission may lack and what it must not tell: Date and Message-ID are
 * added (RFC 6409 sections 8.2 and 8.3; RFC 5322 section 3.6), Bcc and
 * Resent-Bcc fields are taken out, folded ones and each of several (RFC 5322
 * section 3.6.3). Nothing else is changed, not an octet.
 *
 * A Date or Message-ID that is there stays, whatever stands in it. Fields are
 * added on top, so that no oddity of the header hides them. Errors: LIMIT,
 * MEMORY. Nothing suspends. */
#ifndef INSPECT_SUBMISSION_H
#define INSPECT_SUBMISSION_H

#include "base/arena.h"
#include "talk/body.h"

enum { SUBMISSION_MAX = 268435456 };

struct submission {
	str message;
	str message_id; /* to add, without angle brackets; empty: none is added */
	int64_t now;    /* seconds since 1970 */
};

/* False: it may go as it is. Otherwise `out` is the message to go on with: in
 * the arena, or in a memfd of its own that the caller frees. */
result submission_normalise(const struct submission *s, arena *a, bool *changed, struct body *out) NODISCARD;

#endif
