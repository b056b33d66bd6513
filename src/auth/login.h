/* Is this person who they say, and then: their session handed to their account.
 *
 * An unknown user, a wrong secret and an account that is being erased cost
 * the same time and get the same verdict. The answer carries how long the edge
 * waits before it tells the client (throttle.h); a right secret from a network
 * that guesses waits as well, or guessing in parallel would be free. Nobody is
 * locked out. Why a right secret does not do is told only to who had it.
 * Suspends. OK whatever the verdict. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "auth/prove.h"

/* `channel`: where the token is given. */
struct login_question {
	const struct edge_auth_login *asked;
	const void *channel;
	const trace_id *trace;
};
result login_answer(struct auth *a, const struct login_question *q, struct edge_auth_login_is *answer) NODISCARD;
/* What follows once it is known whether the secret was right. */
result login_conclude(struct auth *a, const struct login_try *t, struct proof *p,
	struct edge_auth_login_is *answer) NODISCARD;

/* Whom the name concerns; NULL: nobody, or one whose place another wants to take. */
struct book_account *login_claimed(const struct auth *a, str authzid, str user);

/* After a change of password, at disabling and erasing. */
void login_forget(struct auth *a, uint64_t account);
/* The app password is good for nothing any more. */
void login_forget_app(struct auth *a, uint64_t account, uint64_t app_password);
/* Ends open sessions in mailboxes: those that the credential opened (0: the
 * person's own password), or all. Best effort: an account that cannot be reached
 * has none. Suspends. */
void login_end_sessions(struct auth *a, uint64_t account, uint64_t credential, bool all);

#endif
