/* Who is attacking: events in, measures out (ARCHITECTURE.md, "Who is attacking").
 *
 * detect_take looks at each event once and never waits; what it asks for goes to
 * `measures` at once. Habits outlive a restart through the ledger, written down
 * FLUSH_MS after something was seen; scores begin at nothing. Owns its tables,
 * which are bounded (limits.h). */
#ifndef WATCH_DETECT_DETECT_H
#define WATCH_DETECT_DETECT_H

#include "run/places.h"
#include "talk/settings.h"
#include "watch/ledger.h"
#include "watch/measures.h"

struct detect;

struct detect_options {
	struct measures measures;
	struct ledger *ledger;              /* outlives it; NULL: nothing is remembered */
	struct networks never;              /* clients that nothing is held against; the caller's */
	struct places *const *places;       /* where the newest databases are; NULL inside: there are none */
};

/* On a fiber. Suspends: reads what was remembered. */
result detect_open(const struct detect_options *o, struct detect **out) NODISCARD;
void detect_take(struct detect *d, const struct entry *e, const struct log_record *r);
/* Does the account usually log in from there? */
bool detect_is_familiar(const struct detect *d, uint64_t account, str client);
/* What speaks against the network of an address now, in words, for `postern ban why`; empty: nothing. */
void detect_tell(struct detect *d, const net_addr *a, buf *out);
void detect_close(struct detect **d); /* writes down what changed; suspends */

#endif
