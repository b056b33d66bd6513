/* Where mail for an address goes: the whole answer, of the book, the routes and
 * the rewritten senders together. The answer's texts are the arena's. Suspends
 * only for a rewritten sender. */
#ifndef AUTH_RECIPIENT_H
#define AUTH_RECIPIENT_H

#include "auth/auth.h"
#include "talk/edge_auth.h"

result recipient_find(struct auth *a, str address, arena *m, struct edge_auth_recipient_is *out) NODISCARD;

#endif
