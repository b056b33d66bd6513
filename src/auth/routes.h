/* The ways that mail goes instead of to its destination's MX, in memory; they
 * mirror directory.db's, without the passwords.
 *
 * A route is named by its row's id and found by what it matches: a recipient's
 * address, a recipient's domain, a sender's address or domain, or a domain that
 * this server is a backup for (`relayed`). At most one of a kind has a text.
 * A domain route with an empty text is everything's; no other has one, for a
 * relayed one would make this an open relay. Texts are in the form of address.h. The table owns its rows.
 * Adding fails with LIMIT or MEMORY and then changes nothing; nothing suspends. */
#ifndef AUTH_ROUTES_H
#define AUTH_ROUTES_H

#include "auth/address.h"
#include "base/hash.h"
#include "base/list.h"

enum { ROUTES_MAX = 100000, ROUTE_HOST_MAX = 255 };

enum route_kind { ROUTE_RECIPIENT, ROUTE_DOMAIN, ROUTE_SENDER, ROUTE_RELAYED, ROUTE_KINDS };
enum route_protocol { ROUTE_SMTP, ROUTE_LMTP, ROUTE_PROTOCOLS };
enum route_tls { ROUTE_OPPORTUNISTIC, ROUTE_REQUIRED, ROUTE_VERIFIED, ROUTE_IMPLICIT, ROUTE_TLS_KINDS };

struct route {
	struct list node;
	uint64_t id;
	enum route_kind kind;
	str match;
	str host; /* A-labels or an address literal; empty: the destination's MX */
	str user; /* empty: no login */
	uint16_t port;
	bool mx;
	enum route_protocol protocol;
	enum route_tls tls;
};

struct routes {
	hash of[ROUTE_KINDS];
	hash ids;
	struct list list; /* by id */
	uint64_t table;   /* another number whenever the routes are others */
};

void routes_init(struct routes *r);
void routes_free(struct routes *r);
result routes_add(struct routes *r, const struct route *n) NODISCARD; /* copies the texts */
void routes_remove(struct routes *r, struct route *gone);

struct route *routes_find(const struct routes *r, enum route_kind kind, str match);
struct route *routes_by_id(const struct routes *r, uint64_t id);
/* The nearest first: the recipient, its domain when that is relayed, its domain,
 * the sender, the sender's domain, everything. Null reverse-paths and what is no
 * address match only what matches everything. NULL: the MX. */
struct route *routes_choose(const struct routes *r, str sender, str recipient);

#endif
