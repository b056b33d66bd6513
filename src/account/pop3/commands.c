/* The commands that ask the maildrop alone (RFC 1939 sections 5 and 7). */
#include "account/pop3/session.h"

#include "account/store/fetch.h"

result pop3_message(const struct pop3_session *s, uint64_t number, const struct maildrop_message **out)
{
	const struct maildrop_message *m = maildrop_at(&s->drop, number);
	if (!m && number >= 1 && number <= s->drop.n)
		return failure(FAIL_ABSENT, "this message is marked to be removed; RSET takes the marks back");
	if (!m)
		return failure(FAIL_ABSENT, "there is no message with this number");
	*out = m;
	return OK;
}

result pop3_run_CAPA(struct pop3_session *s, const struct pop3_command *c)
{
	(void)c;
	buf_put(&s->out, STR("+OK That is what is offered\r\nUSER\r\nSASL PLAIN\r\n"));
	pop3_put_capabilities(&s->out);
	buf_put(&s->out, STR(".\r\n"));
	return OK;
}

result pop3_run_UTF8(struct pop3_session *s, const struct pop3_command *c)
{
	(void)c;
	buf_put(&s->out, STR("+OK UTF-8 it is\r\n"));
	return OK;
}

result pop3_run_NOOP(struct pop3_session *s, const struct pop3_command *c)
{
	(void)c;
	buf_put(&s->out, STR("+OK Here\r\n"));
	return OK;
}

static void put_two(struct pop3_session *s, uint64_t a, uint64_t b)
{
	buf_put_u64(&s->out, a);
	buf_putc(&s->out, ' ');
	buf_put_u64(&s->out, b);
	buf_put(&s->out, STR("\r\n"));
}

result pop3_run_STAT(struct pop3_session *s, const struct pop3_command *c)
{
	(void)c;
	buf_put(&s->out, STR("+OK "));
	put_two(s, s->drop.left, s->drop.octets);
	return OK;
}

static void put_size(struct pop3_session *s, uint64_t number, const struct maildrop_message *m)
{
	put_two(s, number, m->size);
}

static void put_unique_id(struct pop3_session *s, uint64_t number, const struct maildrop_message *m)
{
	char id[EMAIL_ID_SIZE];
	fetch_email_id(m->content, id);
	buf_put_u64(&s->out, number);
	buf_putc(&s->out, ' ');
	buf_put(&s->out, str_of(id, sizeof id));
	buf_put(&s->out, STR("\r\n"));
}

typedef void put_line(struct pop3_session *s, uint64_t number, const struct maildrop_message *m);

/* One line for the message that was named, or one for each that is not marked. */
static result listing(struct pop3_session *s, const struct pop3_command *c, put_line *put)
{
	const struct maildrop_message *m;
	if (c->message.given) {
		TRY(pop3_message(s, c->message.number, &m));
		buf_put(&s->out, STR("+OK "));
		put(s, c->message.number, m);
		return OK;
	}
	buf_printf(&s->out, "+OK %u messages, %llu octets\r\n", s->drop.left, (unsigned long long)s->drop.octets);
	for (uint32_t number = 1; number <= s->drop.n; number++) {
		m = maildrop_at(&s->drop, number);
		if (!m)
			continue;
		put(s, number, m);
		TRY(pop3_send_if_long(s));
	}
	buf_put(&s->out, STR(".\r\n"));
	return OK;
}

result pop3_run_LIST(struct pop3_session *s, const struct pop3_command *c)
{
	return listing(s, c, put_size);
}

result pop3_run_UIDL(struct pop3_session *s, const struct pop3_command *c)
{
	return listing(s, c, put_unique_id);
}

result pop3_run_DELE(struct pop3_session *s, const struct pop3_command *c)
{
	const struct maildrop_message *m;
	TRY(pop3_message(s, c->message.number, &m));
	maildrop_mark(&s->drop, c->message.number);
	buf_put(&s->out, STR("+OK It goes at QUIT\r\n"));
	return OK;
}

result pop3_run_RSET(struct pop3_session *s, const struct pop3_command *c)
{
	(void)c;
	maildrop_unmark_all(&s->drop);
	buf_printf(&s->out, "+OK %u messages, %llu octets\r\n", s->drop.left, (unsigned long long)s->drop.octets);
	return OK;
}

/* RFC 1939 section 6: +OK only when all that was marked has gone. */
result pop3_run_QUIT(struct pop3_session *s, const struct pop3_command *c)
{
	uint32_t marked = s->drop.n - s->drop.left;
	(void)c;
	s->ending = true;
	result r = maildrop_remove(&s->drop);
	if (failed(r)) {
		buf_put(&s->out, STR("-ERR [SYS/TEMP] The marked messages could not be removed: "));
		buf_put(&s->out, str_from(r.text));
		buf_put(&s->out, STR("\r\n"));
	} else {
		buf_printf(&s->out, "+OK %u messages removed; until next time\r\n", marked);
	}
	return OK;
}
