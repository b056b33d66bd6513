/* What reports of every kind share: whom they come from, and their signatures.
 * Suspends (auth, vault). What is given lives in the arena. */
#ifndef RELAY_REPORTER_H
#define RELAY_REPORTER_H

#include "base/buf.h"
#include "base/log.h"
#include "talk/asker_inspect.h"

struct reporter {
	const trace_id *trace; /* whose story it belongs to */
	arena *arena;
	str domain;            /* mail comes from postmaster there */
	struct asker_inspect_signer *signers;
	size_t n;
};

/* For reports to that address; it may be empty. `trace` and `arena` are set. */
result reporter_find(struct reporter *r, str address) NODISCARD;
/* DKIM-Signature fields, filled by vault. */
struct to_sign {
	const struct asker_inspect_signature *p;
	size_t n;
};
result reporter_sign(const struct reporter *r, struct to_sign s, buf *out) NODISCARD;
/* An id in hexadecimal digits at this server's name: leads to the story in the log. */
str reporter_message_id(const trace_id *id, arena *a);

#endif
