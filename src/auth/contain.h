/* Accounts that somebody else seems to use.
 *
 * Contained means: what the account sends to other servers is held (queue/contain.h),
 * everything that was logged in is out, and its owner and the administrators have a
 * letter that says what happened and which command ends it. Its owner can log in and
 * reads the mail that goes on arriving: an attacker locks nobody out. It outlives
 * restarts; queue is told again until it has said so, and until then the account
 * sends nothing at all; and what is logged in then ends once more. */
#ifndef AUTH_CONTAIN_H
#define AUTH_CONTAIN_H

#include "auth/auth.h"

enum { CONTAIN_RETRY_MS = 1000, CONTAIN_ADMINS = 20 };

struct suspicion {
	uint64_t account;
	str by;  /* a detector, "administrator" */
	str why; /* a sentence */
};

/* Blocks; once, before the work begins. */
result contain_open(struct auth *a) NODISCARD;
void contain_close(struct auth *a);

/* OK too when it is contained already: then nothing happens. Suspends. */
result contain_begin(struct auth *a, const struct suspicion *s) NODISCARD;
/* ABSENT: it is not contained. BUSY: the queue does not answer, and it stays contained. *recipients: of mail
 * that goes now, or (without `release`) that stays held. Suspends. */
result contain_end(struct auth *a, uint64_t account, bool release, uint64_t *recipients) NODISCARD;
/* Not contained, but its owner or the administrators should know. account 0: about none. Suspends. */
struct word {
	struct suspicion about;
	bool owner, admin;
};
result contain_tell(struct auth *a, const struct word *w) NODISCARD;

int64_t contain_since(const struct auth *a, uint64_t account); /* seconds since 1970; 0: it is not */
/* The queue does not hold its mail yet, so none may be taken. */
bool contain_is_pending(const struct auth *a, uint64_t account);
/* Tells the queue what it has not said it knows, until cancelled. */
void contain_run(struct auth *a);

#endif
