/* A self-signed certificate, for the demo, the tests, and a first start before
 * a real one is there; and what DNS says of any. ECDSA on P-256, valid from an hour ago. */
#ifndef RUN_TLS_CERT_H
#define RUN_TLS_CERT_H

#include "base/buf.h"

enum { TLS_CERT_NAMES_MAX = 100, TLS_CERT_DAYS_MAX = 3650, TLS_PEM_MAX = 64 * 1024 };

/* PEM; the owner frees both (the key is wiped first). */
struct tls_pem {
	buf chain;
	buf key;
};

/* `names`: host names or IP addresses, the first also as common name. INPUT for
 * a name that cannot stand in a certificate, LIMIT, MEMORY. */
result tls_self_signed(const str *names, size_t n, unsigned days, struct tls_pem *out) NODISCARD;
void tls_pem_free(struct tls_pem *pem);

/* SHA-256 of the first certificate's public key (SubjectPublicKeyInfo), which a
 * TLSA record of type 3 1 1 holds (RFC 6698 2.1, RFC 7671 5.1). INPUT: no PEM. */
enum { TLS_KEY_DIGEST = 32 };
result tls_key_digest(str chain, unsigned char out[TLS_KEY_DIGEST]) NODISCARD;

#endif
