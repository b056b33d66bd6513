/* The master key, where it comes from, and those it has replaced.
 *
 *   master.key        source FILE: 32 random bytes, mode 0600, made at the first start
 *   master.sealed     source PASSPHRASE: the same 32 bytes sealed by Argon2id of it
 *   former/N          the N-th replaced key, sealed by the one that followed it
 *   check             sealed by the master key: tells whether this is the right one
 *   unfinished        an empty file: something may still be sealed by a former key
 *
 * With source CREDENTIAL nothing of the key is in the folder: the service
 * manager hands it over at each start (systemd's LoadCredentialEncrypted= seals
 * it to a TPM2 where there is one).
 *
 * What was sealed by a former key still opens, so a replacement is in force at
 * once and may be carried through afterwards (keys_rewrap, signing_rewrap). A
 * crash at any point leaves the old key or the new one in force, never neither.
 *
 * Errors: DAMAGE what does not open; BUSY while locked; DENIED a wrong
 * passphrase; ABSENT, INPUT, CONFLICT, LIMIT, DISK with sentences for the
 * operator. Nothing suspends; Argon2id takes about half a second. */
#ifndef VAULT_MASTERS_H
#define VAULT_MASTERS_H

#include "base/buf.h"

enum {
	MASTER_SIZE = 32,
	MASTER_SEALED_MORE = 24 + 16,
	MASTERS_MAX = 64, /* the current one and former ones */
	MASTERS_PHRASE_MIN = 12, MASTERS_PHRASE_MAX = 1024,
};

enum masters_source { MASTERS_FILE, MASTERS_CREDENTIAL, MASTERS_PASSPHRASE }; /* as option master-key */

struct masters; /* in locked memory */

/* `secret`: the credential (32 bytes, or 64 hexadecimal digits), or the passphrase; `former`: the
 * credential before it, when it was exchanged. Views that end with the call. */
struct masters_told {
	enum masters_source source;
	str secret;
	str former;
};

/* The current folder. With source PASSPHRASE and no secret it opens locked. */
result masters_open(const struct masters_told *told, struct masters **out) NODISCARD;
void masters_close(struct masters **m);
bool masters_locked(const struct masters *m);
result masters_unlock(struct masters *m, str passphrase) NODISCARD;
/* A new random key takes the place of the current one; the passphrase where that is the source.
 * CONFLICT where the key is a credential, which its owner exchanges. */
result masters_rotate(struct masters *m, str passphrase) NODISCARD;
/* Another passphrase for the key in force. DENIED, INPUT. */
result masters_rephrase(struct masters *m, str passphrase, str next) NODISCARD;
/* Whether something may still be sealed by a former key; finish says that all was sealed anew. */
bool masters_unfinished(const struct masters *m);
result masters_finish(struct masters *m) NODISCARD;
enum masters_source masters_source(const struct masters *m);
size_t masters_count(const struct masters *m); /* the current one and former ones; 0 while locked */

/* Sealed bytes are plain.n + MASTER_SEALED_MORE; they open only under the same `bound`. */
result masters_seal(const struct masters *m, str bound, str plain, unsigned char *out) NODISCARD;
result masters_unseal(const struct masters *m, str bound, str sealed, unsigned char *out) NODISCARD;

#endif
