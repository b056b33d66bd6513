/* One connection to a mail server, from connect to QUIT: greeting, EHLO or LHLO,
 * STARTTLS, AUTH (RFC 5321, 3207, 4954, 2033).
 *
 * session_open answers with a trouble, never with a session that is less than
 * the policy demands. The session belongs to its caller until it is given to
 * kept.h. Everything suspends. */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include "base/list.h"
#include "grammar/smtp/smtp_offer.h"
#include "relay/hosts.h"
#include "run/stream.h"
#include "run/tls_peer.h"

/* What TLS with a server must be. */
enum need { NEED_NOTHING, NEED_TLS, NEED_PKIX, NEED_DANE };
struct policy {
	enum need need;
	enum queue_relay_verified proves; /* what a session that fulfils it is called */
	bool implicit;   /* TLS from the first octet */
	bool plain;      /* do not try TLS: it failed, and nothing asks for it */
	bool watched;    /* nothing is demanded, but what is missing is reported (MTA-STS in testing) */
	str name;        /* TLS name of the host, where it is not the host's own */
	str other;       /* a second name the certificate may be for */
	const struct tls_tlsa *tlsa;
	size_t tlsa_n;
	str says;        /* who wants it, in words: "the domain's MTA-STS policy" */
	bool authentic;  /* nobody can have put this host in the place of the right one */
	str type, domain, text; /* for TLS reports: RFC 8460 4.2 */
	str failed_with;        /* 4.3.2: what is wrong before any server is asked; empty: nothing */
};

/* How the TLS of an attempt ended: RFC 8460 4.3; both empty: it succeeded, or was not tried. */
struct tls_end {
	str result;
	str detail;
	bool tried;
	bool connected;
	net_addr local; /* then: where we called from */
};

struct session {
	struct list node; /* in kept.h's lists */
	struct list same;
	struct stream *stream;
	struct smtp_offer offer;
	net_addr address;
	char host[256];
	size_t host_n;
	char tls_version[16], tls_cipher[64];
	enum queue_relay_verified verified;
	bool lmtp;
	bool authentic;    /* nobody can have put this server in the place of the right one */
	bool dirty;        /* a transaction was left half done: RSET first */
	bool broken;       /* no further command */
	unsigned messages; /* transactions so far */
	uint64_t kept_at;
	char *key;         /* kept.h's */
	size_t key_n;
};

struct call {
	const struct way *way;
	const struct host *host;
	const struct policy *policy;
	const net_addr *address;
	arena *arena;
};

struct trouble session_open(const struct call *c, struct tls_end *tls, struct session **out);
/* The same over a connection that is there already; takes fd. */
struct trouble session_on(const struct call *c, int fd, struct tls_end *tls, struct session **out);
void session_free(struct session **s); /* at once */
void session_quit(struct session **s); /* QUIT, waits a little, frees */

struct answer {
	struct smtp_reply reply;
	buf text;
};
static inline bool answer_is(const struct answer *a, unsigned class)
{
	return a->reply.code / 100 == class;
}
/* The next reply. `text` is kept in `out`, which the caller frees. */
result session_answer(struct session *s, uint64_t ms, struct answer *out) NODISCARD;
/* Writes a command with its CRLF and reads the reply. */
result session_ask(struct session *s, str command, uint64_t ms, struct answer *out) NODISCARD;
static inline struct answer answer_new(void)
{
	return (struct answer){.text = buf_new(64 * 1024)};
}
static inline void answer_free(struct answer *a)
{
	buf_free(&a->text);
}
#define AUTO_ANSWER __attribute__((cleanup(answer_free)))

str session_host(const struct session *s);

#endif
