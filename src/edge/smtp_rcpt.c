#include "base/mem.h"
#include "edge/smtp.h"
#include "talk/courier_account.h"
#include "talk/edge_auth.h"

static result resolve(struct smtp_session *s, str address, arena *a, struct edge_auth_recipient_is *out)
{
	struct channel *auth;
	struct edge_auth_recipient q = {.address = address};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	return edge_auth_recipient_call(auth, &s->trace, &q, a, out);
}

/* The quota is asked before the data, so that nothing is accepted and then
 * bounced. An account that cannot answer now does not stop its mail: the queue
 * holds it. */
static result quota_fault(struct smtp_session *s, uint64_t account, struct smtp_fault *fault)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *ch;
	struct courier_account_may_take q = {.size = s->mail.size};
	struct courier_account_may_take_is answer = {.verdict = COURIER_ACCOUNT_TAKE_VERDICT_YES};
	*fault = (struct smtp_fault){0};
	result r = neighbour_account(account, &ch);
	if (!failed(r))
		r = courier_account_may_take_call(ch, &s->trace, &q, &a, &answer);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return OK;
	if (answer.verdict == COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA)
		*fault = (struct smtp_fault){.code = 452, .status = "4.2.2",
					     .text = "This mailbox is full; its owner has to make room. Try again later"};
	if (answer.verdict == COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE)
		*fault = (struct smtp_fault){.code = 552, .status = "5.2.3",
					     .text = "The message is larger than this mailbox can ever take"};
	return OK;
}

/* One copy an account, however many of the recipients are its own. */
static result add_target(struct smtp_session *s, uint64_t account, str recipient)
{
	if (hash_get_u64(&s->accounts, account))
		return OK;
	if (s->targets_n == s->targets_cap) {
		size_t cap = s->targets_cap ? s->targets_cap * 2 : 4;
		struct smtp_target *p = mem_grow(s->targets, cap * sizeof *p);
		if (!p)
			return failure(FAIL_MEMORY, "out of memory");
		s->targets = p;
		s->targets_cap = cap;
	}
	TRY(hash_put_u64(&s->accounts, account, s));
	s->targets[s->targets_n++] = (struct smtp_target){account, recipient};
	return OK;
}

static result refuse_verdict(struct smtp_session *s, enum edge_auth_recipient_verdict v)
{
	switch (v) {
	case EDGE_AUTH_RECIPIENT_VERDICT_UNKNOWN:
		return SMTP_REFUSE(s, 550, "5.1.1", "Nobody receives mail under this address here; check its spelling");
	case EDGE_AUTH_RECIPIENT_VERDICT_DISABLED:
		return SMTP_REFUSE(s, 550, "5.2.1", "This mailbox is disabled and takes no mail");
	case EDGE_AUTH_RECIPIENT_VERDICT_ELSEWHERE:
		if (s->logged_in)
			return SMTP_REFUSE(s, 550, "5.7.1",
					   "This address is on another server, and this server does not send mail to others yet");
		return SMTP_REFUSE(s, 550, "5.7.1",
				   "This address is not of this server, and it does not pass mail on; if you have an account here, "
				   "use the submission port and log in");
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

static result keep_recipient(struct smtp_session *s, const struct mailbox *to, str address,
			     const struct edge_auth_recipient_is *found)
{
	str kept = arena_dup(&s->transaction, address);
	if (s->recipients == 0)
		keep_first(s, to);
	result r = arena_result(&s->transaction);
	for (size_t i = 0; i < found->accounts.n && !failed(r); i++)
		r = add_target(s, found->accounts.p[i], kept);
	if (failed(r))
		return SMTP_REFUSE(
			s, 452, "4.5.3", "No more recipients fit into this transaction; send to the rest in another");
	s->recipients++;
	s->state = SMTP_READY;
	return smtp_reply(s, 250, "2.1.5", "Recipient accepted");
}

static result check_accounts(struct smtp_session *s, const struct mailbox *to, str address,
			     const struct edge_auth_recipient_is *found)
{
	struct smtp_fault fault = {0};
	for (size_t i = 0; i < found->accounts.n; i++) {
		TRY(quota_fault(s, found->accounts.p[i], &fault));
		if (fault.code)
			return session_refuse(s, &fault);
	}
	return keep_recipient(s, to, address, found);
}

result smtp_do_rcpt(struct smtp_session *s, const struct smtp_command *c)
{
	AUTO_ARENA arena a = arena_new(SMTP_COMMAND_MAX);
	AUTO_BUF buf address = buf_new(1024);
	struct edge_auth_recipient_is found = {0};
	if (s->recipients >= options_number(&s->client->edge->options, OPT_RECIPIENTS))
		return SMTP_REFUSE(s, 452, "4.5.3", "Enough recipients in one transaction; send to the rest in another");
	if (c->rcpt.to.kind == MAILBOX_BARE)
		buf_put(&address, c->rcpt.to.local);
	else
		mailbox_print(&address, &c->rcpt.to);
	result r = buf_result(&address);
	if (!failed(r))
		r = resolve(s, buf_str(&address), &a, &found);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return refuse_verdict(s, EDGE_AUTH_RECIPIENT_VERDICT_LATER);
	if (found.verdict != EDGE_AUTH_RECIPIENT_VERDICT_RECEIVED || found.accounts.n == 0)
		return refuse_verdict(s, found.verdict);
	return check_accounts(s, &c->rcpt.to, buf_str(&address), &found);
}
