/* What edges ask: recipients, logins, senders. */
#include "auth/doors.h"
#include "auth/login.h"
#include "talk/room.h"

static enum edge_auth_recipient_verdict verdict_of(const struct reach *to, str address)
{
	switch (to->verdict) {
	case REACH_RECEIVED:
		return EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
	case REACH_UNKNOWN:
		return EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN;
	case REACH_DISABLED:
		return EDGE_AUTH_RECIPIENT_VERDICT_DISABLED;
	case REACH_ELSEWHERE:
		return EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
	case REACH_TOO_WIDE:
		log_event(EV_LIMITED, NULL, F_STR("address", address),
			  F_STR("why", STR("an alias leads to more addresses, or over more steps, than are followed")));
		break;
	case REACH_NOBODY:
		break;
	}
	return EDGE_AUTH_RECIPIENT_VERDICT_LATER;
}

static result on_recipient(struct arrival *in, struct edge_auth_recipient *m, struct edge_auth_recipient_is *answer)
{
	struct reach to;
	reach_recipient(&auth.directory->book, auth.directory->rule, m->address, &to);
	answer->verdict = verdict_of(&to, m->address);
	if (answer->verdict != EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED)
		return OK;
	TRY(audience_add(&auth.audience, in->ctx, in->channel));
	uint64_t *accounts = arena_array(in->arena, to.n, sizeof *accounts);
	if (!accounts)
		return arena_result(in->arena);
	memcpy(accounts, to.accounts, to.n * sizeof *accounts);
	answer->accounts.p = accounts;
	answer->accounts.n = to.n;
	return OK;
}

static result on_login(struct arrival *in, struct edge_auth_login *m, struct edge_auth_login_is *answer)
{
	const struct login_question q = {.asked = m, .channel = in->ctx, .trace = &in->trace};
	return login_answer(&auth, &q, answer);
}

static result on_may_send(struct arrival *in, struct edge_auth_may_send *m, struct edge_auth_may_send_is *answer)
{
	struct book *b = &auth.directory->book;
	const struct book_account *who = book_account(b, tokens_account(&auth.tokens, in->ctx, &m->token));
	if (!who || who->disabled)
		answer->verdict = EDGE_AUTH_SEND_VERDICT_FORGOTTEN;
	else if (reach_may_send(b, auth.directory->rule, who, m->address))
		answer->verdict = EDGE_AUTH_SEND_VERDICT_ALLOWED;
	else
		answer->verdict = EDGE_AUTH_SEND_VERDICT_DENIED;
	return OK;
}

static void on_logout(struct arrival *in, struct edge_auth_logout *m)
{
	tokens_drop(&auth.tokens, in->ctx, &m->token);
}

void edge_left(struct room_visitor *v)
{
	tokens_drop_channel(&auth.tokens, v);
	audience_left(&auth.audience, v);
}

const struct edge_auth_as_auth edge_handlers = {
	.recipient = on_recipient, .login = on_login, .may_send = on_may_send, .logout = on_logout};
