/* What tls.c and its kin share. */
#ifndef RUN_TLS_CORE_H
#define RUN_TLS_CORE_H

#include <openssl/ssl.h>

#include "run/tls.h"

struct tls_context {
	SSL_CTX *ssl;
	str alpn;
	size_t users; /* the owner and each session */
};

/* A session that knows neither its side nor whom it speaks to. */
result tls_begin(struct tls_context *c, int fd, struct tls **out) NODISCARD;
SSL *tls_ssl(const struct tls *t);
/* For OpenSSL's readers of PEM: one with a passphrase must not ask on a terminal. */
int tls_no_passphrase(char *p, int n, int writing, void *ctx);
BIO *tls_pem_view(str pem); /* of what stays the caller's, for those readers; NULL: no memory, or far too long */

#endif
