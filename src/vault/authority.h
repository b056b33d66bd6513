/* The authority for client certificates: its key is made here, signs here, and is
 * never given away.
 *
 *   authority    sealed by the master key: length of the key (u16), the key
 *                (PKCS #8), its certificate (run/tls_authority.h)
 *
 * It is made at the first certificate and signs nothing else than those of one form:
 * for TLS clients, with the name and number that auth says. Who may use
 * one where is auth's affair. Calls block on one small file; nothing suspends. INPUT (a
 * public key that will not do), BUSY (no master key yet), DISK, DAMAGE, MEMORY. */
#ifndef VAULT_AUTHORITY_H
#define VAULT_AUTHORITY_H

#include "run/tls_authority.h"
#include "vault/keys.h"

/* Both in DER, appended. */
struct authority_issued {
	buf certificate, authority;
};
result authority_certify(const struct keys *k, const struct tls_client_wish *w, struct authority_issued *out) NODISCARD;

/* Sealed anew by the master key in force; OK where there is none. */
result authority_rewrap(const struct keys *k) NODISCARD;

#endif
