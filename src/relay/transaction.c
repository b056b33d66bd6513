#include "relay/transaction.h"

#include "grammar/smtp/smtp_data.h"
#include "grammar/smtp/smtp_print.h"
#include "run/clock.h"

struct transaction {
	struct session *s;
	struct errand *e;
	size_t which[RELAY_RECIPIENTS_MAX]; /* recipients of the errand */
	bool sent[RELAY_RECIPIENTS_MAX]; /* its RCPT is on its way */
	bool accepted[RELAY_RECIPIENTS_MAX];
	size_t n;
	size_t accepted_n;
	bool at_once;  /* PIPELINING: all commands are on their way before the first answer */
	bool chunking;
	bool utf8;
	struct smtp_mail mail;
	buf out;
	struct answer is;
};

static bool offers(const struct transaction *t, unsigned what)
{
	return smtp_offers(&t->s->offer, what);
}

static struct trouble lost(struct transaction *t, const char *when, result r)
{
	t->s->broken = true;
	return trouble_later(STR("4.4.2"), say(t->e->arena, "The connection to %.*s failed %s: %s",
		STR_ARG(session_host(t->s)), when, r.text));
}

/* ---- commands ---- */

static result read_sender(struct transaction *t)
{
	str sender = t->e->letter.sender;
	if (sender.n == 0)
		return OK; /* the null reverse-path */
	return mailbox_parse(sender, t->e->arena, &t->mail.from);
}

static void choose_parameters(struct transaction *t)
{
	const struct letter *l = &t->e->letter;
	struct smtp_mail *m = &t->mail;
	m->size = letter_size(l);
	m->given |= offers(t, SMTP_CAN_SIZE) ? SMTP_P_SIZE : 0;
	if (l->flags & MAIL_BINARY)
		m->body = SMTP_BODY_BINARYMIME;
	else if (l->flags & MAIL_8BIT)
		m->body = SMTP_BODY_8BITMIME;
	m->given |= m->body != SMTP_BODY_NONE ? SMTP_P_BODY : 0;
	t->utf8 = l->flags & MAIL_UTF8;
	m->given |= t->utf8 ? SMTP_P_SMTPUTF8 : 0;
	m->given |= l->flags & MAIL_REQUIRETLS ? SMTP_P_REQUIRETLS : 0;
	m->given |= l->deliver_by && offers(t, SMTP_CAN_DELIVERBY) ? SMTP_P_BY : 0;
	m->by = l->deliver_by - clock_wall_s();
	m->by_return = l->by_return;
	if (!offers(t, SMTP_CAN_DSN))
		return;
	m->ret = (enum smtp_ret)l->ret;
	m->envid = l->envid;
	m->given |= (l->ret ? SMTP_P_RET : 0) | (l->envid.n > 0 ? SMTP_P_ENVID : 0);
}

static void choose_dsn(const struct transaction *t, const struct queue_relay_recipient *from, struct smtp_rcpt *to)
{
	size_t semicolon = str_chr(from->orcpt, ';');
	if (!offers(t, SMTP_CAN_DSN))
		return;
	to->notify = from->notify;
	to->given |= from->notify ? SMTP_P_NOTIFY : 0;
	if (semicolon == STR_NONE)
		return;
	to->orcpt_type = str_sub(from->orcpt, 0, semicolon);
	to->orcpt = str_skip(from->orcpt, semicolon + 1);
	to->given |= SMTP_P_ORCPT;
}

static void refuse_recipient(struct transaction *t, size_t i, result r)
{
	struct trouble bad = trouble_lasting(STR("5.1.3"), say(t->e->arena, "The address cannot be written: %s.",
		r.text));
	struct queue_relay_outcome o = outcome_of_trouble(&bad);
	errand_settle(t->e, t->which[i], &o);
}

static void put_rcpt(struct transaction *t, size_t i)
{
	const struct queue_relay_recipient *from = &t->e->recipients[t->which[i]];
	struct smtp_rcpt r = {0};
	result read = mailbox_parse(from->address, t->e->arena, &r.to);
	if (failed(read)) {
		refuse_recipient(t, i, read);
		return;
	}
	choose_dsn(t, from, &r);
	smtp_print_rcpt(&t->out, &r, t->utf8);
	t->sent[i] = true;
}

static void put_chunk_line(struct transaction *t)
{
	buf_printf(&t->out, "BDAT %llu LAST\r\n", (unsigned long long)letter_size(&t->e->letter));
}

static result flush(struct transaction *t)
{
	stream_set_deadline(t->s->stream, RELAY_BLOCK_MS);
	TRY(buf_result(&t->out));
	TRY(stream_write(t->s->stream, buf_str(&t->out)));
	buf_clear(&t->out);
	return stream_flush(t->s->stream);
}

