/* The keys folder: every principal's key, wrapped by the master key (masters.h).
 *
 *   wrapped/NAME      nonce | sealed 32 bytes | tag, bound to NAME
 *   wrapped/NAME-next the key that is to take its place, while its owner seals everything anew
 *   erased/NAME       an empty file: this principal's key was destroyed
 *   dkim/NAME         a private key that signs: signing.h
 *
 * NAME is the principal as the supervisor spells it ("account-42"). A key is
 * made once: an existing or an erased one is never replaced (EXISTS, DENIED).
 * Wrappings for a queue item are not stored here; they are bound to the name of
 * the only principal that may have them opened. For an erased principal nothing
 * is given, wrapped or opened any more (DENIED).
 *
 * Files are synced before a key is given out. All keys are 32 bytes; the
 * caller wipes its copies. Errors: DISK, ABSENT, EXISTS, DENIED, DAMAGE, and BUSY
 * while the vault is locked.
 * Nothing suspends: the folder is the process's current one, reads are small. */
#ifndef VAULT_KEYS_H
#define VAULT_KEYS_H

#include "vault/masters.h"

enum { KEY_SIZE = 32, KEY_WRAPPED = KEY_SIZE + MASTER_SEALED_MORE, PRINCIPAL_MAX = 64 };

struct keys;

result keys_open(struct masters *m, struct keys **out) NODISCARD; /* `m` outlives it */
void keys_close(struct keys **k);

result keys_make(struct keys *k, str principal, unsigned char key[KEY_SIZE]) NODISCARD;
result keys_get(struct keys *k, str principal, unsigned char key[KEY_SIZE]) NODISCARD;
result keys_erase(struct keys *k, str principal) NODISCARD; /* twice is fine */

/* The key that follows: made at the first question, the same until it has followed. Then it is the principal's, and
 * the one before is destroyed. keys_follow: OK also when there is none; again after a crash it does what was left. */
result keys_next(struct keys *k, str principal, bool make, unsigned char key[KEY_SIZE]) NODISCARD; /* ABSENT */
result keys_follow(struct keys *k, str principal) NODISCARD;

/* A fresh random key and its wrapping for `principal`. */
result keys_wrap_new(struct keys *k, str principal, unsigned char key[KEY_SIZE], unsigned char wrapped[KEY_WRAPPED])
	NODISCARD;
/* DAMAGE when the wrapping was made for somebody else, or is no wrapping. */
result keys_unwrap(struct keys *k, str principal, str wrapped, unsigned char key[KEY_SIZE]) NODISCARD;

/* Any few octets (another room's private key) sealed by the master key under a
 * name of the caller's, which unsealing must tell again: DAMAGE otherwise. */
enum { KEY_SEALED_MORE = MASTER_SEALED_MORE };
result keys_seal(const struct keys *k, str bound_to, str plain, buf *out) NODISCARD;
result keys_unseal(const struct keys *k, str bound_to, str sealed, buf *out) NODISCARD; /* wipe it */

/* Every principal's key wrapped anew by the master key in force. Suspends between files. */
result keys_rewrap(struct keys *k) NODISCARD;

#endif
