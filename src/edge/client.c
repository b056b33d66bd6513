#include "edge/edge.h"

#include <stdio.h>

#include "grammar/text/http.h"
#include "run/clock.h"
#include "run/random.h"

void edge_init(struct edge *e)
{
	*e = (struct edge){.stopping = false};
	gate_init(&e->sealed);
	recipients_init(&e->recipients);
	signers_init(&e->signers);
}

void client_set_address(struct client *c, const net_addr *a, bool announced)
{
	buf text = buf_new(sizeof c->text);
	c->address = *a;
	net_put_ip(&text, a);
	size_t n = text.n < sizeof c->text - 1 ? text.n : sizeof c->text - 1;
	memcpy(c->text, text.p ? text.p : "", n);
	c->text[n] = '\0';
	buf_free(&text);
	c->trusted = c->edge->demo && !announced && net_is_loopback(a);
}

void client_set_user(struct client *c, uint32_t uid)
{
	c->uid = uid;
	snprintf(c->text, sizeof c->text, "local uid %u", (unsigned)uid);
}

bool client_is_exempt(const struct client *c)
{
	return c->trusted || c->protocol == CLIENT_LOCAL;
}

enum ban_grade client_grade(const struct client *c, struct ban_row *row)
{
	return client_is_exempt(c) ? BAN_NONE : bans_look(&c->edge->bans, &c->address, row);
}

bool client_may_login(const struct client *c)
{
	return c->encrypted || c->protocol == CLIENT_LOCAL || c->trusted || (c->edge->demo && c->from_loopback);
}

uint64_t client_time(const struct client *c, enum option_id time)
{
	uint64_t ms = options_number(&c->edge->options, time);
	return client_is_exempt(c) ? ms : limits_patience(&c->edge->limits, ms);
}

/* A server's handshake on port 25 asks nobody, nor does a browser's; a mail program's asks for a certificate where
 * somebody has one. */
result client_start_tls(struct client *c)
{
	bool web = c->protocol == CLIENT_WEB;
	if (c->protocol != CLIENT_SMTP && !web)
		(void)offers_for(c);
	stream_set_deadline(c->stream, client_time(c, OPT_LOGIN_TIME)); /* a handshake has a limit of its own, 30 s */
	result r = stream_start_tls(c->stream, web ? c->edge->tls_web : c->edge->tls);
	c->encrypted = !failed(r);
	if (failed(r) && r.kind != FAIL_CANCELLED)
		log_event(EV_TLS_FAILED, &c->session, F_STR("client", str_from(c->text)), F_STR("why", str_from(tls_error())));
	return r;
}

void client_abuses(const struct client *c, const char *what)
{
	log_event(EV_ABUSE, &c->session, F_STR("client", str_from(c->text)), F_STR("what", str_from(what)));
}

void client_misspeaks(const struct client *c)
{
	log_event(EV_MISSPOKE, &c->session, F_STR("client", str_from(c->text)));
}

bool client_speaks_http(const struct client *c, str line)
{
	if (!http_is_request(line))
		return false;
	client_abuses(c, "HTTP");
	return true;
}

void client_end(struct client *c)
{
	stream_set_deadline(c->stream, CLIENT_GOODBYE_MS);
	/* A cancelled fiber cannot wait, but what fits into the socket goes out. */
	result r = fiber_cancelled() ? stream_flush(c->stream) : stream_end(c->stream);
	(void)r; /* the client has gone or goes now: there is nobody left to tell */
}

void client_session(struct client *c)
{
	static void (*const sessions[])(struct client *c) = {
		[CLIENT_SMTP] = smtp_session,
		[CLIENT_SUBMISSION] = smtp_session,
		[CLIENT_LOCAL] = smtp_session,
		[CLIENT_IMAP] = imap_session,
		[CLIENT_POP3] = pop3_session,
		[CLIENT_WEB] = web_session,
	};
	sessions[c->protocol](c);
}

void trace_text(const trace_id *id, char out[TRACE_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < sizeof id->b; i++) {
		out[2 * i] = digits[id->b[i] >> 4];
		out[2 * i + 1] = digits[id->b[i] & 15];
	}
}