static result answer(struct transaction *t, uint64_t ms)
{
	if (!t->at_once)
		TRY(flush(t));
	return session_answer(t->s, ms, &t->is);
}

/* ---- the message ---- */

static result send_plain(struct transaction *t, str bytes)
{
	while (bytes.n > 0) {
		str block = str_sub(bytes, 0, RELAY_STUFF_BLOCK);
		stream_set_deadline(t->s->stream, RELAY_BLOCK_MS);
		TRY(stream_write(t->s->stream, block));
		bytes = str_skip(bytes, block.n);
	}
	return OK;
}

static result send_chunk(struct transaction *t)
{
	TRY(flush(t));
	TRY(send_plain(t, t->e->letter.head));
	TRY(send_plain(t, t->e->letter.body));
	return stream_flush(t->s->stream);
}

static result send_stuffed_part(struct transaction *t, struct smtp_stuffer *st, str bytes)
{
	while (bytes.n > 0) {
		str block = str_sub(bytes, 0, RELAY_STUFF_BLOCK);
		smtp_data_stuff(st, block, &t->out);
		if (t->out.n >= RELAY_STUFF_BLOCK)
			TRY(flush(t));
		bytes = str_skip(bytes, block.n);
	}
	return buf_result(&t->out);
}

static result send_stuffed(struct transaction *t)
{
	struct smtp_stuffer st = {0};
	TRY(send_stuffed_part(t, &st, t->e->letter.head));
	TRY(send_stuffed_part(t, &st, t->e->letter.body));
	smtp_data_stuff_finish(&st, &t->out);
	return flush(t);
}

/* ---- answers ---- */

static void settle(struct transaction *t, size_t i)
{
	struct queue_relay_outcome o = outcome_of_reply(t->e->arena, &t->is.reply, buf_str(&t->is.text));
	bool told = t->e->recipients[t->which[i]].notify & SMTP_NOTIFY_SUCCESS;
	if (o.verdict == QUEUE_RELAY_VERDICT_DELIVERED && told && !offers(t, SMTP_CAN_DSN) && !t->s->lmtp)
		o.verdict = QUEUE_RELAY_VERDICT_RELAYED;
	if (t->is.reply.code == 421)
		t->e->slow_down = true;
	errand_settle(t->e, t->which[i], &o);
}

static void settle_accepted(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->accepted[i])
			settle(t, i);
}

/* "Too many recipients" (RFC 5321 4.5.3.1.10): the rest go with the next transaction. */
static bool had_enough(const struct transaction *t)
{
	const struct smtp_reply *r = &t->is.reply;
	return t->accepted_n > 0 && (r->code == 452 || (r->code == 552 && r->status[1] == 5 && r->status[2] == 3));
}

static struct trouble shut(struct transaction *t)
{
	t->s->broken = true;
	return trouble_of_reply(t->e->arena, &t->is.reply, buf_str(&t->is.text));
}

/* All of them are heard, also when MAIL was refused and they were on their way already. */
static struct trouble hear_recipients(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->at_once)
			put_rcpt(t, i);
		if (!t->sent[i])
			continue;
		result r = answer(t, RELAY_COMMAND_MS);
		if (failed(r))
			return lost(t, "at RCPT", r);
		if (t->is.reply.code == 421)
			return shut(t);
		if (t->e->settled[t->which[i]])
			continue;
		t->accepted[i] = answer_is(&t->is, 2);
		t->accepted_n += t->accepted[i];
		if (!t->accepted[i] && !had_enough(t))
			settle(t, i);
	}
	return (struct trouble){0};
}

static struct trouble hear_mail(struct transaction *t)
{
	if (t->s->dirty) {
		result r = answer(t, RELAY_COMMAND_MS); /* RSET: whatever it says */
		if (failed(r))
			return lost(t, "before MAIL", r);
		t->s->dirty = false;
	}
	if (!t->at_once)
		smtp_print_mail(&t->out, &t->mail);
	result r = answer(t, RELAY_COMMAND_MS);
	if (failed(r))
		return lost(t, "at MAIL", r);
	if (t->is.reply.code == 421)
		return shut(t);
	if (!answer_is(&t->is, 2))
		for (size_t i = 0; i < t->n; i++)
			if (!t->e->settled[t->which[i]])
				settle(t, i);
	return (struct trouble){0};
}

/* One answer for all, or one for each accepted recipient (RFC 2033 4.2). A connection that ends here leaves open
 * whether the message was taken: it goes again, as RFC 5321 6.1 allows. */
