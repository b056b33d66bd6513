/* Who a message is from, and what has to be signed of it.
 *
 * A key of DKIM signs when the message has one From field with one address, of
 * the key's very domain: then the signature is aligned and speaks for what
 * readers see. Signed is in relaxed form the whole body, hashed once for all
 * keys, and the fields of grammar/dkim/dkim_fields.h. Received and what else the
 * server prints above the message is not covered. Errors: LIMIT, MEMORY.
 * Nothing suspends. */
#ifndef INSPECT_SIGNING_H
#define INSPECT_SIGNING_H

#include "grammar/mime/facts.h"
#include "talk/asker_inspect.h"

/* Of the From field, A-labels; empty: no such field, or it names several. */
result from_domain(const struct header *h, arena *a, str *out) NODISCARD;

struct signing_wish {
	str message;
	str domain;      /* what from_domain found; empty: nothing is signed */
	int64_t now;
	const struct asker_inspect_signer *signers;
	size_t n;
};
/* As many as apply; they and what they hold live in the arena. */
result signing_digests(const struct signing_wish *w, arena *a, struct asker_inspect_signature **out, size_t *n)
	NODISCARD;

#endif
