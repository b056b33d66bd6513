/* The account opens: at once where the policy is `server`; where it is locked,
 * when a session brings the owner's key, and then never shuts again: after the
 * last session and the option lock-grace the process asks to be ended, and its
 * memory goes with it.
 *
 * While it is shut, and until what arrived meanwhile is merged, letters go to
 * account.arrivals. All suspend. */
#ifndef ACCOUNT_OPENING_H
#define ACCOUNT_OPENING_H

#include <stdint.h>

#include "base/fail.h"
#include "talk/owner_key.h"

enum {
	OPENING_AGAIN_MS = 5000,    /* a merge that failed is tried again */
	OPENING_PATIENCE_MS = 5000, /* so long a session waits for a merge: the rest comes while it is there */
};

/* account.files, lock.vault and options are set. */
result opening_start(void) NODISCARD;
/* Nothing goes on any more: the store is closed, the keys are forgotten. */
void opening_stop(void);

/* A session's: opens the account when it is shut. DENIED: another's key. */
result opening_by(const struct owner_key *owner) NODISCARD;
/* Until all that arrived is in mailboxes, or cannot be for now, or so long. CLOSED: it does not open any more. */
result opening_await(uint64_t ms) NODISCARD;
/* Until nothing is sealed anew. CLOSED. */
result opening_await_change(void) NODISCARD;
void opening_left(void); /* a session has ended; does not suspend */

/* Another policy, everything sealed anew; sessions end. `owner`: NULL: by the vault's key alone. It is open. */
result opening_change(const struct owner_key *owner) NODISCARD;
/* What is used, as far as a shut account knows; nothing suspends. */
void opening_noted(uint64_t *octets, uint64_t *quota);
result opening_quota(uint64_t octets) NODISCARD;

#endif
