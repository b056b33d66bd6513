/* Every DNS record that a domain of this server needs, as an administrator puts
 * them into its zone.
 *
 * Names have no dot at their end; host names inside values have one, so that a
 * value can stand in a zone file as it is, but for TXT: its value is the text
 * itself, without quotes and in one piece. An address record is listed where
 * the server listens on an address of its own rather than on all of them. The
 * rows live in the arena. Suspends (the keys' public halves are on the disk, and
 * a new domain's are made). Errors: those of signing_ready, LIMIT, MEMORY. */
#ifndef AUTH_RECORDS_H
#define AUTH_RECORDS_H

#include "talk/web_auth.h"

struct auth;

enum { RECORDS_KEYS_MAX = 60 }; /* DKIM keys listed; the oldest go first */

result records_of(struct auth *a, str domain, arena *m, struct web_auth_domain_records_are *out) NODISCARD;

#endif
