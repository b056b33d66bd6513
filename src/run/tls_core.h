/* What tls.c and tls_context.c share. */
#ifndef RUN_TLS_CORE_H
#define RUN_TLS_CORE_H

#include <openssl/ssl.h>

#include "run/tls.h"

struct tls_context {
	SSL_CTX *ssl;
	str alpn;
	size_t users; /* the owner and each session */
};

#endif
