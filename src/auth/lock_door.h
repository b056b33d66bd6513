/* What administrators ask about locked accounts; handlers of the door that web
 * uses (web_door.c). Every change is an event. */
#ifndef AUTH_LOCK_DOOR_H
#define AUTH_LOCK_DOOR_H

#include "talk/web_auth.h"

struct auth;

result lock_door_policy(struct arrival *in, struct web_auth_account_policy *m,
	struct web_auth_account_policy_is *answer) NODISCARD;
result lock_door_recover(struct arrival *in, struct web_auth_account_recover *m, struct web_auth_done *answer)
	NODISCARD;

/* A person's new password, given as such and as its hash: in a locked account with its opener. CONFLICT with a sentence
 * where nobody has the owner's key to seal for it. Suspends. */
struct new_password {
	uint64_t account;
	str password; /* empty: only its hash is known */
	str hash;
};
result lock_door_set_hash(struct auth *a, const struct new_password *n) NODISCARD;

#endif
