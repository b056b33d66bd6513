/* A small authority for the certificates of clients, and what it issues: one form,
 * good for TLS clients alone (RFC 5280).
 *
 * Its key is ECDSA on P-256, its certificate good for 20 years, for nothing but
 * leaves below it. What it certifies has the public key and the name that it is told,
 * clientAuth, and a serial number of the caller's; it never ends later than
 * the authority. Public keys: ECDSA on P-256, P-384 and P-521, Ed25519, RSA of 2048 to
 * 4096 bits. Everything is DER. Computes, for less than a millisecond; nothing suspends.
 * INPUT, DAMAGE (an authority that is none), MEMORY. */
#ifndef RUN_TLS_AUTHORITY_H
#define RUN_TLS_AUTHORITY_H

#include "base/buf.h"

enum {
	TLS_AUTHORITY_MAX = 2048, /* octets of its key, and of its certificate */
	TLS_SERIAL = 16,
	TLS_PUBLIC_MAX = 1024,    /* of a SubjectPublicKeyInfo: RSA of 4096 bits has 550 */
	TLS_CLIENT_CERT_MAX = 4096,
	TLS_FINGERPRINT = 32,     /* SHA-256 of the whole certificate */
};

struct tls_authority {
	str key, certificate;
};

/* `key` (PKCS #8) is appended without moving: the caller reserved TLS_AUTHORITY_MAX, and wipes it. `now`: seconds since
 * 1970. */
result tls_authority_make(int64_t now, buf *key, buf *certificate) NODISCARD;

struct tls_client_wish {
	str public;  /* SubjectPublicKeyInfo */
	str subject; /* a mail address: the common name, cut at 64 octets, and, in ASCII, its alternative name */
	unsigned char serial[TLS_SERIAL];
	int64_t from, until;
};
result tls_certify(const struct tls_authority *a, const struct tls_client_wish *w, buf *certificate) NODISCARD;

#endif
