#include "edge/login.h"

result login_ask(struct client *c, const struct login_try *q, struct login_answer *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *auth;
	struct edge_auth_login m = {
		.protocol = q->protocol, .authzid = q->authzid, .user = q->user, .password = q->password,
		.client = str_from(c->text), .encrypted = c->encrypted, .tag = q->tag, .session = q->session,
	};
	struct edge_auth_login_is answer;
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	TRY(edge_auth_login_call(auth, &c->session, &m, &a, &answer));
	*out = (struct login_answer){answer.verdict, answer.account, answer.token, talk_take_fd(&answer.session)};
	edge_auth_login_is_release(&answer);
	if (answer.delay && !c->trusted)
		return fiber_sleep(answer.delay);
	return OK;
}

void login_end(struct client *c, const trace_id *token)
{
	struct channel *auth;
	struct edge_auth_logout m = {.token = *token};
	/* auth forgets a login by itself when it must; this only makes it sooner. */
	if (!failed(neighbour(NEIGHBOUR_AUTH, &auth)) &&
	    failed(edge_auth_logout_offer(auth, &c->session, &m)))
		return;
}

const char *login_sentence(enum edge_auth_login_verdict v)
{
	switch (v) {
	case EDGE_AUTH_LOGIN_VERDICT_ACCEPTED:
		return "Logged in";
	case EDGE_AUTH_LOGIN_VERDICT_REFUSED:
		return "User name or password is wrong; the user name is the whole mail address";
	case EDGE_AUTH_LOGIN_VERDICT_DISABLED:
		return "This account is disabled; ask the administrator of this server";
	case EDGE_AUTH_LOGIN_VERDICT_LATER:
		return "The server is busy with other logins; try again in a moment";
	case EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE:
		return "The mailbox cannot be opened now; try again in a moment";
	}
	return "The server cannot check logins now; try again in a moment";
}
