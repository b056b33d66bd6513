/* TLS with a private key that lives in another process.
 *
 * A provider for OpenSSL whose keys hold the certificate's public half and whose
 * signatures are the caller's: `sign` is asked once for each full handshake
 * (a resumed session needs none). It may suspend its fiber; other sessions use
 * OpenSSL meanwhile, so the thread's error queue is emptied when it returns.
 * A process has one signer. RSA from 2048 bits, ECDSA, Ed25519.
 * Sources: RFC 8446 4.4.3, 5246 7.4.3, 8422 5.4. */
#ifndef RUN_TLS_FAR_H
#define RUN_TLS_FAR_H

#include "run/tls.h"

enum tls_scheme { TLS_ECDSA, TLS_RSA_PKCS1, TLS_RSA_PSS, TLS_ED25519 };
enum tls_hash { TLS_SHA256, TLS_SHA384, TLS_SHA512 };
enum { TLS_TO_SIGN_MAX = 512, TLS_SIGNATURE_MAX = 1024 };

struct tls_to_sign {
	enum tls_scheme scheme;
	enum tls_hash hash; /* that `bytes` is the digest of; nothing for Ed25519, which signs the bytes */
	str bytes;
};

/* Appends the signature, at most TLS_SIGNATURE_MAX bytes. */
struct tls_signer {
	result (*sign)(void *ctx, const struct tls_to_sign *what, buf *out);
	void *ctx;
};

/* Before the jail, once; `signer` must outlive the contexts. MEMORY. */
result tls_far_open(const struct tls_signer *signer) NODISCARD;
void tls_far_close(void); /* no context is left; without open it does nothing */
/* As tls_server_context; the key is whatever the signer has. INPUT. */
result tls_far_context(str chain, struct tls_context **out) NODISCARD;

/* The other end. A key from PEM that has no passphrase; the caller's, EVP_PKEY_free. INPUT. */
result tls_key_read(str pem, struct evp_pkey_st **out) NODISCARD;
/* What the holder of `key` does with one. INPUT when the key does
 * not sign in that way; MEMORY. Computes; any thread. */
result tls_far_sign(struct evp_pkey_st *key, const struct tls_to_sign *what, buf *out) NODISCARD;

#endif
