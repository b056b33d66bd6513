/* POP3 before login (RFC 1939 section 4, 2449, 2595, 5034, 3206): a few
 * commands, then the session belongs to the account and this process only
 * carries bytes. */
#include "edge/sasl.h"
#include "grammar/pop3/pop3.h"
#include "run/secret.h"

enum pop3_limits {
	POP3_LOGINS_MAX = 5,     /* failed ones */
	POP3_COMMANDS_MAX = 100, /* before login */
	POP3_REPLY_MAX = 512,    /* octets of one (RFC 2449 section 4) */
};

struct pop3 {
	struct client *client;
	buf user; /* of USER, for the PASS that follows */
	bool ending;
	unsigned commands, logins_failed;
	int session; /* the account's stream once logged in, else -1 */
};

/* `code` with its brackets, or empty. */
static result say(struct pop3 *p, bool ok, const char *code, const char *text)
{
	AUTO_BUF buf line = buf_new(POP3_REPLY_MAX);
	buf_put(&line, ok ? STR("+OK ") : STR("-ERR "));
	buf_put(&line, str_from(code));
	if (*code)
		buf_putc(&line, ' ');
	buf_put(&line, str_from(text));
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	return stream_write(p->client->stream, buf_str(&line));
}

static result say_ok(struct pop3 *p, const char *text)
{
	return say(p, true, "", text);
}

static result say_err(struct pop3 *p, const char *text)
{
	return say(p, false, "", text);
}

static result do_capa(struct pop3 *p, const struct pop3_command *c)
{
	AUTO_BUF buf out = buf_new(4096);
	(void)c;
	buf_put(&out, STR("+OK That is what is offered\r\n"));
	if (client_may_login(p->client)) {
		buf_put(&out, STR("USER\r\nSASL PLAIN"));
		sasl_put_mechanisms(p->client, STR(""), &out);
		buf_put(&out, STR("\r\n"));
	}
	if (!p->client->encrypted && p->client->edge->tls)
		buf_put(&out, STR("STLS\r\n"));
	pop3_put_capabilities(&out);
	buf_put(&out, STR(".\r\n"));
	TRY(buf_result(&out));
	return stream_write(p->client->stream, buf_str(&out));
}

/* Names, passwords and messages are UTF-8 anyhow; what is said here is ASCII. */
static result do_utf8(struct pop3 *p, const struct pop3_command *c)
{
	(void)c;
	return say_ok(p, "UTF-8 it is");
}

static result do_quit(struct pop3 *p, const struct pop3_command *c)
{
	(void)c;
	p->ending = true;
	return say_ok(p, "Until next time");
}

static result do_stls(struct pop3 *p, const struct pop3_command *c)
{
	struct stream *stream = p->client->stream;
	(void)c;
	if (p->client->encrypted)
		return say_err(p, "TLS is active already");
	if (!p->client->edge->tls)
		return say_err(p, "TLS is not available here now");
	if (stream_pending(stream)) { /* an attacker in the middle could have put it there */
		client_abuses(p->client, "commands behind STARTTLS");
		p->ending = true;
		return say_err(p, "Commands came behind STLS before the handshake; this connection ends");
	}
	buf_clear(&p->user); /* said in clear: maybe not by the client (RFC 2595 section 4) */
	TRY(say_ok(p, "Begin TLS"));
	TRY(stream_flush(stream));
	return client_start_tls(p->client);
}

/* [AUTH]: asking the person for another password may help (RFC 3206 section 4). */
static result refuse_login(struct pop3 *p, const struct login_answer *a)
{
	enum edge_auth_login_verdict v = a->verdict;
	bool wrong = login_wants_another(v);
	if (v == EDGE_AUTH_LOGIN_VERDICT_MALFORMED)
		return say_err(p, "The login message is not as its mechanism says");
	if (wrong && ++p->logins_failed >= POP3_LOGINS_MAX && !p->client->trusted) {
		p->ending = true;
		return say(p, false, "[AUTH]", "Too many failed logins; this connection ends");
	}
	return say(p, false, wrong || v == EDGE_AUTH_LOGIN_VERDICT_DISABLED ? "[AUTH]" : "[SYS/TEMP]",
		login_sentence(a));
}

