/* Pages of the directory for administrators, ordered by name.
 *
 * A page begins behind `after`, has at most as many rows as its message and
 * ends earlier where the next row would not fit into LISTING_OCTETS. Rows and
 * their texts live in the arena. Suspends. Errors: the database's and the
 * arena's. */
#ifndef AUTH_LISTING_H
#define AUTH_LISTING_H

#include "auth/directory.h"
#include "talk/web_auth.h"

enum {
	LISTING_OCTETS = 96 * 1024, /* of texts and rows in one answer: a packet holds it */
	LISTING_ROW = 64,           /* counted for a row beside its texts */
	LISTING_DOMAINS = 200,
	LISTING_ACCOUNTS = 200,
	LISTING_ALIASES = 100,
	LISTING_ROUTES = 50,
	LISTING_RIGHTS = 1000,      /* addresses, and rights to send, in an account's answer */
};

struct listing {
	struct directory *d;
	arena *arena;
	str after;
};

result listing_domains(const struct listing *l, struct web_auth_domains *out) NODISCARD;
result listing_accounts(const struct listing *l, struct web_auth_accounts *out) NODISCARD;
result listing_aliases(const struct listing *l, struct web_auth_aliases *out) NODISCARD;

/* By id; not suspending. */
result listing_routes(const struct routes *r, uint64_t after, arena *m, struct web_auth_routes *out) NODISCARD;

/* All addresses that lead to the account, and those it may send as beside them;
 * each cut at LISTING_RIGHTS and half of LISTING_OCTETS. Not suspending. */
result listing_rights(const struct listing *l, const struct book_account *who,
	struct web_auth_account_is *out) NODISCARD;

#endif
