/* From server to server and address to address until every recipient is settled
 * (RFC 5321 section 5.1). Suspends.
 *
 * `use` is what is done over a session: a transaction, or a question. Fills all
 * of `sent` but the outcomes: host, address and TLS are those of the server that
 * spoke last. */
#ifndef RELAY_ATTEMPT_H
#define RELAY_ATTEMPT_H

#include "relay/errand.h"

typedef struct trouble (*session_use)(struct session *s, struct errand *e);

void attempt_all(struct errand *e, session_use use, struct queue_relay_sent *sent);

#endif
