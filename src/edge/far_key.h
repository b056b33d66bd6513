/* The server's certificate without its key: each full handshake has the vault
 * sign (run/tls_far.h), which suspends the session's fiber for at most
 * NEIGHBOUR_KEY_MS; without the vault there is no new session. */
#ifndef EDGE_FAR_KEY_H
#define EDGE_FAR_KEY_H

#include "run/tls.h"

enum far_key_use { FAR_KEY_MAIL, FAR_KEY_WEB }; /* which protocols a client may name (ALPN); others are refused */

/* All before the jail. `chain` in PEM. INPUT, MEMORY. */
result far_key_open(void) NODISCARD; /* once, first */
result far_key_context(str chain, enum far_key_use use, struct tls_context **out) NODISCARD;

#endif
