/* Passwords of people: Argon2id by libsodium, and the rules for new ones.
 *
 * Hashing and verifying take tens of milliseconds and the configured memory:
 * they run in bounded worker threads, never on the loop. A hash is a printable
 * text that carries its parameters. Rules follow NIST SP 800-63B 5.1.1.2:
 * length and a list of common passwords, no composition rules. Nothing here
 * suspends; callers wipe what they hold. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/fail.h"
#include "base/str.h"

enum { PASSWORD_MIN = 10, PASSWORD_MAX = 1024, PASSWORD_HASH_MAX = 128, PASSWORD_PASSES = 2 };

result password_hash(str password, uint64_t memory, char hash[PASSWORD_HASH_MAX]) NODISCARD;
/* OK, DENIED (wrong), MEMORY. `hash` may be any Argon2id text, or one of hashes.h. */
result password_verify(str hash, str password) NODISCARD;
/* 32 octets that follow from the password, apart from its hash: another salt of 16 octets. */
enum { PASSWORD_SEED = 32 };
struct password_cost {
	const unsigned char *salt;
	uint32_t passes;
	uint64_t memory;
};
result password_seed(str password, const struct password_cost *cost, unsigned char seed[PASSWORD_SEED]) NODISCARD;
/* Is it such a text, or one of hashes.h? For hashes that an administrator brings along. */
bool password_is_hash(str hash);
/* Made elsewhere, or with less than is asked for now: to be made anew at the next login. */
bool password_is_weak(str hash, uint64_t memory);
/* INPUT with the remedy when a new password is too short, too common, or the address itself. */
result password_acceptable(str password, str address) NODISCARD;

#endif
