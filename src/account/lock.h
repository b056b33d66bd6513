/* Which keys open the account: the vault's alone, or the owner's with it.
 *
 * What is true is derived from the folder at the process's start. mail.db opens
 * by the vault's key (or the one that follows it): policy server. Else the file
 * `lock` opens by one of them, and mail.db by the owner's key together with it:
 * locked. `lock` holds the public half of the owner's key, the quota, and what
 * the account held when it was shut last.
 *
 * Changing the policy seals the whole store anew; the rename of mail.db decides,
 * and what a crash leaves undone on either side of it lock_find finishes. Calls
 * block on the disk and suspend for the vault; the store is closed meanwhile.
 * Errors: the engine's, the vault's, DAMAGE, DENIED (another owner's key). */
#ifndef ACCOUNT_LOCK_H
#define ACCOUNT_LOCK_H

#include <stdint.h>

#include "base/fail.h"
#include "talk/own_key.h"
#include "talk/owner_key.h"

struct files;

/* The vault, so that tests can stand in: talk/own_key.h. */
struct lock_vault {
	result (*key)(bool fresh, unsigned char key[OWN_KEY]);
	result (*next)(bool make, unsigned char key[OWN_KEY]);
	result (*follow)(void);
};
extern const struct lock_vault lock_vault_of_rooms;

struct lock_notice {
	struct owner_public owner;
	uint64_t quota, octets, messages;
};

struct lock {
	struct files *files;            /* the caller's, as the next two */
	const struct lock_vault *vault;
	const unsigned char *id;        /* as in store_options */
	bool locked;
	bool open;                      /* the owner's key is here */
	unsigned char key[OWN_KEY];     /* the vault's */
	struct owner_key owner;
	struct lock_notice notice;      /* when locked */
};

result lock_find(struct lock *l) NODISCARD;
void lock_wipe(struct lock *l);
/* Takes the owner's key when it is the right one: DENIED. */
result lock_open(struct lock *l, const struct owner_key *owner) NODISCARD;
/* What opens mail.db now; not while it is locked and not open. The caller wipes it. */
void lock_database(const struct lock *l, unsigned char out[OWN_KEY]);
/* The notice as it is now, on the disk. */
result lock_note(struct lock *l) NODISCARD;

/* Seals all of it anew: to be opened by this owner's key too (it is not locked), or (NULL) by the vault's alone. */
result lock_change(struct lock *l, const struct owner_key *owner) NODISCARD;

#endif
