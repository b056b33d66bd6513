#include "edge/login.h"

#include <unistd.h>

#include "run/carry.h"

bool login_is_banned(struct client *c, struct login_answer *out)
{
	static const char text[] = "Logins from this network are refused just now, because attacks came from it; "
		"the administrator of this server can say why";
	struct ban_row row;
	if (client_grade(c, &row) != BAN_FULL)
		return false;
	bans_count(&c->edge->bans, &row);
	result r = fiber_sleep(bans_pause(BAN_DELAY));
	(void)r; /* cancelled: the next wait ends the session */
	*out = (struct login_answer){.verdict = EDGE_AUTH_LOGIN_VERDICT_BARRED, .session = -1};
	memcpy(out->text, text, sizeof text);
	return true;
}

/* A guesser waits for the longer of what auth and watch say. */
static result wait_for_answer(const struct client *c, const struct edge_auth_login_is *is)
{
	struct ban_row row;
	uint64_t wait = c->trusted ? 0 : is->delay < LOGIN_DELAY_MAX_MS ? is->delay : LOGIN_DELAY_MAX_MS;
	uint64_t pause = is->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED ? 0 : bans_pause(client_grade(c, &row));
	uint64_t longer = wait > pause ? wait : pause;
	return longer ? fiber_sleep(longer) : OK;
}

result login_take(struct client *c, struct edge_auth_login_is *is, bool session, struct login_answer *out)
{
	TRY(wait_for_answer(c, is));
	session = session && is->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	*out = (struct login_answer){.verdict = is->verdict, .account = is->account, .token = is->token,
		.session = session ? talk_take_fd(&is->session) : -1};
	memcpy(out->text, is->text.p ? is->text.p : "", is->text.n);
	return OK;
}

result login_ask(struct client *c, const struct login_try *q, struct login_answer *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *auth;
	struct edge_auth_login m = {
		.protocol = q->protocol, .authzid = q->authzid, .user = q->user, .password = q->password,
		.client = str_from(c->text), .encrypted = c->encrypted, .tag = q->tag, .session = q->session,
		.clear = q->clear,
	};
	struct edge_auth_login_is is;
	const struct asking ask = {.trace = &c->session, .arena = &a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	if (login_is_banned(c, out))
		return OK;
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_login_call_within(auth, &ask, &m, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not check logins now");
	r = login_take(c, &is, q->session, out);
	edge_auth_login_is_release(&is);
	return r;
}

result login_local(struct client *c, arena *a, struct login_answer *out, str *address)
{
	struct channel *auth;
	const struct edge_auth_local_login m = {.uid = c->uid};
	struct edge_auth_login_is is;
	const struct asking ask = {.trace = &c->session, .arena = a, .timeout_ms = NEIGHBOUR_LOGIN_MS};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_local_login_call_within(auth, &ask, &m, &is);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not look up users now");
	*out = (struct login_answer){.verdict = is.verdict, .account = is.account, .token = is.token, .session = -1};
	*address = arena_dup(a, is.address);
	edge_auth_login_is_release(&is);
	return arena_result(a);
}

void login_end(struct client *c, const trace_id *token)
{
	struct channel *auth;
	struct edge_auth_logout m = {.token = *token};
	result r = neighbour(NEIGHBOUR_AUTH, &auth);
	if (!failed(r))
		r = edge_auth_logout_offer(auth, &c->session, &m);
	(void)r; /* auth forgets a login by itself when it must; this only makes it sooner */
}

void login_hand_over(struct client *c, str protocol, int session)
{
	struct stream *inner;
	log_event(EV_SESSION, &c->session, F_STR("client", str_from(c->text)), F_STR("protocol", protocol));
	stream_set_deadline(c->stream, FIBER_FOREVER);
	stream_set_idle(c->stream, FIBER_FOREVER); /* the account ends idle sessions */
	if (failed(stream_open(session, &inner))) {
		close(session);
		return;
	}
	/* When the server stops, the account says goodbye, which alone knows what the client waits for. */
	c->busy = c->protocol != CLIENT_WEB;
	result r = carry(c->stream, inner);
	c->busy = false;
	stream_free(&inner);
	if (!failed(r))
		client_end(c);
}

bool login_lost_client(result r)
{
	return r.kind == FAIL_CLOSED || r.kind == FAIL_NETWORK || r.kind == FAIL_TIMEOUT ||
	       (r.kind == FAIL_CANCELLED && fiber_cancelled());
}

const struct login_answer login_unanswered = {.verdict = EDGE_AUTH_LOGIN_VERDICT_LATER, .session = -1};

const char *login_sentence(const struct login_answer *a)
{
	switch (a->verdict) {
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
	case EDGE_AUTH_LOGIN_VERDICT_BARRED:
	case EDGE_AUTH_LOGIN_VERDICT_LOCKED:
		return a->text;
	case EDGE_AUTH_LOGIN_VERDICT_MALFORMED:
		return "The login message is not as its mechanism says";
	}
	return "The server cannot check logins now; try again in a moment";
}
