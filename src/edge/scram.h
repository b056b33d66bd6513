/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677) as SMTP, IMAP and POP3
 * carry them: base64 to and fro between the client and auth, which alone knows
 * what is proved. This side adds what it knows of the TLS connection (channel
 * binding, RFC 5929 and 9266) and reads no message. */
#ifndef EDGE_SCRAM_H
#define EDGE_SCRAM_H

#include "edge/login.h"

/* How a protocol carries the exchange. */
struct scram_carrier {
	struct client *client;
	enum edge_auth_protocol protocol;
	str before;        /* what begins the server's lines: "334 ", "+ " */
	enum line_end end; /* of the client's */
	str tag;           /* IMAP: what the account's first answer carries */
	bool session;
	bool has_initial;
	str initial; /* base64 */
};

/* Whether to offer SCRAM: only app passwords work with it, and a mail program that prefers it would fail with a
 * person's password where nobody has one. Kept until the directory changes; false when auth does not answer.
 * Suspends. */
bool scram_is_offered(const struct client *c);
void scram_forget(struct edge *e);
bool scram_offers_plus(const struct client *c);
/* Is it one of the two that this client may use? *plus: which. */
bool scram_is_mechanism(const struct client *c, str name, bool *plus);
/* Puts " WORD" for each that is offered; `before` stands before the name ("AUTH="). Suspends. */
void scram_put_mechanisms(const struct client *c, str before, buf *out);

/* Runs it to its end. OK: *out is auth's answer, and the account's address is in
 * `user`; of an accepted one the client has confirmed the server's signature.
 * CANCELLED or INPUT from the client's answers, as sasl_decode says; the
 * connection's ends; LATER is an answer. Suspends. */
result scram_run(const struct scram_carrier *c, bool plus, buf *user, struct login_answer *out) NODISCARD;

#endif
