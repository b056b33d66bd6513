/* Mechanisms whose messages auth alone understands, as SMTP, IMAP and POP3 carry
 * them in base64 (RFC 4954, 9051, 5034): SCRAM-SHA-256 and -PLUS (scram.c), and
 * EXTERNAL (external.c). This side adds what it knows of the TLS connection. */
#ifndef EDGE_SASL_H
#define EDGE_SASL_H

#include "edge/login.h"

/* How a protocol carries the exchange. */
struct sasl_carrier {
	struct client *client;
	enum edge_auth_protocol protocol;
	str before;        /* what begins the server's lines: "334 ", "+ " */
	enum line_end end; /* of the client's */
	str tag;           /* IMAP: what the account's first answer carries */
	bool session;
	bool has_initial;
	str initial; /* base64, or "=" */
};

enum sasl_mechanism { SASL_SCRAM, SASL_SCRAM_PLUS, SASL_EXTERNAL, SASL_MECHANISMS, SASL_OTHER = SASL_MECHANISMS };

/* Which it is, if this client may use it. */
enum sasl_mechanism sasl_find(const struct client *c, str name);
/* Puts " WORD" for each that is offered; `before` stands before the name ("AUTH="). Suspends. */
void sasl_put_mechanisms(const struct client *c, str before, buf *out);

/* Runs one to its end. OK: *out is auth's answer, and the account's address is in `user`. CANCELLED or INPUT from the
 * client's answers, as sasl_decode says; the connection's ends; LATER is an answer. Suspends. */
result sasl_run(const struct sasl_carrier *c, enum sasl_mechanism m, buf *user, struct login_answer *out) NODISCARD;

/* For the mechanisms. Suspend. */
result sasl_say(const struct sasl_carrier *c, str message) NODISCARD;
result sasl_hear(const struct sasl_carrier *c, buf *out) NODISCARD;
result sasl_hear_first(const struct sasl_carrier *c, buf *out) NODISCARD; /* the initial response, or one asked for */
/* auth gave no answer; what cancelled the session stays a failure. */
result sasl_later(struct login_answer *out, result r) NODISCARD;
bool external_is_possible(const struct client *c); /* a certificate was shown; does not suspend */
result external_run(const struct sasl_carrier *c, buf *user, struct login_answer *out) NODISCARD;
result scram_run(const struct sasl_carrier *c, bool plus, buf *user, struct login_answer *out) NODISCARD;

#endif
