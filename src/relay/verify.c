/* Asks the primary server of a relayed domain whether it takes mail for an
 * address, by MAIL and RCPT without a message. */
#include "relay/attempt.h"
#include "relay/relay.h"
#include "relay/ways.h"

#include "grammar/smtp/smtp_print.h"

static result ask_server(struct session *s, struct errand *e, struct answer *is)
{
	AUTO_BUF buf line = buf_new(RELAY_STUFF_BLOCK);
	struct smtp_mail mail = {0};
	struct smtp_rcpt rcpt = {0};
	if (e->letter.sender.n > 0)
		TRY(mailbox_parse(e->letter.sender, e->arena, &mail.from));
	TRY(mailbox_parse(e->recipients[0].address, e->arena, &rcpt.to));
	if (s->dirty)
		TRY(session_ask(s, STR("RSET\r\n"), RELAY_COMMAND_MS, is));
	s->dirty = true;
	smtp_print_mail(&line, &mail);
	TRY(buf_result(&line));
	TRY(session_ask(s, buf_str(&line), RELAY_COMMAND_MS, is));
	if (!answer_is(is, 2))
		return OK;
	buf_clear(&line);
	smtp_print_rcpt(&line, &rcpt, false);
	TRY(buf_result(&line));
	return session_ask(s, buf_str(&line), RELAY_COMMAND_MS, is);
}

static struct trouble probe(struct session *s, struct errand *e)
{
	AUTO_ANSWER struct answer is = answer_new();
	s->messages++;
	result r = ask_server(s, e, &is);
	if (failed(r))
		return trouble_later(STR("4.4.2"), say(e->arena, "The server %.*s could not be asked: %s",
			STR_ARG(session_host(s)), r.text));
	struct queue_relay_outcome o = outcome_of_reply(e->arena, &is.reply, buf_str(&is.text));
	errand_settle(e, 0, &o);
	return (struct trouble){0};
}

static enum edge_relay_verdict verdict_of(enum queue_relay_verdict v)
{
	if (v == QUEUE_RELAY_VERDICT_FAILED)
		return EDGE_RELAY_VERDICT_NO;
	return v == QUEUE_RELAY_VERDICT_LATER ? EDGE_RELAY_VERDICT_LATER : EDGE_RELAY_VERDICT_YES;
}

result on_verify(struct arrival *in, struct edge_relay_verify *m, struct edge_relay_verified *answer)
{
	struct queue_relay_sent unused = {0};
	struct queue_relay_outcome outcome;
	bool settled = false;
	const struct queue_relay_recipient one = {.address = m->address};
	struct errand e = {.arena = in->arena, .trace = &in->trace, .letter = {.sender = m->sender},
		.recipients = &one,
		.outcomes = &outcome, .settled = &settled, .n = 1, .left = 1};
	struct trouble t = way_find(m->route, m->domain, in->arena, &e.way);
	if (is_trouble(&t))
		errand_settle_rest(&e, &t);
	else
		attempt_all(&e, probe, &unused);
	way_forget(&e.way);
	answer->verdict = verdict_of(outcome.verdict);
	answer->code = outcome.code;
	answer->text = outcome.text;
	return arena_result(in->arena);
}
