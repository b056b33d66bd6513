/* Asks an account's process how full its mailbox is; it is started for that
 * when it does not run. Suspends for at most USAGE_MS, then TIMEOUT: an account
 * that is in trouble must not hold up its administrator. */
#ifndef AUTH_USAGE_H
#define AUTH_USAGE_H

#include "auth/auth.h"

enum { USAGE_MS = 2000 };

struct usage {
	uint64_t messages, octets, quota;
	uint32_t mailboxes, sessions;
	bool shut;        /* a locked account, whose owner is away: as it was when it was shut */
	uint64_t waiting; /* messages that came since */
};

result usage_ask(struct auth *a, uint64_t account, struct usage *out) NODISCARD;

#endif
