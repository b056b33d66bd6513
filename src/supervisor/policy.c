#include "supervisor/policy.h"

static const struct role_row rows[ROLES] = {
	[ROLE_VAULT] = {"vault", "postern-vault", "keys", R_VAULT, WORKERS_ONE, 4096, TLS_KEY, false, BANS_NOTHING},
	[ROLE_WATCH] = {"watch", "postern-watch", "ledger", R_WATCH, WORKERS_ONE, 65536, TLS_NOTHING, true, BANS_WRITE},
	[ROLE_AUTH] = {"auth", "postern-auth", "directory", R_AUTH, WORKERS_ONE, 65536,
		TLS_NOTHING, true, BANS_NOTHING},
	[ROLE_INSPECT] = {"inspect", "postern-inspect", NULL, R_INSPECT, OPT_INSPECT, 4096,
		TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_QUEUE] = {"queue", "postern-queue", "queue", R_QUEUE, WORKERS_ONE, 4096,
		TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_EDGE_MX] = {"edge-mx", "postern-edge", NULL, R_EDGE, OPT_EDGE_MX, 131072,
		TLS_CERTIFICATE, false, BANS_READ},
	[ROLE_EDGE_CLIENT] = {"edge-client", "postern-edge", NULL, R_EDGE, OPT_EDGE_CLIENT, 131072,
		TLS_CERTIFICATE, false, BANS_READ},
	[ROLE_WEB] = {"web", "postern-web", NULL, R_WEB, WORKERS_ONE, 1024, TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_RESOLVE] = {"resolve", "postern-resolve", NULL, R_RESOLVE, WORKERS_ONE, 4096,
		TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_RELAY] = {"relay", "postern-relay", NULL, R_RELAY, OPT_RELAY, 65536, TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_FETCH] = {"fetch", "postern-fetch", NULL, R_FETCH, WORKERS_ONE, 4096, TLS_NOTHING, false, BANS_NOTHING},
	[ROLE_ACCOUNT] = {"account", "postern-account", NULL, R_ACCOUNT, WORKERS_ON_DEMAND, 4096,
		TLS_NOTHING, false, BANS_NOTHING},
};

struct route {
	enum role from, to;
	const char *pair;
};

