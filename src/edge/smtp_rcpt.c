#include "base/mem.h"
#include "edge/smtp.h"
#include "run/clock.h"
#include "talk/courier_account.h"
#include "talk/edge_auth.h"
#include "talk/edge_queue.h"

/* What an address leads to; in the arena. */
struct resolved {
	arena *arena;
	enum edge_auth_recipient_verdict verdict;
	struct recipients_accounts to;
	const str *outside; /* addresses on other servers that it leads to as well */
	size_t outside_n;
	uint64_t route, changes; /* of the directory, before auth was asked */
	str why;
};

static result ask_auth(struct smtp_session *s, struct channel *auth, str address, struct resolved *out)
{
	struct recipients *known = &s->client->edge->recipients;
	const uint64_t asked = recipients_time(known);
	out->changes = asked;
	const struct asking ask = {.trace = &s->trace, .arena = out->arena, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	const struct edge_auth_recipient q = {.address = address, .sender = s->sender, .token = s->token};
	struct edge_auth_recipient_is is;
	TRY(edge_auth_recipient_call_within(auth, &ask, &q, &is));
	out->verdict = is.verdict;
	out->to = (struct recipients_accounts){is.accounts.p, is.accounts.n};
	out->outside = is.outside.p;
	out->outside_n = is.outside.n;
	out->route = is.route;
	out->why = is.why;
	if (is.verdict == EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED && is.accounts.n > 0 && is.outside.n == 0)
		recipients_keep(known, asked, address, &out->to);
	return OK;
}

/* What auth said of an address before is true until it says that the directory
 * changed, which it does before whoever changed it is answered: so nothing it
 * has said may still be unread when an old answer is used. */
static result resolve(struct smtp_session *s, str address, struct resolved *out)
{
	struct recipients *known = &s->client->edge->recipients;
	struct channel *auth;
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	if (!recipients_find(known, address, &out->to) || channel_has_news(auth))
		return ask_auth(s, auth, address, out);
	/* A session that waits for an account may see the table change. */
	uint64_t *accounts = arena_array(out->arena, out->to.n, sizeof *accounts);
	if (!accounts)
		return arena_result(out->arena);
	memcpy(accounts, out->to.p, out->to.n * sizeof *accounts);
	out->to.p = accounts;
	out->verdict = EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED;
	return OK;
}

/* The quota is asked before the data, so that nothing is accepted and then
 * bounced. An account that cannot answer now does not stop its mail: the queue
 * holds it. */
static result ask_quota(
	struct smtp_session *s, uint64_t account, uint64_t until, enum courier_account_take_verdict *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *ch;
	struct courier_account_may_take q = {.size = s->mail.size};
	struct courier_account_may_take_is answer = {.verdict = COURIER_ACCOUNT_TAKE_VERDICT_YES};
	uint64_t left = clock_left(until);
	*out = COURIER_ACCOUNT_TAKE_VERDICT_YES;
	if (quotas_grant(&s->client->edge->quotas, account, s->mail.size))
		return OK;
	if (!left) /* others behind this recipient took all the time there is */
		return OK;
	result r = neighbour_account(account, &ch);
	const struct asking ask = {.trace = &s->trace, .arena = &a, .timeout_ms = left};
	if (!failed(r))
		r = courier_account_may_take_call_within(ch, &ask, &q, &answer);
	if (!failed(r)) {
		quotas_heard(&s->client->edge->quotas, account, answer.headroom);
		*out = answer.verdict;
	}
	return fiber_cancelled() ? failure(FAIL_CANCELLED, "the server is stopping") : OK;
}

/* One copy an account, however many of the recipients are its own. */
static result add_target(struct smtp_session *s, const struct smtp_target *t)
{
	if (hash_get_u64(&s->accounts, t->account))
		return OK;
	if (s->targets_n == s->targets_cap) {
		size_t cap = s->targets_cap ? s->targets_cap * 2 : 4;
		struct smtp_target *p = mem_grow(s->targets, cap * sizeof *p);
		if (!p)
			return failure(FAIL_MEMORY, "out of memory");
		s->targets = p;
		s->targets_cap = cap;
	}
	TRY(hash_put_u64(&s->accounts, t->account, s));
	s->targets[s->targets_n++] = *t;
	return OK;
}

/* A refused recipient gets nothing, not even through half of its alias. */
static void drop_targets(struct smtp_session *s, size_t keep)
{
	while (s->targets_n > keep)
		hash_remove_u64(&s->accounts, s->targets[--s->targets_n].account);
}

static result refuse_verdict(struct smtp_session *s, enum edge_auth_recipient_verdict v)
{
	switch (v) {
	case EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN:
		return SMTP_REFUSE(s, 550, "5.1.1", "Nobody receives mail under this address here; check its spelling");
	case EDGE_AUTH_RECIPIENT_VERDICT_DISABLED:
		return SMTP_REFUSE(s, 550, "5.2.1", "This mailbox is disabled and takes no mail");
	default:
		return SMTP_REFUSE(s, 451, "4.3.0", "The server cannot look this address up now; try again later");
	}
}

/* Received names the recipient only when there is a single one (RFC 5321 7.2). */
static void keep_first(struct smtp_session *s, const struct mailbox *to)
{
	s->first = *to;
	s->first.local = arena_dup(&s->transaction, to->local);
	s->first.domain = arena_dup(&s->transaction, to->domain);
}

/* A report of success goes to whoever a stranger says has sent the message: only who has logged in is told so. Who
 * wants nothing else is told nothing. */
static unsigned told_of(const struct smtp_session *s, unsigned notify)
{
	unsigned left = notify & ~(unsigned)SMTP_NOTIFY_SUCCESS;
	if (s->logged_in || !notify)
		return notify;
	return left ? left : SMTP_NOTIFY_NEVER;
}

/* NULL: nothing was asked, or no memory (which the arena tells). */
static const struct smtp_asked *keep_asked(struct smtp_session *s, const struct smtp_rcpt *r)
{
	if (!(r->given & (SMTP_P_NOTIFY | SMTP_P_ORCPT)))
		return NULL;
	struct smtp_asked *asked = arena_alloc(&s->transaction, sizeof *asked);
	AUTO_BUF buf orcpt = buf_new(EDGE_QUEUE_KEEP_ORCPT_MAX);
	if (!asked)
		return NULL;
	asked->notify = told_of(s, r->notify);
	if (r->given & SMTP_P_ORCPT) {
		buf_put(&orcpt, r->orcpt_type);
		buf_putc(&orcpt, ';');
		buf_put(&orcpt, r->orcpt);
		asked->orcpt = arena_dup(&s->transaction, buf_str(&orcpt));
	}
	return asked;
}

/* A report names the address that the sender wrote (RFC 3461 5.2.7.3), not where an alias of ours led it. */
static const struct smtp_asked *asked_of_alias(struct smtp_session *s, const struct smtp_target *t)
{
	AUTO_BUF buf orcpt = buf_new(EDGE_QUEUE_KEEP_ORCPT_MAX);
	if (t->asked && t->asked->orcpt.n)
		return t->asked;
	struct smtp_asked *asked = arena_alloc(&s->transaction, sizeof *asked);
	if (!asked)
		return NULL;
	buf_put(&orcpt, str_is_ascii(t->recipient) ? STR("rfc822;") : STR("utf-8;"));
	buf_put(&orcpt, t->recipient);
	asked->notify = t->asked ? t->asked->notify : 0;
	asked->orcpt = arena_dup(&s->transaction, buf_str(&orcpt));
	return asked;
}

static result add_outside(struct smtp_session *s, const struct smtp_target *t, const struct resolved *found)
{
	struct outward_recipient r = {.kind = s->logged_in ? OUTWARD_ALIASED : OUTWARD_FORWARDED};
	r.asked = found->outside_n ? asked_of_alias(s, t) : NULL;
	for (size_t i = 0; i < found->outside_n; i++) {
		r.address = arena_dup(&s->transaction, found->outside[i]);
		TRY(arena_result(&s->transaction));
		TRY(outward_add(&s->outward, &r));
	}
	return OK;
}

static result add_elsewhere(struct smtp_session *s, const struct smtp_target *t, const struct resolved *found)
{
	bool relayed = found->verdict == EDGE_AUTH_RECIPIENT_VERDICT_RELAYED && !s->logged_in;
	const struct outward_recipient r = {.kind = relayed ? OUTWARD_RELAYED : OUTWARD_WRITTEN, .routed = true,
		.changes = found->changes, .route = found->route, .address = t->recipient, .asked = t->asked};
	return outward_add(&s->outward, &r);
}

/* Only a login is told of deliveries here: at the other doors DSN is not offered, or who forges a sender could have
 * reports sent to it. */
static result add_told(struct smtp_session *s, const struct smtp_target *t)
{
	const struct outward_recipient r = {.kind = OUTWARD_DELIVERED, .address = t->recipient, .asked = t->asked};
	bool wanted = s->logged_in && s->sender.n > 0 && t->asked && (t->asked->notify & SMTP_NOTIFY_SUCCESS);
	return wanted ? outward_add(&s->told, &r) : OK;
}

static result add_found(struct smtp_session *s, struct smtp_target *t, const struct resolved *found)
{
	TRY(arena_result(&s->transaction));
	if (found->verdict != EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED)
		return add_elsewhere(s, t, found);
	for (size_t i = 0; i < found->to.n; i++) {
		t->account = found->to.p[i];
		TRY(add_target(s, t));
	}
	if (found->to.n > 0)
		TRY(add_told(s, t));
	return add_outside(s, t, found);
}

static result keep_recipient(struct smtp_session *s, const struct smtp_rcpt *rcpt, str address,
			     const struct resolved *found)
{
	const struct mailbox *to = &rcpt->to;
	struct smtp_target t = {.recipient = arena_dup(&s->transaction, address), .asked = keep_asked(s, rcpt)};
	size_t before = s->targets_n, outward = s->outward.n, told = s->told.n;
	if (s->recipients == 0)
		keep_first(s, to);
	if (failed(add_found(s, &t, found))) {
		drop_targets(s, before);
		outward_drop(&s->outward, outward);
		outward_drop(&s->told, told);
		return SMTP_REFUSE(
			s, 452, "4.5.3", "No more recipients fit into this transaction; send to the rest in another");
	}
	s->recipients++;
	s->state = SMTP_READY;
	return smtp_reply(s, 250, "2.1.5", "Recipient accepted");
}

static result check_accounts(struct smtp_session *s, const struct smtp_rcpt *rcpt, str address,
			     const struct resolved *found)
{
	uint64_t until = clock_mono_ms() + NEIGHBOUR_QUOTA_MS;
	for (size_t i = 0; i < found->to.n; i++) {
		enum courier_account_take_verdict v;
		TRY(ask_quota(s, found->to.p[i], until, &v));
		if (v == COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA)
			return SMTP_REFUSE(s, 452, "4.2.2", "This mailbox is full; its owner has to make room. Try again later");
		if (v == COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE)
			return SMTP_REFUSE(s, 552, "5.2.3", "The message is larger than this mailbox can ever take");
	}
	return keep_recipient(s, rcpt, address, found);
}

static result check_elsewhere(struct smtp_session *s, const struct smtp_rcpt *rcpt, str address,
			      const struct resolved *found)
{
	const struct elsewhere to = {.address = address, .domain = rcpt->to.domain,
		.relayed = found->verdict == EDGE_AUTH_RECIPIENT_VERDICT_RELAYED, .route = found->route};
	bool accepted = false;
	TRY(smtp_elsewhere(s, &to, &accepted));
	return accepted ? keep_recipient(s, rcpt, address, found) : OK;
}

/* Which of the ways mail may go from here; all else is refused. */
static result follow(struct smtp_session *s, const struct smtp_rcpt *rcpt, str address, const struct resolved *found)
{
	switch (found->verdict) {
	case EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED:
		if (found->to.n + found->outside_n > 0)
			return check_accounts(s, rcpt, address, found);
		return refuse_verdict(s, EDGE_AUTH_RECIPIENT_VERDICT_LATER);
	case EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE:
	case EDGE_AUTH_RECIPIENT_VERDICT_RELAYED:
		return check_elsewhere(s, rcpt, address, found);
	case EDGE_AUTH_RECIPIENT_VERDICT_LIMITED:
		return smtp_limited(s, found->why);
	default:
		return refuse_verdict(s, found->verdict);
	}
}

static result look_at(struct smtp_session *s, const struct smtp_rcpt *rcpt, str address)
{
	AUTO_ARENA arena a = arena_new(SMTP_COMMAND_MAX);
	struct resolved found = {.arena = &a, .verdict = EDGE_AUTH_RECIPIENT_VERDICT_LATER};
	result r = resolve(s, address, &found);
	if (r.kind == FAIL_CANCELLED)
		return r;
	return failed(r) ? refuse_verdict(s, EDGE_AUTH_RECIPIENT_VERDICT_LATER) : follow(s, rcpt, address, &found);
}

result smtp_do_rcpt(struct smtp_session *s, const struct smtp_command *c)
{
	AUTO_BUF buf address = buf_new(1024);
	if (s->recipients >= options_number(&s->client->edge->options, OPT_RECIPIENTS))
		return SMTP_REFUSE(s, 452, "4.5.3", "Enough recipients in one transaction; send to the rest in another");
	if (c->rcpt.to.kind == MAILBOX_BARE)
		buf_put(&address, c->rcpt.to.local);
	else
		mailbox_print(&address, &c->rcpt.to);
	if (failed(buf_result(&address)))
		return refuse_verdict(s, EDGE_AUTH_RECIPIENT_VERDICT_LATER);
	s->asked = buf_str(&address);
	result r = look_at(s, &c->rcpt, s->asked);
	s->asked = (str){NULL, 0};
	return r;
}
