/* What auth says is worth offering to a client that has not logged in, kept until
 * the directory changes: SCRAM, which only app passwords work with (a mail
 * program that prefers it would fail where nobody has one); client certificates,
 * asked for in the handshake only where somebody has one; and the addresses of
 * devices that may log in without TLS. */
#ifndef EDGE_OFFERS_H
#define EDGE_OFFERS_H

#include "run/net.h"
#include "talk/edge_auth.h"

enum { OFFERS_ARENA = 65536, OFFERS_TRIES = 3 };

struct offers {
	bool known;
	bool scram;
	uint64_t changes; /* of the directory, counted */
	net_addr clear[EDGE_AUTH_OFFERS_ARE_CLEAR_MAX];
	size_t clear_n;
	char authority[EDGE_AUTH_OFFERS_ARE_AUTHORITY_MAX]; /* that handshakes ask for certificates of */
	size_t authority_n;
};

struct client;
struct edge;

/* Suspends when it is not known. Nothing is offered when auth does not answer in NEIGHBOUR_OFFERS_MS. The view
 * ends with the next wait. */
const struct offers *offers_for(const struct client *c);
void offers_forget(struct edge *e);

/* A device for whose address an app password without TLS was made; the session is not encrypted, and of SMTP
 * submission. Suspends. */
bool offers_clear(const struct client *c);

#endif
