/* What edges ask: recipients, logins, senders. */
#include "auth/address.h"
#include "auth/app_certificates.h"
#include "auth/certificates.h"
#include "auth/clear.h"
#include "auth/contain.h"
#include "auth/doors.h"
#include "auth/forwarder.h"
#include "auth/local_users.h"
#include "auth/recipient.h"
#include "auth/scram_login.h"
#include "talk/room.h"

/* To another server, by a login: whether, and which way. What it is allowed is held against it. */
static result judge_writing(
	struct arrival *in, const struct edge_auth_recipient *m, struct edge_auth_recipient_is *answer)
{
	AUTO_BUF buf why = buf_new(EDGE_AUTH_RECIPIENT_IS_WHY_MAX);
	struct address address;
	uint64_t account = tokens_account(&auth.tokens, in->ctx, &m->token);
	if (account)
		TRY(profile_ready(&auth.profiles, account));
	struct profile_question q = {.account = account, .login = tokens_sending(&auth.tokens, in->ctx, &m->token)};
	if (!q.login)
		return failure(FAIL_ABSENT, "there is no such login");
	if (contain_is_pending(&auth, account))
		return failure(FAIL_BUSY, "the account's mail is about to be held");
	TRY(address_parse_elsewhere(m->address, in->arena, &address));
	q.address = address.key;
	profile_ask(&auth.profiles, &q, &why);
	const struct route *way = routes_choose(&auth.directory->routes, m->sender, m->address);
	answer->verdict = why.n ? EDGE_AUTH_RECIPIENT_VERDICT_LIMITED : EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE;
	answer->route = way ? way->id : 0;
	answer->why = arena_dup(in->arena, buf_str(&why));
	return arena_result(in->arena);
}

static bool is_elsewhere(enum edge_auth_recipient_verdict v)
{
	return v == EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE || v == EDGE_AUTH_RECIPIENT_VERDICT_RELAYED;
}

/* In the audience first: a change while the answer is looked up makes it one that does not hold. */
static result on_recipient(struct arrival *in, struct edge_auth_recipient *m, struct edge_auth_recipient_is *answer)
{
	TRY(recipient_find(&auth, m->address, in->arena, answer));
	bool elsewhere = is_elsewhere(answer->verdict);
	if (elsewhere || answer->verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED)
		TRY(audience_add(&auth.audience, in->ctx, in->channel));
	return elsewhere && !trace_is_none(&m->token) ? judge_writing(in, m, answer) : OK;
}

static result on_forwarder(struct arrival *in, struct edge_auth_forwarder *m, struct edge_auth_forwarder_is *answer)
{
	return forwarder_address(&auth, m->sender, in->arena, &answer->address);
}

static result on_signers(struct arrival *in, struct edge_auth_signers *m, struct edge_auth_signers_are *answer)
{
	return signing_signers(&auth, m->domain, in->arena, answer);
}

/* In the audience first: a change while the answer is looked up makes the edge ask again. */
static result on_offers(struct arrival *in, struct edge_auth_offers *m, struct edge_auth_offers_are *answer)
{
	(void)m;
	TRY(audience_add(&auth.audience, in->ctx, in->channel));
	TRY(app_passwords_any(auth.directory, &answer->scram));
	TRY(app_authority(auth.directory, in->arena, &answer->authority));
	return clear_addresses(&auth, in->arena, answer);
}

/* Who administrates is asked by web (visitor_door.c). */
static result is_for_mail(enum edge_auth_protocol p)
{
	return p == EDGE_AUTH_PROTOCOL_ADMIN ? failure(FAIL_DENIED, "an edge logs in to mail alone") : OK;
}

static result on_login(struct arrival *in, struct edge_auth_login *m, struct edge_auth_login_is *answer)
{
	TRY(is_for_mail(m->protocol));
	const struct login_question q = {.asked = m, .channel = in->ctx, .trace = &in->trace};
	return login_answer(&auth, &q, answer);
}

