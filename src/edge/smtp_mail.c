#include "edge/smtp.h"

#include <stdio.h>

#include "run/clock.h"
#include "talk/edge_auth.h"
#include "run/random.h"

/* The command's views end with it; what a transaction needs is copied. */
static void keep(struct smtp_session *s, const struct smtp_mail *m)
{
	AUTO_BUF buf canonical = buf_new(1024);
	s->mail = *m;
	mailbox_print(&canonical, &m->from);
	s->sender = arena_dup(&s->transaction, buf_str(&canonical));
	s->mail.from.local = arena_dup(&s->transaction, m->from.local);
	s->mail.from.domain = arena_dup(&s->transaction, m->from.domain);
	s->mail.envid = arena_dup(&s->transaction, m->envid);
	s->mail.auth = (struct mailbox){0};
	if (!s->logged_in && m->ret == SMTP_RET_FULL)
		s->mail.ret = SMTP_RET_HDRS; /* a report may go to who has not sent it */
}

/* Without memory it is asked about again the next time. */
static void keep_allowed(struct smtp_session *s, uint64_t changes)
{
	buf_clear(&s->may_send_as);
	buf_put(&s->may_send_as, s->sender);
	s->may_send_at = changes;
	if (failed(buf_result(&s->may_send_as)))
		buf_clear(&s->may_send_as);
}

/* A yes holds until the directory changes, as what edge/recipients.h keeps. The null reverse-path is asked about. */
static bool was_allowed(const struct smtp_session *s, const struct channel *auth)
{
	return s->sender.n > 0 && str_eq(buf_str(&s->may_send_as), s->sender) &&
	       s->may_send_at == recipients_time(&s->client->edge->recipients) && !channel_has_news(auth);
}

static result may_send(struct smtp_session *s, enum edge_auth_send_verdict *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *auth;
	const struct edge_auth_may_send q = {.token = s->token, .address = s->sender};
	struct edge_auth_may_send_is answer = {.verdict = EDGE_AUTH_SEND_VERDICT_ALLOWED};
	TRY(neighbour(NEIGHBOUR_AUTH, &auth));
	const struct asking ask = {.trace = &s->trace, .arena = &a, .timeout_ms = NEIGHBOUR_LOOKUP_MS};
	const uint64_t changes = recipients_time(&s->client->edge->recipients);
	*out = answer.verdict;
	if (was_allowed(s, auth))
		return OK;
	result r = edge_auth_may_send_call_within(auth, &ask, &q, &answer);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "auth does not look up senders now");
	if (answer.verdict == EDGE_AUTH_SEND_VERDICT_ALLOWED)
		keep_allowed(s, changes);
	*out = answer.verdict;
	return OK;
}

static result check_sender(struct smtp_session *s)
{
	static const struct smtp_fault later = {.code = 451, .status = "4.3.0",
		.text = "The server cannot look up your addresses now; try again in a moment"};
	static const struct smtp_fault foreign = {.code = 553, .status = "5.7.1",
		.text = "This sender address does not belong to your account; an administrator can allow it with "
			"`postern account send-as add ADDRESS --account A`"};
	/* After auth was replaced: no fault of the client's, and a new login mends it. */
	static const struct smtp_fault forgotten = {.code = 421, .status = "4.7.0",
		.text = "The server has forgotten your login; connect and log in again"};
	enum edge_auth_send_verdict verdict = EDGE_AUTH_SEND_VERDICT_DENIED;
	result r = may_send(s, &verdict);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return smtp_refuse_message(s, &later);
	if (verdict == EDGE_AUTH_SEND_VERDICT_FORGOTTEN)
		s->ending = true;
	if (verdict != EDGE_AUTH_SEND_VERDICT_ALLOWED)
		return smtp_refuse_message(s, s->ending ? &forgotten : &foreign);
	s->state = SMTP_SENDER;
	return smtp_reply(s, 250, "2.1.0", "Sender accepted");
}

/* When, by when and how the message is to go on; what is wrong with that, or NULL. */
static const struct smtp_fault *keep_handling(struct smtp_session *s, const struct smtp_mail *m)
{
	static const struct smtp_fault no_tls = {.code = 530, .status = "5.7.10",
		.text = "REQUIRETLS asks that the message travels under TLS all the way; begin TLS first (STARTTLS)"};
	static const struct smtp_fault too_far = {.code = 501, .status = "5.5.4",
		.text = "The message is to be held longer than this server does; EHLO tells the limit (FUTURERELEASE)"};
	int64_t now = clock_wall_s();
	int64_t longest = (int64_t)(options_number(&s->client->edge->options, OPT_HOLD_LONGEST) / 1000);
	if ((m->given & SMTP_P_REQUIRETLS) && !smtp_is_private(s))
		return &no_tls;
	if (m->given & SMTP_P_FUTURE)
		s->hold_until = (m->given & SMTP_P_HOLDFOR) ? now + m->hold_for : m->hold_until;
	if (s->hold_until > now + longest)
		return &too_far;
	if (s->hold_until <= now)
		s->hold_until = 0;
	if (m->given & SMTP_P_BY)
		s->deliver_by = now + m->by;
	return NULL;
}

static result refuse_user(struct smtp_session *s)
{
	char text[300];
	if (!s->unmapped)
		return SMTP_REFUSE(s, 451, "4.7.0",
				   "The account that this user sends from cannot be used now; try again later");
	snprintf(text, sizeof text,
		 "The configuration gives no account to the user %u of this machine; an administrator can do so: "
		 "local-users = { \"%u=address\" }", (unsigned)s->client->uid, (unsigned)s->client->uid);
	return SMTP_REFUSE(s, 530, "5.7.0", text);
}

result smtp_do_mail(struct smtp_session *s, const struct smtp_command *c)
{
	const struct options *o = &s->client->edge->options;
	if (s->client->protocol == CLIENT_LOCAL && !s->logged_in)
		return refuse_user(s);
	if (smtp_is_submission(s) && !s->logged_in)
		return SMTP_REFUSE(s, 530, "5.7.0", client_may_login(s->client)
					   ? "Log in first (AUTH); nobody sends through this server without it"
					   : "Begin TLS first (STARTTLS), then log in (AUTH)");
	if (s->messages >= options_number(o, OPT_MESSAGES)) {
		s->ending = true;
		return smtp_reply(s, 421, "4.7.0", "Enough messages in one connection; connect again for more");
	}
	if ((c->mail.given & SMTP_P_SIZE) && c->mail.size > options_number(o, OPT_MESSAGE_SIZE))
		return SMTP_REFUSE(
			s, 552, "5.3.4", "The message is larger than this server takes; EHLO tells the limit (SIZE)");
	s->trace = trace_new();
	keep(s, &c->mail);
	if (failed(arena_result(&s->transaction)))
		return smtp_refuse_message(s, &(struct smtp_fault){.code = 452, .status = "4.3.1",
			.text = "The server is short of memory; try again later"});
	const struct smtp_fault *fault = keep_handling(s, &c->mail);
	if (fault)
		return smtp_refuse_message(s, fault);
	if (smtp_is_submission(s))
		return check_sender(s);
	s->state = SMTP_SENDER;
	return smtp_reply(s, 250, "2.1.0", "Sender accepted");
}

result smtp_do_rset(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	smtp_reset(s);
	return smtp_reply(s, 250, "2.0.0", "Forgotten");
}
