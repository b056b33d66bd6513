/* Devices without TLS, such as an old printer: an app password that is bound to one
 * address, for sending, from a network that the option login-without-tls names.
 *
 * What such a device sends can be read by whoever is between it and this server, the
 * app password too: so it is for this address, this use and nothing else, and
 * no other address is even offered a login. Taken out of the option, a network is
 * offered none any more, whatever rows there are. */
#ifndef AUTH_CLEAR_H
#define AUTH_CLEAR_H

#include "auth/auth.h"

/* May that app password be one for a device without TLS? INPUT, DENIED with the remedy. Does not suspend. */
result clear_check(const struct auth *a, const struct app_password *p) NODISCARD;
/* What edges offer a login without TLS. Suspends. */
result clear_addresses(const struct auth *a, arena *m, struct edge_auth_offers_are *out) NODISCARD;

#endif
