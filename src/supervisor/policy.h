/* The two tables that make the house: which rooms there are, and which room
 * may be connected to which.
 *
 * Constant data; nothing suspends. What is not in routes[] is refused, so this
 * file is the whole answer to "who can talk to whom". */
#ifndef SUPERVISOR_POLICY_H
#define SUPERVISOR_POLICY_H

#include "base/str.h"
#include "config/options.h"

enum role {
	ROLE_VAULT,
	ROLE_WATCH,
	ROLE_AUTH,
	ROLE_INSPECT,
	ROLE_QUEUE,
	ROLE_EDGE_MX,
	ROLE_EDGE_CLIENT,
	ROLE_WEB,
	ROLE_RESOLVE,
	ROLE_RELAY,
	ROLE_FETCH,
	ROLE_ACCOUNT,
	ROLES,
};

enum tls_part { TLS_NOTHING, TLS_CERTIFICATE, TLS_KEY };
enum bans_part { BANS_NOTHING, BANS_READ, BANS_WRITE };

struct role_row {
	const char *name;
	const char *program;  /* of the executable beside posternd */
	const char *folder;   /* its own folder below the data directory, NULL: none */
	unsigned settings;    /* which options it is told: a bit of enum option_rooms */
	int workers;          /* the option that says how many, -1: exactly one, -2: on demand */
	uint32_t files;       /* limit of open descriptors */
	enum tls_part tls;    /* what it is given of certificate and key */
	bool places;          /* it looks up countries and networks of addresses */
	enum bans_part bans;  /* what it does with the page of bans */
};

enum { WORKERS_ONE = -1, WORKERS_ON_DEMAND = -2 };

/* User ids: uid-base + role for the rooms, uid-base + UID_ACCOUNTS + id for accounts. */
enum { UID_ACCOUNTS = 100 };

const struct role_row *role_row_of(enum role role);
bool role_find(str name, enum role *out);
/* May a room of the one role get a channel to the other that speaks this pair? */
bool route_allowed(enum role from, enum role to, str pair);
/* May there be a channel between them, whoever asked for it? */
bool roles_meet(enum role a, enum role b);
/* Which roles accept connections of clients, by the listener's protocol name. */
bool listener_role(str protocol, enum role *out);
bool role_is_door(enum role role);

#endif
