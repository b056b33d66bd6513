/* Argon2id in threads of its own, a few at a time and a bounded number waiting,
 * so that neither look-ups nor the machine's memory suffer from logins.
 *
 * Owned by the room; open it after the jail. Calls suspend; the views given
 * stay valid meanwhile because their owner's fiber is the one that waits.
 * Errors: BUSY (too many wait), MEMORY, DENIED (the password is wrong). */
#ifndef AUTH_CHECKER_H
#define AUTH_CHECKER_H

#include "auth/password.h"
#include "auth/scram.h"

enum { CHECKER_WAITING = 128 };

struct checker;

result checker_open(size_t threads, uint64_t memory, struct checker **out) NODISCARD;
void checker_close(struct checker **c);

result checker_hash(struct checker *c, str password, char hash[PASSWORD_HASH_MAX]) NODISCARD;
result checker_seed(struct checker *c, str password, const struct password_cost *cost,
	unsigned char seed[PASSWORD_SEED]) NODISCARD;
/* Hi() of an app password (scram.h). */
result checker_salted(struct checker *c, str secret, str salt, struct scram_key *out) NODISCARD;
/* An empty hash takes as long as a real one and is always DENIED. */
result checker_verify(struct checker *c, str hash, str password) NODISCARD;

#endif
