/* Is this person who they say, and then: their session handed to their account.
 *
 * An unknown user, a wrong password and an account that is being erased cost
 * the same time and get the same verdict. The answer carries how long the edge
 * waits before it tells the client (throttle.h); a right password from a network
 * that guesses waits as well, or guessing in parallel would be free. Nobody is
 * locked out. Suspends. OK whatever the verdict. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "auth/auth.h"
#include "talk/edge_auth.h"

/* `channel`: where the token is given. */
struct login_question {
	const struct edge_auth_login *asked;
	const void *channel;
	const trace_id *trace;
};
result login_answer(struct auth *a, const struct login_question *q, struct edge_auth_login_is *answer) NODISCARD;

/* After a change of password, at disabling and erasing. */
void login_forget(struct auth *a, uint64_t account);

#endif
