/* SASL as a client, for a route's login (RFC 4954, 4616): PLAIN, else LOGIN, and
 * only over TLS. A refused login is for later: an administrator has to mend it.
 * Suspends. */
#ifndef RELAY_LOGIN_H
#define RELAY_LOGIN_H

#include "relay/session.h"

struct trouble login(struct session *s, const struct call *c, struct answer *is);

#endif