static const struct route routes[] = {
	/* every room says what it did */
	{ROLE_VAULT, ROLE_WATCH, "room-watch"},
	{ROLE_AUTH, ROLE_WATCH, "room-watch"},
	{ROLE_INSPECT, ROLE_WATCH, "room-watch"},
	{ROLE_QUEUE, ROLE_WATCH, "room-watch"},
	{ROLE_EDGE_MX, ROLE_WATCH, "room-watch"},
	{ROLE_EDGE_CLIENT, ROLE_WATCH, "room-watch"},
	{ROLE_WEB, ROLE_WATCH, "room-watch"},
	{ROLE_RESOLVE, ROLE_WATCH, "room-watch"},
	{ROLE_RELAY, ROLE_WATCH, "room-watch"},
	{ROLE_FETCH, ROLE_WATCH, "room-watch"},
	{ROLE_ACCOUNT, ROLE_WATCH, "room-watch"},
	/* who keeps a sealed database, or seals for one, asks for keys */
	{ROLE_AUTH, ROLE_VAULT, "principal-vault"},
	{ROLE_WATCH, ROLE_VAULT, "principal-vault"},
	{ROLE_QUEUE, ROLE_VAULT, "principal-vault"},
	{ROLE_ACCOUNT, ROLE_VAULT, "principal-vault"},
	{ROLE_EDGE_MX, ROLE_VAULT, "principal-vault"},
	{ROLE_EDGE_CLIENT, ROLE_VAULT, "principal-vault"},
	{ROLE_RELAY, ROLE_VAULT, "principal-vault"},
	/* a letter's way */
	{ROLE_EDGE_MX, ROLE_AUTH, "edge-auth"},
	{ROLE_EDGE_CLIENT, ROLE_AUTH, "edge-auth"},
	{ROLE_EDGE_MX, ROLE_INSPECT, "asker-inspect"},
	{ROLE_EDGE_CLIENT, ROLE_INSPECT, "asker-inspect"},
	{ROLE_ACCOUNT, ROLE_INSPECT, "asker-inspect"},
	{ROLE_EDGE_MX, ROLE_ACCOUNT, "courier-account"},
	{ROLE_EDGE_CLIENT, ROLE_ACCOUNT, "courier-account"},
	{ROLE_QUEUE, ROLE_ACCOUNT, "courier-account"},
	{ROLE_QUEUE, ROLE_AUTH, "queue-auth"},
	/* accounts that somebody else seems to use: held, and their owners told */
	{ROLE_WATCH, ROLE_AUTH, "watch-auth"},
	{ROLE_AUTH, ROLE_QUEUE, "auth-queue"},
	{ROLE_EDGE_MX, ROLE_QUEUE, "edge-queue"},
	{ROLE_EDGE_CLIENT, ROLE_QUEUE, "edge-queue"},
	/* DNS, for whoever meets other servers or tells of them */
	{ROLE_EDGE_MX, ROLE_RESOLVE, "asker-resolve"},
	{ROLE_EDGE_CLIENT, ROLE_RESOLVE, "asker-resolve"},
	{ROLE_INSPECT, ROLE_RESOLVE, "asker-resolve"},
	{ROLE_AUTH, ROLE_RESOLVE, "asker-resolve"},
	{ROLE_RELAY, ROLE_RESOLVE, "asker-resolve"},
	{ROLE_QUEUE, ROLE_RELAY, "queue-relay"},
	{ROLE_EDGE_MX, ROLE_RELAY, "edge-relay"},
	{ROLE_RELAY, ROLE_AUTH, "relay-auth"},
	{ROLE_RELAY, ROLE_INSPECT, "asker-inspect"},
	{ROLE_FETCH, ROLE_RESOLVE, "asker-resolve"},
	/* HTTPS: policies of MTA-STS, TLS reports on their way */
	{ROLE_RELAY, ROLE_FETCH, "asker-fetch"},
	{ROLE_AUTH, ROLE_FETCH, "asker-fetch"},
	{ROLE_WATCH, ROLE_FETCH, "asker-fetch"},
	/* sessions are handed over by auth alone */
	{ROLE_AUTH, ROLE_ACCOUNT, "auth-account"},
	/* administration */
	{ROLE_WEB, ROLE_AUTH, "web-auth"},
	{ROLE_EDGE_CLIENT, ROLE_WEB, "edge-web"}, /* people's, over HTTPS */
	{ROLE_WEB, ROLE_AUTH, "visitor-auth"},
	{ROLE_WEB, ROLE_QUEUE, "web-queue"},
	{ROLE_WEB, ROLE_WATCH, "web-watch"},
	{ROLE_WEB, ROLE_VAULT, "web-vault"},
};

struct door {
	const char *protocol;
	enum role role;
};

static const struct door doors[] = {
	{"smtp", ROLE_EDGE_MX},          {"submission", ROLE_EDGE_CLIENT}, {"submissions", ROLE_EDGE_CLIENT},
	{"imap", ROLE_EDGE_CLIENT},      {"imaps", ROLE_EDGE_CLIENT},      {"pop3", ROLE_EDGE_CLIENT},
	{"pop3s", ROLE_EDGE_CLIENT},     {"https", ROLE_EDGE_CLIENT},     {"local", ROLE_EDGE_CLIENT},
	{"admin", ROLE_WEB},
};

const struct role_row *role_row_of(enum role role)
{
	return &rows[role];
}

bool role_find(str name, enum role *out)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (str_eq(str_from(rows[i].name), name)) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

bool route_allowed(enum role from, enum role to, str pair)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (routes[i].from == from && routes[i].to == to && str_eq(str_from(routes[i].pair), pair))
			return true;
	return false;
}

bool roles_meet(enum role a, enum role b)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if ((routes[i].from == a && routes[i].to == b) || (routes[i].from == b && routes[i].to == a))
			return true;
	return false;
}

bool role_is_door(enum role role)
{
	for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++)
		if (doors[i].role == role)
			return true;
	return false;
}

bool listener_role(str protocol, enum role *out)
{
	for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
		if (str_eq(str_from(doors[i].protocol), protocol)) {
			*out = doors[i].role;
			return true;
		}
	}
	return false;
}
