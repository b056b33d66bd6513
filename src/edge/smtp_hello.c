#include "edge/sasl.h"
#include "edge/smtp.h"
#include "grammar/smtp/smtp_reply.h"
#include "grammar/text/timestamp.h"
#include "run/clock.h"

static void remember_name(struct smtp_session *s, const struct smtp_helo *h, bool esmtp)
{
	size_t n = h->name.n < sizeof s->helo_text ? h->name.n : sizeof s->helo_text;
	smtp_reset(s);
	memcpy(s->helo_text, h->name.p, n);
	s->helo = str_of(s->helo_text, n);
	s->esmtp = esmtp;
	s->state = SMTP_GREETED;
}

/* What only a mail program asks for: when to send, by when, and what to tell. */
static void put_submission(const struct smtp_session *s, buf *text)
{
	uint64_t longest = options_number(&s->client->edge->options, OPT_HOLD_LONGEST) / 1000;
	buf_put(text, STR("\nDSN\nDELIVERBY"));
	if (s->client->protocol == CLIENT_LOCAL && s->logged_in) /* for sendmail: who it sends as */
		buf_printf(text, "\nXACCOUNT %.*s", (int)s->user_n, s->user);
	if (!smtp_offers_hold(s))
		return;
	buf_printf(text, "\nFUTURERELEASE %llu ", (unsigned long long)longest);
	timestamp_print(text, clock_wall_s() + (int64_t)longest);
}

static void put_mechanisms(const struct client *c, buf *text)
{
	bool may = client_may_login(c);
	if (!may && !offers_clear(c))
		return;
	buf_put(text, STR("\nAUTH PLAIN LOGIN"));
	if (may)
		sasl_put_mechanisms(c, STR(""), text);
}

static void put_extensions(struct smtp_session *s, buf *text)
{
	const struct client *c = s->client;
	const struct options *o = &c->edge->options;
	buf_printf(text, "\nPIPELINING\nSIZE %llu\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\nENHANCEDSTATUSCODES",
		   (unsigned long long)options_number(o, OPT_MESSAGE_SIZE));
	buf_printf(text, "\nLIMITS MAILMAX=%llu RCPTMAX=%llu", (unsigned long long)options_number(o, OPT_MESSAGES),
		   (unsigned long long)options_number(o, OPT_RECIPIENTS));
	if (smtp_is_private(s))
		buf_put(text, STR("\nREQUIRETLS"));
	if (smtp_is_submission(s))
		put_submission(s, text);
	if (!smtp_is_private(s) && c->edge->tls)
		buf_put(text, STR("\nSTARTTLS"));
	if (smtp_is_submission(s) && !s->logged_in)
		put_mechanisms(c, text);
	if (c->edge->demo && c->from_loopback)
		buf_put(text, STR("\nXCLIENT NAME ADDR PORT HELO"));
	buf_put(text, STR("\nHELP"));
}

result smtp_do_ehlo(struct smtp_session *s, const struct smtp_command *c)
{
	AUTO_BUF buf text = buf_new(4096);
	remember_name(s, &c->helo, true);
	buf_put(&text, options_text(&s->client->edge->options, OPT_HOSTNAME));
	put_extensions(s, &text);
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	/* RFC 2034 section 4: no enhanced codes in the answer to EHLO and HELO. */
	return smtp_reply(s, 250, NULL, text.p);
}

result smtp_do_helo(struct smtp_session *s, const struct smtp_command *c)
{
	AUTO_BUF buf text = buf_new(1024);
	remember_name(s, &c->helo, false);
	buf_put(&text, options_text(&s->client->edge->options, OPT_HOSTNAME));
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	return smtp_reply(s, 250, NULL, text.p);
}

result smtp_do_lhlo(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	return SMTP_REFUSE(s, 500, "5.5.1", "This is SMTP, not LMTP: say EHLO");
}

/* RFC 3207. Whatever the client said before the handshake is forgotten, and
 * what it sent before the handshake ends the connection: an attacker in the
 * middle could have put it there. */
result smtp_do_starttls(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	if (smtp_is_private(s))
		return SMTP_REFUSE(s, 503, "5.5.1", "TLS is active already");
	if (!s->client->edge->tls)
		return SMTP_REFUSE(s, 454, "4.7.0", "TLS is not available here now");
	if (stream_pending(s->client->stream)) {
		client_abuses(s->client, "commands behind STARTTLS");
		s->ending = true;
		return SMTP_REFUSE(s, 421, "4.7.0", "Commands came behind STARTTLS before the handshake; this connection ends");
	}
	TRY(smtp_reply(s, 220, "2.0.0", "Begin TLS"));
	TRY(stream_flush(s->client->stream));
	TRY(client_start_tls(s->client));
	smtp_begin(s);
	return OK;
}
