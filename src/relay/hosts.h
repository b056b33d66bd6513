/* Which servers take a destination's mail, and at which addresses (RFC 5321
 * section 5.1, RFC 7505). All calls suspend (resolve).
 *
 * Views live in the arena. What is no success is a trouble: a name that does not
 * exist, a null MX, or ourselves as the best server last for good; what resolve
 * could not find out is for later. */
#ifndef RELAY_HOSTS_H
#define RELAY_HOSTS_H

#include "relay/limits.h"
#include "relay/trouble.h"
#include "run/net.h"
#include "talk/asker_resolve.h"
#include "talk/relay_auth.h"

/* How mail for a destination goes: auth's route, or the destination's MX. */
struct way {
	str destination; /* as the queue names it */
	str name;        /* whose servers are looked up: the destination, or the route's host */
	bool route;      /* an administrator named it, so no look-up can have put another in its place */
	bool mx;         /* look for MX records */
	bool lmtp;
	enum relay_auth_tls tls;
	uint16_t port;
	str user, password; /* user empty: no login */
};

struct host {
	str name;
	uint16_t preference;
	uint32_t turn;  /* the order among equals (RFC 5321: at random) */
	bool literal;   /* an address, in: */
	net_addr address;
};

struct hosts {
	struct host p[RELAY_HOSTS_MAX];
	size_t n;
	bool secure; /* nobody can have put other servers in their place: DNSSEC, or a route */
};

struct addresses {
	net_addr p[RELAY_ADDRESSES_MAX];
	size_t n;
	bool secure;   /* both look-ups were validated */
	str canonical; /* where securely found CNAMEs led; empty: the name itself */
};

result dns_ask(str name, uint16_t type, arena *a, struct asker_resolve_looked_up *out) NODISCARD;
struct trouble hosts_find(const struct way *w, arena *a, struct hosts *out);
/* Both families in turns, those kept back from the Internet left out unless `relay-private`. */
struct trouble addresses_find(const struct way *w, const struct host *h, arena *a, struct addresses *out);

/* Whether this name is our own. */
bool is_ourselves(str name);

#endif
