/* Who receives at an address, as auth has said, so that not every RCPT asks.
 *
 * Only addresses that accounts receive at are kept: what is refused asks every
 * time. Everything is forgotten when auth says that the directory changed or its
 * channel ends (recipients_drop). An answer to a question from before then is
 * not kept: recipients_time tells when it was asked. The caller makes sure that
 * auth has said nothing yet unread when it uses what it found.
 *
 * Bounded by entries and octets; what was not asked for since half of that came
 * is forgotten. Without memory less is kept. Nothing suspends or fails. */
#ifndef EDGE_RECIPIENTS_H
#define EDGE_RECIPIENTS_H

#include "base/hash.h"

enum recipients_limits {
	RECIPIENTS_ENTRIES = 8192,
	RECIPIENTS_OCTETS = 2 << 20,
	RECIPIENTS_ENTRY = 160, /* octets of an entry besides its address and accounts */
};

/* Valid until the next call. */
struct recipients_accounts {
	const uint64_t *p;
	size_t n;
};

struct recipients {
	hash young, old; /* what came or was found lately, and what did before */
	size_t octets;   /* of the young */
	uint64_t time;   /* how often everything was forgotten */
};

void recipients_init(struct recipients *r);
void recipients_free(struct recipients *r);

uint64_t recipients_time(const struct recipients *r);
void recipients_drop(struct recipients *r);

bool recipients_find(struct recipients *r, str address, struct recipients_accounts *out);
void recipients_keep(struct recipients *r, uint64_t asked, str address, const struct recipients_accounts *to);

#endif
