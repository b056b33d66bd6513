/* The client's side of a certificate: its key, which never reaches the server.
 *
 * Either it is made here and leaves in a PKCS #12 file under a passphrase made for it
 * (RFC 7292), or the device made it and only a request (PKCS #10, RFC 2986) comes here.
 * X.509 and its kin are read by OpenSSL alone. Nothing suspends. INPUT, MEMORY. */
#ifndef CLI_CLIENT_KEY_H
#define CLI_CLIENT_KEY_H

#include "base/buf.h"

enum {
	CLIENT_REQUEST_MAX = 16384, /* octets of a request */
	CLIENT_PUBLIC_MAX = 1400,
	CLIENT_PASSPHRASE = 26,     /* 128 bits and more */
	CLIENT_FILE_MAX = 65536,
};

struct evp_pkey_st;

/* ECDSA on P-256; OpenSSL's to free. NULL: out of memory. */
struct evp_pkey_st *client_key_make(void);
/* SubjectPublicKeyInfo, DER in base64, appended. */
result client_key_public(struct evp_pkey_st *key, buf *out) NODISCARD;
/* The same of a request (PEM) that its key signed. */
result client_request_public(str pem, buf *out) NODISCARD;

struct client_file {
	struct evp_pkey_st *key;
	const char *certificate, *authority, *name; /* PEM; what programs show it as */
};
/* Appends it, and makes its passphrase: lower-case letters and digits, no terminator. */
result client_file_make(const struct client_file *f, char passphrase[CLIENT_PASSPHRASE], buf *out) NODISCARD;

#endif
