/* One mail transaction over an open session (RFC 5321 3.3; RFC 2920, 3030, 3461,
 * 2852, 6531, 8689, 9422; RFC 2033 for LMTP).
 *
 * Settles the recipients the server answered for, at most as many as it takes at
 * once; those it had too many of stay unsettled for the next transaction. A
 * trouble tells that the connection broke or that this server cannot take the
 * message at all: what is unsettled then may be tried elsewhere. Suspends. */
#ifndef RELAY_TRANSACTION_H
#define RELAY_TRANSACTION_H

#include "relay/errand.h"

struct trouble transact(struct session *s, struct errand *e);
/* Whether this server can take the message, and why not (lasting). Not suspending. */
struct trouble message_fits(const struct session *s, const struct errand *e);

#endif
