/* The audit log's signing key: made here, used here, never given away.
 *
 *   audit.key    sealed by the master key: the Ed25519 seed (RFC 8032)
 *   audit.head   sealed: the last head that was signed (u64 seq, hash)
 *
 * It signs statements about heads of the log alone (grammar/audit), and only ones
 * that follow the last: whoever takes over watch cannot have a history signed that
 * replaces a signed one. The head is synced before the signature is given.
 * Calls block on small files; nothing suspends. DENIED, DISK, DAMAGE, MEMORY. */
#ifndef VAULT_AUDIT_KEY_H
#define VAULT_AUDIT_KEY_H

#include "grammar/audit/audit_chain.h"
#include "vault/keys.h"

struct audit_key_is {
	unsigned char public[AUDIT_KEY];
	uint64_t seq;
	struct audit_hash hash;
};

/* Makes the key when there is none and nothing was signed. */
result audit_key_get(struct keys *k, struct audit_key_is *out) NODISCARD;

struct audit_head {
	uint64_t seq;
	struct audit_hash hash;
	str time; /* AUDIT_TIME octets */
};
result audit_key_sign(struct keys *k, const struct audit_head *h, unsigned char signature[AUDIT_SIGNATURE]) NODISCARD;

/* Both files sealed anew by the master key in force. */
result audit_key_rewrap(struct keys *k) NODISCARD;

#endif
