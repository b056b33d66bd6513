/* Locked accounts at a login, and what changes a lock: the owner's key is drawn,
 * opened by a secret that was proved, handed to the account, and forgotten.
 *
 * Only a secret that was just proved opens; a client certificate never does. The
 * key is drawn once for each time that an account is locked: while its lock
 * holds, the openers have that one, whatever of the rest is done. Calls suspend;
 * keys and seeds are the caller's to wipe. */
#ifndef AUTH_UNLOCK_H
#define AUTH_UNLOCK_H

#include "auth/openers.h"
#include "auth/prove.h"

enum { UNLOCK_CHANGE_MS = 3600 * 1000, UNLOCK_ASK_MS = 20000, UNLOCK_ARENA = 256 << 10 };

/* The owner's key by the proved secret: DENIED with a sentence for the person. */
result unlock_by(struct auth *a, const struct proof *p, struct owner_key *out) NODISCARD;
/* What a login makes of a lock that is wanted, half done, or to be released; what fails is left for the next one. */
void unlock_settle(struct auth *a, const struct proof *p);
/* The key is here: it is sealed for openers that have nothing yet. Best effort. */
void unlock_spread(struct auth *a, uint64_t account, const struct owner_key *owner);

/* A wanted lock becomes one, by the password that was proved. */
result unlock_lock(struct auth *a, uint64_t account, str password) NODISCARD;
/* A lock that is to be released; `owner` NULL: where the account is open. BUSY: it is shut. */
result unlock_release(struct auth *a, uint64_t account, const struct owner_key *owner) NODISCARD;

/* Is it the owner's password? DENIED. `record` (or NULL): as it was then; wiped by the caller. */
result unlock_check(struct auth *a, uint64_t account, str password, struct account_record *record) NODISCARD;

/* Openers' seeds and rows. */
result unlock_password_opener(struct auth *a, str password, struct opener *out) NODISCARD; /* a fresh one */
struct opener unlock_app_opener(const struct scram_key *client);
struct opener_seed unlock_recovery_seed(const char *letters); /* APP_SECRET_LETTERS of them */
/* Has the account seal its owner's key for this opener; BUSY: it is shut. */
result unlock_seal_for(struct auth *a, uint64_t account, struct opener *o) NODISCARD;

#endif
