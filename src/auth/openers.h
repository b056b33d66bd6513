/* Locked accounts in the directory: which are, and what opens them.
 *
 * A row of `lock` for an account that is locked, is to be, or is to be so no
 * longer; rows of `opener` for secrets whose public half is known, with the
 * owner's key sealed to it (talk/owner_key.h) or nothing yet. App passwords
 * have theirs in any account, so that an account can be locked without them.
 *
 * If an account's lock is SEALING, LOCKED or RELEASING, its password's and its
 * recovery key's openers hold the one owner's key whose public half is `public`.
 * A password and its opener change in one transaction; an app password's go with
 * its row. Calls suspend. ABSENT, DAMAGE, and the database's errors. */
#ifndef AUTH_OPENERS_H
#define AUTH_OPENERS_H

#include "auth/app_passwords.h"
#include "talk/owner_key.h"

/* A sentence each, since rows live long. */
enum lock_state {
	LOCK_NONE = 0,      /* no row: policy server */
	LOCK_WANTED = 1,    /* to be locked at the owner's next login by password; its recovery key's opener is there */
	LOCK_SEALING = 2,   /* the owner's key is drawn and sealed; the account may not have taken it yet */
	LOCK_LOCKED = 3,    /* the account has it */
	LOCK_RELEASING = 4, /* locked, and to be released at the next login that opens it */
};
static inline bool lock_holds(enum lock_state s)
{
	return s >= LOCK_SEALING;
}

enum opener_kind { OPENER_PASSWORD = 0, OPENER_APP = 1, OPENER_RECOVERY = 2 };

enum { OPENERS_MAX = 2 + 2 * APP_PASSWORDS_MAX }; /* the password's, the recovery key's, two of each app password */

/* How a password's seed is made: an Argon2id apart from the hash's. */
struct opener_cost {
	unsigned char salt[16];
	uint32_t passes;
	uint64_t memory;
};

struct opener {
	uint64_t id;           /* 0: not kept yet */
	enum opener_kind kind;
	uint64_t app_password; /* 0: none */
	struct opener_cost cost; /* of a password's */
	struct owner_public public;
	bool sealed;
	unsigned char box[OWNER_SEALED];
};

struct account_lock {
	enum lock_state state;
	struct owner_public public; /* zeros while WANTED */
	struct opener *v;
	size_t n;
};

/* Also of an account that has no lock: its app passwords' openers. The arena's. */
result lock_read(struct directory *d, uint64_t account, arena *a, struct account_lock *out) NODISCARD;

/* The row, and these openers: those with an id are written over, others are new; a password's or recovery key's
 * replaces the one before. `hash` (empty: none) becomes the password's in the same transaction. */
struct lock_change {
	uint64_t account;
	enum lock_state from, state; /* CONFLICT when it is another one by now, */
	str had;                     /* or the password's hash (empty: whatever it is) */
	struct owner_public public;
	const struct opener *v;
	size_t n;
	str hash;
};
result lock_put(struct directory *d, const struct lock_change *c) NODISCARD;
/* No lock any more; app passwords keep their public halves alone. */
result lock_drop(struct directory *d, uint64_t account) NODISCARD;

/* On the store thread, in the transaction that keeps the app password. */
struct db;
result opener_insert(struct db *db, uint64_t account, const struct opener *o) NODISCARD;

#endif