static struct trouble hear_end(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->accepted[i])
			continue;
		result r = session_answer(t->s, RELAY_END_MS, &t->is);
		if (failed(r)) {
			t->s->broken = true;
			struct trouble lost_at_end = trouble_later(STR("4.4.2"), say(t->e->arena,
				"The connection to %.*s ended before it said whether it took the message (%s); it is sent "
				"again, so it may arrive twice.", STR_ARG(session_host(t->s)), r.text));
			struct queue_relay_outcome o = outcome_of_trouble(&lost_at_end);
			for (; i < t->n; i++)
				if (t->accepted[i])
					errand_settle(t->e, t->which[i], &o);
			return lost_at_end;
		}
		if (!t->s->lmtp) {
			settle_accepted(t);
			return (struct trouble){0};
		}
		settle(t, i);
	}
	return (struct trouble){0};
}

/* DATA was sent with the commands, and nobody is left to receive: RFC 2920 3.1. */
static struct trouble end_empty(struct transaction *t)
{
	result r = answer(t, RELAY_DATA_MS);
	if (!failed(r) && t->is.reply.code == 354)
		r = session_ask(t->s, STR(".\r\n"), RELAY_END_MS, &t->is);
	t->s->dirty = true;
	return failed(r) ? lost(t, "at DATA", r) : (struct trouble){0};
}

static struct trouble send_data(struct transaction *t)
{
	if (!t->at_once)
		buf_put(&t->out, STR("DATA\r\n"));
	result r = answer(t, RELAY_DATA_MS);
	if (failed(r))
		return lost(t, "at DATA", r);
	if (t->is.reply.code == 421)
		return shut(t);
	if (t->is.reply.code != 354) {
		t->s->dirty = true;
		settle_accepted(t);
		return (struct trouble){0};
	}
	r = send_stuffed(t);
	return failed(r) ? lost(t, "within the message", r) : hear_end(t);
}

static struct trouble send_message(struct transaction *t)
{
	if (t->accepted_n == 0) {
		t->s->dirty = true;
		return t->at_once && !t->chunking ? end_empty(t) : (struct trouble){0};
	}
	if (!t->chunking)
		return send_data(t);
	put_chunk_line(t);
	result r = send_chunk(t);
	return failed(r) ? lost(t, "within the message", r) : hear_end(t);
}

/* ---- as a whole ---- */

static void choose_recipients(struct transaction *t)
{
	const struct smtp_offer *o = &t->s->offer;
	size_t max = o->rcpt_max && o->rcpt_max < RELAY_RECIPIENTS_MAX ? o->rcpt_max : RELAY_RECIPIENTS_MAX;
	for (size_t i = 0; i < t->e->n && t->n < max; i++)
		if (!t->e->settled[i])
			t->which[t->n++] = i;
}

static result send_commands(struct transaction *t)
{
	if (t->s->dirty)
		buf_put(&t->out, STR("RSET\r\n"));
	if (!t->at_once)
		return OK;
	smtp_print_mail(&t->out, &t->mail);
	for (size_t i = 0; i < t->n; i++)
		put_rcpt(t, i);
	if (!t->chunking)
		buf_put(&t->out, STR("DATA\r\n"));
	return flush(t);
}

static struct trouble run(struct transaction *t)
{
	result r = read_sender(t);
	if (failed(r))
		return trouble_lasting(STR("5.1.7"), say(t->e->arena, "The sender's address cannot be written: %s.",
			r.text));
	choose_recipients(t);
	choose_parameters(t);
	r = send_commands(t);
	if (failed(r))
		return lost(t, "at MAIL", r);
	struct trouble bad = hear_mail(t);
	bool refused = !is_trouble(&bad) && !answer_is(&t->is, 2);
	if (is_trouble(&bad) || (refused && !t->at_once)) {
		t->s->dirty = true;
		return bad;
	}
	bad = hear_recipients(t);
	return is_trouble(&bad) ? bad : send_message(t);
}

enum { COMMANDS_MAX = 16 * RELAY_STUFF_BLOCK };

struct trouble transact(struct session *s, struct errand *e)
{
	struct trouble bad = message_fits(s, e);
	if (is_trouble(&bad))
		return bad;
	struct transaction *t = arena_alloc(e->arena, sizeof *t);
	if (!t)
		return trouble_later(STR("4.3.0"), STR("This server has no memory for another transaction."));
	t->s = s;
	t->e = e;
	t->at_once = offers(t, SMTP_CAN_PIPELINING);
	t->chunking = offers(t, SMTP_CAN_CHUNKING);
	t->out = buf_new(COMMANDS_MAX);
	t->is = answer_new();
	s->messages++;
	bad = run(t);
	buf_free(&t->out);
	answer_free(&t->is);
	return bad;
}
