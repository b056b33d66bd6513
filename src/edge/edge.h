/* What the parts of an edge share: the process and one client's connection.
 *
 * One program is edge-mx (port 25) and edge-client (submission, IMAP, POP3, HTTPS). It holds
 * mail and passwords only while they pass, has no files and no keys of its own:
 * vault signs its handshakes. All of it runs on fibers; one client is one fiber. */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include "base/log.h"
#include "config/options.h"
#include "edge/bans.h"
#include "edge/limits.h"
#include "edge/neighbours.h"
#include "edge/offers.h"
#include "edge/quotas.h"
#include "edge/recipients.h"
#include "edge/signers.h"
#include "run/budget.h"
#include "run/net.h"
#include "run/stream.h"
#include "run/tls.h"
#include "talk/item_keys.h"

struct edge {
	struct options options;
	struct tls_context *tls, *tls_web; /* for mail, and for HTTPS: each refuses what speaks the other */
	struct budget transit;
	struct limits limits;
	struct quotas quotas;
	struct recipients recipients;
	struct signers signers;
	struct offers offers;
	struct item_keys relay_keys; /* that letters for the relay are sealed with */
	bool sealing;       /* a large message is being sealed for the queue */
	struct gate sealed; /* no more */
	struct networks proxies; /* that speak PROXY v2 */
	struct bans bans;
	bool demo;
	bool stopping;
};

/* What begins as nothing, before the loop. */
void edge_init(struct edge *e);

enum { CLIENT_GOODBYE_MS = 10000 };

enum client_protocol { CLIENT_SMTP, CLIENT_SUBMISSION, CLIENT_IMAP, CLIENT_POP3, CLIENT_WEB, CLIENT_LOCAL };

struct client {
	struct edge *edge;
	struct stream *stream;
	enum client_protocol protocol;
	bool encrypted;
	net_addr address;      /* of the client: the peer's, PROXY's or XCLIENT's */
	char text[NET_TEXT_MAX]; /* the same, printed without port */
	/* The demo's opening for clients on loopback that do not use XCLIENT: no
	 * throttling, logins without TLS. Always false outside the demo. */
	bool trusted;
	bool stalled;          /* it ended because its time was over */
	bool busy;             /* a whole letter is being kept, or the account speaks */
	bool from_loopback;    /* the connection itself: XCLIENT is heard in the demo */
	uint32_t uid;          /* CLIENT_LOCAL: of the process that connected */
	bool uncounted;        /* not in the limits table (any more) */
	trace_id session;
};

/* A program of this machine, on the local socket. */
void client_set_user(struct client *c, uint32_t uid);
/* Counts only against the number of all connections. */
bool client_is_exempt(const struct client *c);
/* What watch's page says of its network now. */
enum ban_grade client_grade(const struct client *c, struct ban_row *row);
/* Sets address, text and trusted. */
void client_set_address(struct client *c, const net_addr *a, bool announced);
/* May this client send a password now? */
bool client_may_login(const struct client *c);
/* TLS by STARTTLS or from the start; logs failures. Suspends. */
result client_start_tls(struct client *c) NODISCARD;
/* How long this client may take, by an option of time: less under pressure (limits.h), before it has logged in. */
uint64_t client_time(const struct client *c, enum option_id time);
/* True when the line is a request of HTTP, which is then in the log: the session says so and ends. */
bool client_speaks_http(const struct client *c, str line);
/* Sends what was said last and ends the connection, at most CLIENT_GOODBYE_MS. Suspends unless cancelled. */
void client_end(struct client *c);
/* What no honest program does: an event, by which watch finds attackers. `what` is a word or two. */
void client_abuses(const struct client *c, const char *what);
void client_misspeaks(const struct client *c); /* a command made no sense: no harm, unless there are many */
enum { TRACE_TEXT = 32 };
void trace_text(const trace_id *id, char out[TRACE_TEXT]); /* hex, no terminator */

/* The sessions; each suspends until its client has gone. client_session runs
 * the one of the client's protocol. */
void client_session(struct client *c);
void smtp_session(struct client *c);
void imap_session(struct client *c);
void pop3_session(struct client *c);
void web_session(struct client *c);

#endif
