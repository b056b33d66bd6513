#include "edge/examine.h"
#include "edge/signers.h"
#include "grammar/dkim/dkim_signature.h"
#include "run/clock.h"
#include "talk/edge_auth.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

struct task {
	struct smtp_session *s;
	arena *arena;
	struct asker_inspect_examine q;
};

void examination_free(struct examination *x)
{
	asker_inspect_examined_release(&x->found);
	buf_free(&x->signatures);
}

/* ---- asking inspect ---- */

static result ask_inspect(struct task *t, struct asker_inspect_examined *out)
{
	struct channel *inspect;
	struct asking ask = {.trace = &t->s->trace, .arena = t->arena, .timeout_ms = EXAMINE_ANSWER_MS};
	TRY(neighbour(NEIGHBOUR_INSPECT, &inspect));
	return asker_inspect_examine_call_within(inspect, &ask, &t->q, out);
}

/* Examining changes nothing, so it may be asked again: workers are replaced in
 * the course of things (inspect-messages), and no client should notice. */
static result ask_patiently(struct task *t, struct asker_inspect_examined *out)
{
	unsigned tried = 0, faults = 0;
	result r;
	do {
		r = ask_inspect(t, out);
		if (!failed(r) || r.kind == FAIL_CANCELLED)
			return r;
		if (r.kind != FAIL_CLOSED && r.kind != FAIL_BUSY) /* those come with every replacement */
			log_event(EV_INSPECT_FAILED, &t->s->trace, F_STR("why", str_from(r.text)),
				  F_U64("size", t->q.message.bytes.n));
	} while (room_ask_again(r, ++tried) || (!fiber_cancelled() && tried < ROOM_TRIES && ++faults < EXAMINE_FAULTS));
	return failed(r) ? failure(r.kind, "the message could not be examined") : r;
}

/* ---- whose keys ---- */

static str sender_domain(struct smtp_session *s, arena *a)
{
	str address = s->sender.n ? s->sender : str_of(s->user, s->user_n), domain = {NULL, 0};
	size_t at = str_rchr(address, '@');
	if (at == STR_NONE || failed(mailbox_domain(str_skip(address, at + 1), a, &domain)))
		return (str){NULL, 0};
	return domain;
}

static result keys_of(struct task *t, str domain)
{
	struct signers_rows *rows = arena_alloc(t->arena, sizeof *rows);
	if (!rows)
		return arena_result(t->arena);
	result r = signers_of(&t->s->client->edge->signers, domain, t->arena, rows);
	if (failed(r))
		return failure(r.kind, "auth names no keys now");
	t->q.signers.p = rows->p;
	t->q.signers.n = rows->n;
	return OK;
}

/* "@domain" asks whether the login has any address there. */
static result may_write_as(struct task *t, str domain, bool *yes)
{
	AUTO_BUF buf address = buf_new(512);
	struct channel *auth;
	struct edge_auth_may_send_is is = {.verdict = EDGE_AUTH_SEND_VERDICT_DENIED};
	const struct asking ask = {.trace = &t->s->trace, .arena = t->arena, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	buf_putc(&address, '@');
	buf_put(&address, domain);
	TRY(buf_result(&address));
	const struct edge_auth_may_send q = {.token = t->s->token, .address = buf_str(&address)};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	result r = edge_auth_may_send_call_within(auth, &ask, &q, &is);
	*yes = is.verdict == EDGE_AUTH_SEND_VERDICT_ALLOWED;
	return failed(r) ? failure(r.kind, "auth does not look up senders now") : OK;
}

/* From is of another domain than the reverse-path: examined again with that one's keys. */
static result examine_as_from(struct task *t, str tried, struct asker_inspect_examined *out)
{
	bool may = false;
	str domain = arena_dup(t->arena, out->from_domain);
	if (!domain.n || str_ieq(domain, tried))
		return arena_result(t->arena);
	TRY(may_write_as(t, domain, &may));
	if (!may)
		return OK;
	TRY(keys_of(t, domain));
	if (!t->q.signers.n)
		return OK;
	asker_inspect_examined_release(out);
	*out = (struct asker_inspect_examined){.received = 0};
	return ask_patiently(t, out);
}

/* ---- signing ---- */

static result sign(struct task *t, struct examination *x)
{
	struct principal_vault_to_sign wanted[ASKER_INSPECT_EXAMINED_SIGNATURES_MAX];
	const struct principal_vault_sign q = {.wanted = {wanted, x->found.signatures.n}};
	const struct asking ask = {.trace = &t->s->trace, .arena = t->arena, .timeout_ms = EXAMINE_SIGN_MS};
	struct principal_vault_signatures_are are;
	struct channel *vault;
	for (size_t i = 0; i < x->found.signatures.n; i++) {
		wanted[i].key = x->found.signatures.p[i].key;
		memcpy(wanted[i].digest, x->found.signatures.p[i].digest, sizeof wanted[i].digest);
	}
	TRY(neighbour(NEIGHBOUR_VAULT, &vault));
	result r = principal_vault_sign_call_within(vault, &ask, &q, &are);
	if (failed(r) || are.signatures.n != x->found.signatures.n)
		return failure(failed(r) ? r.kind : FAIL_PEER, "vault does not sign");
	for (size_t i = 0; i < are.signatures.n; i++) {
		const struct asker_inspect_signature *to = &x->found.signatures.p[i];
		dkim_signature_fill(&x->signatures, to->field, to->at, are.signatures.p[i]);
	}
	return buf_result(&x->signatures);
}

/* ---- the whole ---- */

/* The id that a message without one gets; it leads to its story in the log. */
static str new_message_id(struct smtp_session *s, arena *a)
{
	AUTO_BUF buf id = buf_new(ASKER_INSPECT_EXAMINE_MESSAGE_ID_MAX);
	char text[TRACE_TEXT];
	trace_text(&s->trace, text);
	buf_put(&id, str_of(text, sizeof text));
	buf_putc(&id, '@');
	buf_put(&id, options_text(&s->client->edge->options, OPT_HOSTNAME));
	return arena_dup(a, buf_str(&id));
}

static result examine_submission(struct task *t, struct examination *out)
{
	bool leaves = t->s->logged_in && t->s->outward.n > 0;
	str domain = {NULL, 0};
	t->q.purpose = ASKER_INSPECT_EXAMINE_PURPOSE_SUBMISSION;
	t->q.message_id = new_message_id(t->s, t->arena);
	t->q.now = clock_wall_s();
	if (leaves) {
		domain = sender_domain(t->s, t->arena);
		TRY(keys_of(t, domain));
	}
	TRY(ask_patiently(t, &out->found));
	if (leaves)
		TRY(examine_as_from(t, domain, &out->found));
	return out->found.signatures.n ? sign(t, out) : OK;
}

result examine(struct smtp_session *s, const struct body *message, arena *a, struct examination *out)
{
	struct task t = {.s = s, .arena = a,
			 .q = {.purpose = ASKER_INSPECT_EXAMINE_PURPOSE_ARRIVAL, .message = *message}};
	*out = (struct examination){.signatures = buf_new(EXAMINE_FIELDS_MAX)};
	return smtp_is_submission(s) ? examine_submission(&t, out) : ask_patiently(&t, &out->found);
}
