/* Certificates that clients show a server (RFC 8446 4.3.2, 4.4.2; 5246 7.4.4, 7.4.6).
 *
 * A server context with an authority asks each client for a certificate; none has to
 * be shown, and one that is shown and not good counts as none: such a client may
 * still have a password. Sessions that showed one are never resumed, nor are those of
 * before the context asked: what is known of a client was proved in this very
 * handshake. Nothing suspends. */
#ifndef RUN_TLS_VISITOR_H
#define RUN_TLS_VISITOR_H

#include "run/tls.h"
#include "run/tls_authority.h"

enum {
	TLS_VISITOR_CHAIN_MAX = 16384, /* octets; no more than OpenSSL has for a message anyhow */
	TLS_VISITOR_NAME_MAX = 64,
};

/* DER; empty: nobody is asked from now on. Running sessions keep what they began with. INPUT, MEMORY. */
result tls_context_authority(struct tls_context *c, str certificate) NODISCARD;

struct tls_visitor {
	unsigned char fingerprint[TLS_FINGERPRINT];
	char name[TLS_VISITOR_NAME_MAX + 1]; /* the common name; for the log */
};
/* After the handshake: a certificate that the authority issued and that has not expired. */
bool tls_visitor(const struct tls *t, struct tls_visitor *out);

#endif
