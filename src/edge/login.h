/* Asking auth whether a person's secret is right, for all protocols alike.
 *
 * The wait that auth imposes on guessers is taken here, LOGIN_DELAY_MAX_MS at
 * most. Suspends. The caller wipes what held the password. OK also for a
 * refusal: look at the verdict. */
#ifndef EDGE_LOGIN_H
#define EDGE_LOGIN_H

#include "edge/edge.h"
#include "talk/edge_auth.h"

enum { LOGIN_DELAY_MAX_MS = 60000 };

struct login_try {
	enum edge_auth_protocol protocol;
	str authzid, user, password;
	str tag;      /* IMAP: what the account's first answer carries */
	bool session; /* hand the session to the account */
	bool clear;   /* without TLS: only an app password that was made for that will do */
};

struct login_answer {
	enum edge_auth_login_verdict verdict;
	uint64_t account;
	trace_id token;
	char text[EDGE_AUTH_LOGIN_IS_TEXT_MAX + 1]; /* barred, locked: auth's sentence */
	int session; /* the caller's: the stream to the account when the session was asked for and accepted, else -1 */
};

/* The client's network was banned since it connected: what it says is not even looked at. *out is the
 * answer then, after a wait. Suspends. */
bool login_is_banned(struct client *c, struct login_answer *out);
/* Writes *out only when OK. */
result login_ask(struct client *c, const struct login_try *q, struct login_answer *out) NODISCARD;
/* auth's answer, after the wait that it asks for; its session is the caller's from then on. Suspends. */
result login_take(struct client *c, struct edge_auth_login_is *is, bool session, struct login_answer *out) NODISCARD;
/* A process of this machine, by its user id; its account's address is in the arena. */
result login_local(struct client *c, arena *a, struct login_answer *out, str *address) NODISCARD;
/* auth may forget the login: nobody will ask about its token again. */
void login_end(struct client *c, const trace_id *token);
/* After a login to a mailbox, or to HTTP before any: carries bytes between the client
 * and `session`, which it takes, until either ends. Suspends. */
void login_hand_over(struct client *c, str protocol, int session);
/* What ended the exchange ended the connection too, rather than only the login. */
bool login_lost_client(result r);
/* Another secret would do: mail programs ask for one. */
static inline bool login_wants_another(enum edge_auth_login_verdict v)
{
	return v == EDGE_AUTH_LOGIN_VERDICT_REFUSED || v == EDGE_AUTH_LOGIN_VERDICT_BARRED ||
	       v == EDGE_AUTH_LOGIN_VERDICT_LOCKED;
}
/* The sentence for a person; ends with the answer. */
const char *login_sentence(const struct login_answer *a);
/* For when auth gave no answer. */
extern const struct login_answer login_unanswered;

#endif
