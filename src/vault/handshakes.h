/* The private key of the server's certificate: signs TLS handshakes, is never given away.
 *
 * It comes from the supervisor, which reads its file, at each start; nothing
 * of it is kept here. Signatures are computed on threads of their own, so that
 * neither a flood of letters to sign (signing.h) nor one of handshakes delays
 * the other: handshakes_sign suspends. Errors: ABSENT without a key, INPUT for
 * what this key does not sign, BUSY when too many wait, MEMORY. */
#ifndef VAULT_HANDSHAKES_H
#define VAULT_HANDSHAKES_H

#include "run/tls_far.h"

enum { HANDSHAKES_THREADS = 2, HANDSHAKES_WAITING = 4096 };

struct handshakes;

/* `pem` is the key without passphrase, empty where the server has no TLS. INPUT. Before the jail. */
result handshakes_read(str pem, struct handshakes **out) NODISCARD;
result handshakes_open(struct handshakes *h) NODISCARD; /* its threads; after the jail */
void handshakes_close(struct handshakes **h);           /* no call is under way */

/* Appends the signature. */
result handshakes_sign(struct handshakes *h, const struct tls_to_sign *what, buf *out) NODISCARD;

#endif
