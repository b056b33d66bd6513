/* The messages of the SASL mechanisms PLAIN (RFC 4616) and LOGIN (a draft that
 * never became an RFC), and the base64 they travel in (RFC 4954, RFC 9051).
 *
 * Views point into the decoded message. It holds a password: it belongs into
 * memory that its owner wipes, and nothing here copies it elsewhere. Nothing
 * suspends. */
#ifndef GRAMMAR_SASL_H
#define GRAMMAR_SASL_H

#include "base/buf.h"

/* Octets. */
enum {
	SASL_NAME_MAX = 255,
	SASL_PASSWORD_MAX = 1024,
	SASL_MESSAGE_MAX = 2 * (SASL_NAME_MAX + 1) + SASL_PASSWORD_MAX,
	SASL_LINE_MAX = (SASL_MESSAGE_MAX + 2) / 3 * 4,
};

/* What the server sends in LOGIN: "Username:" and "Password:" in base64. */
#define SASL_LOGIN_USERNAME STR("VXNlcm5hbWU6")
#define SASL_LOGIN_PASSWORD STR("UGFzc3dvcmQ6")

struct sasl_plain {
	str authzid; /* whom to act as; empty: the same as authcid */
	str authcid; /* who logs in */
	str passwd;
};

/* A client's line or initial response. CANCELLED for "*"; INPUT when it is not
 * base64; LIMIT above SASL_LINE_MAX or the ceiling of `out`. */
result sasl_decode(str line, buf *out) NODISCARD;
result sasl_plain_parse(str message, struct sasl_plain *out) NODISCARD; /* INPUT, LIMIT */
void sasl_plain_print(buf *out, const struct sasl_plain *p);		/* the client's side, before base64 */
/* One answer in LOGIN: not empty, UTF-8, no NUL, at most `max` octets. */
result sasl_login_check(str answer, size_t max) NODISCARD;

#endif