static result on_scram(struct arrival *in, struct edge_auth_scram *m, struct edge_auth_scram_is *answer)
{
	TRY(is_for_mail(m->protocol));
	const struct scram_caller who = {.channel = in->ctx, .trace = &in->trace, .m = in->arena};
	return scram_login_begin(&auth, &who, m, answer);
}

static result on_scram_proof(struct arrival *in, struct edge_auth_scram_proof *m, struct edge_auth_login_is *answer)
{
	const struct scram_caller who = {.channel = in->ctx, .trace = &in->trace, .m = in->arena};
	return scram_login_prove(&auth, &who, m, answer);
}

static result on_certificate_login(struct arrival *in, struct edge_auth_certificate_login *m,
	struct edge_auth_login_is *answer)
{
	TRY(is_for_mail(m->protocol));
	const struct certificate_question q = {.asked = m, .channel = in->ctx, .trace = &in->trace, .m = in->arena};
	return certificate_login(&auth, &q, answer);
}

static result on_local_login(struct arrival *in, struct edge_auth_local_login *m, struct edge_auth_login_is *answer)
{
	TRY(local_users_login(&auth, in->ctx, m, answer));
	bool accepted = answer->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	log_event(accepted ? EV_LOGIN : EV_LOGIN_FAILED, &in->trace, F_STR("user", answer->address), F_U64("uid", m->uid),
		  F_STR("protocol", STR("local")), F_U64("account", answer->account),
		  F_STR("verdict", str_from(edge_auth_login_verdict_names[answer->verdict])));
	/* The address may be erased before the answer is sent. */
	answer->address = arena_dup(in->arena, answer->address);
	return arena_result(in->arena);
}

static result on_may_send(struct arrival *in, struct edge_auth_may_send *m, struct edge_auth_may_send_is *answer)
{
	struct book *b = &auth.directory->book;
	TRY(audience_add(&auth.audience, in->ctx, in->channel));
	const struct book_account *who = book_account(b, tokens_account(&auth.tokens, in->ctx, &m->token));
	if (!who || who->disabled)
		answer->verdict = EDGE_AUTH_SEND_VERDICT_FORGOTTEN;
	else if (reach_may_send(b, auth.directory->rule, who, m->address))
		answer->verdict = EDGE_AUTH_SEND_VERDICT_ALLOWED;
	else
		answer->verdict = EDGE_AUTH_SEND_VERDICT_DENIED;
	return OK;
}

static void on_wrote(struct arrival *in, struct edge_auth_wrote *m)
{
	struct address address;
	uint64_t account = tokens_account(&auth.tokens, in->ctx, &m->token);
	str *keys = arena_array(in->arena, m->recipients.n, sizeof *keys);
	size_t n = 0;
	if (!account || !keys || failed(profile_ready(&auth.profiles, account)))
		return;
	for (size_t i = 0; i < m->recipients.n; i++)
		if (!failed(address_parse_elsewhere(m->recipients.p[i], in->arena, &address)))
			keys[n++] = address.key;
	struct sending *login = tokens_sending(&auth.tokens, in->ctx, &m->token);
	if (login)
		profile_release(&auth.profiles, account, login);
	uint64_t first = profile_wrote(&auth.profiles, account, keys, n);
	if (first > 0)
		log_event(EV_FIRST, &in->trace, F_U64("account", account), F_U64("first", first), F_U64("recipients", n));
}

static void on_logout(struct arrival *in, struct edge_auth_logout *m)
{
	tokens_drop(&auth.tokens, in->ctx, &m->token);
}

void edge_left(struct room_visitor *v)
{
	tokens_drop_channel(&auth.tokens, v);
	exchanges_drop_channel(&auth.exchanges, v);
	audience_left(&auth.audience, v);
}

const struct edge_auth_as_auth edge_handlers = {
	.recipient = on_recipient, .signers = on_signers, .forwarder = on_forwarder,
	.offers = on_offers,
	.login = on_login, .scram = on_scram, .scram_proof = on_scram_proof, .certificate_login = on_certificate_login,
	.local_login = on_local_login,
	.may_send = on_may_send, .logout = on_logout, .wrote = on_wrote};