/* What auth answered. The account answers the command when it took the session. */
static result settle(struct pop3 *p, struct login_answer *a)
{
	if (a->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED && a->session < 0)
		a->verdict = EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE;
	if (a->verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		return refuse_login(p, a);
	p->session = a->session;
	return OK;
}

static result try_login(struct pop3 *p, const struct sasl_plain *plain)
{
	struct login_try q = {.protocol = EDGE_AUTH_PROTOCOL_POP3, .authzid = plain->authzid,
			      .user = plain->authcid, .password = plain->passwd, .session = true};
	struct login_answer answer;
	result r = login_ask(p->client, &q, &answer);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return refuse_login(p, &login_unanswered);
	return settle(p, &answer);
}

static result needs_tls(struct pop3 *p)
{
	return say_err(p, "Begin TLS first (STLS): no password travels in clear here");
}

/* Whether there is such a user is not told before the password is right. */
static result do_user(struct pop3 *p, const struct pop3_command *c)
{
	if (!client_may_login(p->client))
		return needs_tls(p);
	buf_clear(&p->user);
	if (failed(sasl_login_check(c->text, SASL_NAME_MAX)))
		return say_err(p, "No user name is like that");
	buf_put(&p->user, c->text);
	return say_ok(p, "Send the password (PASS)");
}

static result do_pass(struct pop3 *p, const struct pop3_command *c)
{
	AUTO_BUF buf user = p->user;
	struct sasl_plain plain = {.authcid = buf_str(&user), .passwd = c->text};
	p->user = buf_new(SASL_NAME_MAX); /* each PASS needs its own USER */
	if (!client_may_login(p->client))
		return needs_tls(p);
	if (!user.n)
		return say_err(p, "Send USER and the user name first");
	if (failed(sasl_login_check(c->text, SASL_PASSWORD_MAX)))
		return say(p, false, "[AUTH]", "No password is like that");
	return try_login(p, &plain);
}

/* The initial response, or the answer to an empty challenge (RFC 5034 section 4). */
static result plain_message(struct pop3 *p, const struct pop3_auth *a, buf *out)
{
	str line;
	if (a->has_initial)
		return sasl_decode(a->initial, out);
	TRY(stream_write(p->client->stream, STR("+ \r\n")));
	TRY(stream_read_line(p->client->stream, SASL_LINE_MAX, LINE_ANY, &line));
	return sasl_decode(line, out);
}

static result plain_login(struct pop3 *p, const struct pop3_auth *a)
{
	SECRET_BUF buf message = buf_new(SASL_LINE_MAX);
	struct sasl_plain plain;
	buf_reserve(&message, SASL_LINE_MAX); /* growing would leave copies of a password behind */
	result r = plain_message(p, a, &message);
	if (login_lost_client(r))
		return r;
	if (!failed(r))
		r = sasl_plain_parse(buf_str(&message), &plain);
	if (failed(r))
		return say_err(p, r.kind == FAIL_CANCELLED ? "The login was cancelled"
							   : "The login message is not as PLAIN says");
	return try_login(p, &plain);
}

static result sasl_login(struct pop3 *p, const struct pop3_auth *a, enum sasl_mechanism m)
{
	AUTO_BUF buf user = buf_new(EDGE_AUTH_LOGIN_IS_ADDRESS_MAX);
	struct login_answer answer;
	const struct sasl_carrier c = {.client = p->client, .protocol = EDGE_AUTH_PROTOCOL_POP3, .before = STR("+ "),
		.end = LINE_ANY, .session = true, .has_initial = a->has_initial, .initial = a->initial};
	result r = sasl_run(&c, m, &user, &answer);
	if (login_lost_client(r))
		return r;
	if (failed(r))
		return say_err(p, r.kind == FAIL_CANCELLED ? "The login was cancelled"
							   : "The login message is not as its mechanism says");
	return settle(p, &answer);
}

/* No RFC has it, but clients ask so: one on a line. */
static result list_mechanisms(struct pop3 *p)
{
	AUTO_BUF buf out = buf_new(POP3_REPLY_MAX), names = buf_new(POP3_REPLY_MAX);
	buf_put(&names, STR("PLAIN"));
	sasl_put_mechanisms(p->client, STR(""), &names);
	buf_put(&out, STR("+OK That is what is offered\r\n"));
	for (size_t k = 0; k < names.n; k++) {
		if (names.p[k] == ' ')
			buf_putc(&out, '\r');
		buf_putc(&out, names.p[k] == ' ' ? '\n' : names.p[k]);
	}
	buf_put(&out, STR("\r\n.\r\n"));
	TRY(buf_result(&names));
	TRY(buf_result(&out));
	return stream_write(p->client->stream, buf_str(&out));
}

static result do_auth(struct pop3 *p, const struct pop3_command *c)
{
	if (!client_may_login(p->client))
		return needs_tls(p);
	if (!c->auth.mechanism.n)
		return list_mechanisms(p);
	enum sasl_mechanism m = sasl_find(p->client, c->auth.mechanism);
	if (m != SASL_OTHER)
		return sasl_login(p, &c->auth, m);
	if (!str_ieq(c->auth.mechanism, STR("PLAIN")))
		return say_err(p, "This mechanism is not offered; CAPA lists those that are");
	return plain_login(p, &c->auth);
}

typedef result pop3_handler(struct pop3 *p, const struct pop3_command *c);

static pop3_handler *const handlers[POP3_VERBS] = {
	[POP3_CAPA] = do_capa, [POP3_STLS] = do_stls, [POP3_USER] = do_user, [POP3_PASS] = do_pass,
	[POP3_AUTH] = do_auth, [POP3_UTF8] = do_utf8, [POP3_QUIT] = do_quit,
};

static result say_bad(struct pop3 *p, result why)
{
	AUTO_BUF buf text = buf_new(POP3_REPLY_MAX);
	client_misspeaks(p->client);
	buf_put(&text, str_from(why.text));
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	text.p[0] = (char)ascii_upper((unsigned char)text.p[0]);
	return say_err(p, text.p);
}

static result one_command(struct pop3 *p)
{
	struct pop3_command c;
	str line;
	result r = stream_read_line(p->client->stream, POP3_LINE_MAX, LINE_ANY, &line);
	bool too_long = r.kind == FAIL_LIMIT;
	p->ending = r.kind == FAIL_INPUT;
	if (p->ending)
		return say_err(p, "The line has no end; this connection ends");
	if (!too_long)
		TRY(r);
	if (!p->client->trusted && ++p->commands > POP3_COMMANDS_MAX) {
		p->ending = true;
		return say_err(p, "Too many commands before login; this connection ends");
	}
	if (too_long)
		return say_err(p, "No command before login is that long");
	p->ending = client_speaks_http(p->client, line);
	if (p->ending)
		return say_err(p, "This is a port for mail, and HTTP is not spoken here");
	r = pop3_parse(line, &c);
	if (failed(r))
		return say_bad(p, r);
	return handlers[c.verb] ? handlers[c.verb](p, &c) : say_err(p, "Log in first");
}

/* A client that waited too long hears nothing (RFC 1939 section 3). */
static void say_goodbye(struct pop3 *p, result why)
{
	result r = OK;
	p->client->stalled = why.kind == FAIL_TIMEOUT;
	if (why.kind == FAIL_CANCELLED)
		r = say(p, false, "[SYS/TEMP]", "The server is stopping; connect again in a moment");
	else if (why.kind == FAIL_MEMORY || why.kind == FAIL_LIMIT)
		r = say(p, false, "[SYS/TEMP]", "The server is short of memory; connect again later");
	if (!failed(r))
		client_end(p->client);
}

void pop3_session(struct client *c)
{
	struct pop3 p = {.client = c, .user = buf_new(SASL_NAME_MAX), .session = -1};
	stream_set_deadline(c->stream, client_time(c, OPT_LOGIN_TIME));
	result r = say_ok(&p, "Postern is ready");
	while (!failed(r) && !p.ending && p.session < 0 && !c->edge->stopping)
		r = one_command(&p);
	buf_free(&p.user);
	int session = failed(r) ? -1 : p.session;
	if (session >= 0)
		login_hand_over(c, STR("pop3"), session);
	else
		say_goodbye(&p, c->edge->stopping && !failed(r) && !p.ending ? failure(FAIL_CANCELLED, "stopping") : r);
}
