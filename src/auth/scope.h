/* Where a login may come from: protocols and networks, as an app password or an
 * account's rule names them.
 *
 * A list that is empty permits everything. Protocols are bits by enum
 * edge_auth_protocol; networks are CIDRs or single addresses, separated by
 * blanks. Nothing suspends. */
#ifndef AUTH_SCOPE_H
#define AUTH_SCOPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "talk/edge_auth.h"

enum scope_limits { SCOPE_PROTOCOLS = 4, SCOPE_NETWORKS = 16, SCOPE_NETWORK_TEXT = 64 };

struct scope {
	unsigned protocols;
	str networks;
};

struct scope_words {
	const str *protocols, *networks;
	size_t protocols_n, networks_n;
};
/* INPUT with the remedy. The views are the arena's. */
result scope_of_words(const struct scope_words *w, arena *a, struct scope *out) NODISCARD;
/* And back, for showing; arrays of the arena. */
result scope_protocols(const struct scope *s, arena *a, str **out, size_t *n) NODISCARD;
result scope_networks(const struct scope *s, arena *a, str **out, size_t *n) NODISCARD;

bool scope_has_protocol(const struct scope *s, enum edge_auth_protocol p);
bool scope_has_client(const struct scope *s, str client);

#endif
