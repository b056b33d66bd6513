/* TLS by OpenSSL 3 on a non-blocking socket: 1.2 and 1.3, no renegotiation, no
 * compression, stateless tickets, no session cache.
 *
 * A tls_context holds certificate and key and may be replaced at any time:
 * running sessions keep what they began with. Make one before the jail, so
 * that OpenSSL has read its configuration. A struct tls is one session on a
 * descriptor that stays the caller's. The try_ calls never suspend; most
 * callers use stream.h, which does. Sources: RFC 8446, 5246, 7301 (ALPN),
 * 5929 and 9266 (channel binding). */
#ifndef RUN_TLS_H
#define RUN_TLS_H

#include "base/buf.h"
#include "base/fail.h"
#include "base/str.h"
#include "run/fiber.h"

enum { TLS_TICKET_KEYS = 80, TLS_NAME_MAX = 255, TLS_BINDING_MAX = 64, TLS_HANDSHAKE_MS = 30000 };

struct tls_context;
struct tls;

/* PEM: the chain, leaf first; INPUT when they do not parse or do not belong together. */
result tls_server_context(str chain, str key, struct tls_context **out) NODISCARD;
/* Verifies against `roots` (PEM) and the name given to tls_client; empty roots verify nothing. */
result tls_client_context(str roots, struct tls_context **out) NODISCARD;
void tls_context_free(struct tls_context **c);
/* What the server speaks, best first, in wire form ("\4imap"); static. Without
 * a common one the handshake ends (RFC 7301 3.2): who wanted to speak another protocol is not answered in ours. A
 * client that names none is served. */
void tls_context_alpn(struct tls_context *c, str protocols);
/* 80 bytes shared by the workers of a pool, so that any of them resumes; changed daily. */
result tls_context_ticket_keys(struct tls_context *c, str keys) NODISCARD;
struct evp_pkey_st;
/* For a key that lives elsewhere: `key` signs through a provider of the caller's. */
result tls_server_context_key(str chain, struct evp_pkey_st *key, struct tls_context **out) NODISCARD;

/* OpenSSL's memory is wiped when it is given back, as mem_forget has it; before OpenSSL's first call. */
void tls_forget(void);

result tls_server(struct tls_context *c, int fd, struct tls **out) NODISCARD;
result tls_client(struct tls_context *c, int fd, str name, struct tls **out) NODISCARD;
void tls_free(struct tls **t);

/* Suspends. NETWORK (with a sentence for the log in tls_error), TIMEOUT, CANCELLED. */
result tls_handshake(struct tls *t, struct fd_watch *w, uint64_t timeout_ms) NODISCARD;

/* What one try brought: bytes, or what the descriptor must do first. */
struct tls_step {
	size_t done;
	int wants; /* 0, FD_READ or FD_WRITE */
};

/* OK with done > 0 or with wants; CLOSED after close_notify, NETWORK when the connection broke (also when it
 * ended without close_notify). A write that wants is repeated with the same bytes. */
result tls_try_read(struct tls *t, char *p, size_t n, struct tls_step *out) NODISCARD;
result tls_try_write(struct tls *t, str bytes, struct tls_step *out) NODISCARD;
/* Sends close_notify; does not wait for the other's. */
result tls_try_end(struct tls *t, int *wants) NODISCARD;

struct tls_facts {
	const char *version; /* "TLSv1.3"; static */
	const char *cipher;
	int bits;
	bool resumed;
	str alpn; /* empty when none; ends with the session */
};
void tls_facts(const struct tls *t, struct tls_facts *out);
const char *tls_error(void); /* why the last call failed, for the log; until the next call */

/* Channel binding for SCRAM-PLUS. ABSENT where it is not defined: "tls-exporter"
 * (32 bytes) needs TLS 1.3; "tls-server-end-point" a certificate with a known hash. */
result tls_exporter(struct tls *t, buf *out) NODISCARD;
result tls_end_point(struct tls *t, buf *out) NODISCARD;

#endif
