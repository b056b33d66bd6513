/* IMAP before login (RFC 9051 6.1, 6.2): a few commands, then the session
 * belongs to the account and this process only carries bytes. */
#include "base/mem.h"
#include "edge/sasl.h"
#include "grammar/imap/imap_codes.h"
#include "grammar/imap/imap_command.h"
#include "grammar/imap/imap_print.h"
#include "grammar/text/sasl.h"
#include "run/secret.h"

enum imap_limits {
	IMAP_TEXT_MAX = 8192,    /* one command with its literals */
	IMAP_LITERALS_MAX = 4,
	IMAP_ARENA_MAX = 32768,
	IMAP_LOGINS_MAX = 5,
	IMAP_COMMANDS_MAX = 100, /* before login */
};

struct imap {
	struct client *client;
	buf text;
	arena arena;
	bool ending;
	unsigned commands, logins_failed;
	int session; /* the account's stream once logged in, else -1 */
};

static result say(struct imap *i, str tag, const char *text)
{
	AUTO_BUF buf line = buf_new(2 * IMAP_TEXT_MAX); /* the tag may be as long as a line */
	buf_put(&line, tag.n ? tag : STR("*"));
	buf_putc(&line, ' ');
	buf_put(&line, str_from(text));
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	return stream_write(i->client->stream, buf_str(&line));
}

static void put_mechanisms(const struct imap *i, buf *out)
{
	buf_put(out, STR(" AUTH=PLAIN"));
	sasl_put_mechanisms(i->client, STR("AUTH="), out);
}

static void put_capabilities(struct imap *i, buf *out)
{
	buf_put(out, STR("CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE"));
	if (!i->client->encrypted && i->client->edge->tls)
		buf_put(out, STR(" STARTTLS"));
	if (client_may_login(i->client))
		put_mechanisms(i, out);
	else
		buf_put(out, STR(" LOGINDISABLED"));
}

static result do_capability(struct imap *i, const struct imap_command *c)
{
	AUTO_BUF buf text = buf_new(1024);
	put_capabilities(i, &text);
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	TRY(say(i, (str){NULL, 0}, text.p));
	return say(i, c->tag, "OK That is what is offered before login");
}

static result do_noop(struct imap *i, const struct imap_command *c)
{
	return say(i, c->tag, "OK Here");
}

static result do_logout(struct imap *i, const struct imap_command *c)
{
	i->ending = true;
	TRY(say(i, (str){NULL, 0}, "BYE Until next time"));
	return say(i, c->tag, "OK Logged out");
}

/* RFC 2971: our name, not our version, before anybody has logged in. */
static result do_id(struct imap *i, const struct imap_command *c)
{
	TRY(say(i, (str){NULL, 0}, "ID (\"name\" \"Postern\")"));
	return say(i, c->tag, "OK Pleased to meet you");
}

static result do_starttls(struct imap *i, const struct imap_command *c)
{
	struct stream *stream = i->client->stream;
	if (i->client->encrypted)
		return say(i, c->tag, "BAD TLS is active already");
	if (!i->client->edge->tls)
		return say(i, c->tag, "NO TLS is not available here now");
	if (stream_pending(stream)) { /* an attacker in the middle could have put it there */
		client_abuses(i->client, "commands behind STARTTLS");
		i->ending = true;
		return say(i, (str){NULL, 0}, "BYE Commands came behind STARTTLS before the handshake");
	}
	TRY(say(i, c->tag, "OK Begin TLS"));
	TRY(stream_flush(stream));
	return client_start_tls(i->client);
}

static result refuse_login(struct imap *i, str tag, const struct login_answer *a)
{
	AUTO_BUF buf text = buf_new(1024);
	enum edge_auth_login_verdict v = a->verdict;
	bool wrong = login_wants_another(v);
	if (v == EDGE_AUTH_LOGIN_VERDICT_MALFORMED)
		return say(i, tag, "BAD The login message is not as its mechanism says");
	const char *code = wrong ? IMAP_CODE_AUTHENTICATIONFAILED :
		v == EDGE_AUTH_LOGIN_VERDICT_DISABLED ? IMAP_CODE_CONTACTADMIN : IMAP_CODE_UNAVAILABLE;
	buf_printf(&text, "NO [%s] %s", code, login_sentence(a));
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	TRY(say(i, tag, text.p));
	if (!wrong || ++i->logins_failed < IMAP_LOGINS_MAX || i->client->trusted)
		return OK;
	i->ending = true;
	return say(i, (str){NULL, 0}, "BYE Too many failed logins");
}

static result refuse_in_clear(struct imap *i, str tag)
{
	return say(i, tag, "NO [" IMAP_CODE_PRIVACYREQUIRED "] Begin TLS first (STARTTLS): "
			   "no password travels in clear here");
}

/* What auth answered. The account answers the command when it took the session. */
static result settle(struct imap *i, str tag, struct login_answer *a)
{
	if (a->verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED && a->session < 0)
		a->verdict = EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE;
	if (a->verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		return refuse_login(i, tag, a);
	i->session = a->session;
	return OK;
}

static result try_login(struct imap *i, str tag, const struct sasl_plain *p)
{
	struct login_try q = {.protocol = EDGE_AUTH_PROTOCOL_IMAP, .authzid = p->authzid, .user = p->authcid,
			      .password = p->passwd, .tag = tag, .session = true};
	struct login_answer answer;
	if (!client_may_login(i->client))
		return refuse_in_clear(i, tag);
	if (tag.n > EDGE_AUTH_LOGIN_TAG_MAX)
		return say(i, tag, "BAD The tag is too long");
	result r = login_ask(i->client, &q, &answer);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return refuse_login(i, tag, &login_unanswered);
	return settle(i, tag, &answer);
}

static result do_login(struct imap *i, const struct imap_command *c)
{
	struct sasl_plain p = {.authcid = c->login.user, .passwd = c->login.password};
	if (failed(sasl_login_check(p.authcid, SASL_NAME_MAX)) || failed(sasl_login_check(p.passwd, SASL_PASSWORD_MAX)))
		return say(i, c->tag, "NO [" IMAP_CODE_AUTHENTICATIONFAILED "] No user name or password is like that");
	return try_login(i, c->tag, &p);
}

/* The initial response, or the answer to an empty challenge. */
static result plain_message(struct imap *i, const struct imap_command *c, buf *out)
{
	str line;
	if (c->auth.has_initial)
		return sasl_decode(c->auth.initial, out);
	TRY(stream_write(i->client->stream, STR("+ \r\n")));
	TRY(stream_read_line(i->client->stream, SASL_LINE_MAX, LINE_ANY, &line));
	return sasl_decode(line, out);
}

static result do_sasl(struct imap *i, const struct imap_command *c, enum sasl_mechanism m)
{
	AUTO_BUF buf user = buf_new(EDGE_AUTH_LOGIN_IS_ADDRESS_MAX);
	struct login_answer answer;
	const struct sasl_carrier s = {.client = i->client, .protocol = EDGE_AUTH_PROTOCOL_IMAP, .before = STR("+ "),
		.end = LINE_ANY, .tag = c->tag, .session = true, .has_initial = c->auth.has_initial,
		.initial = c->auth.initial};
	if (c->tag.n > EDGE_AUTH_LOGIN_TAG_MAX)
		return say(i, c->tag, "BAD The tag is too long");
	result r = sasl_run(&s, m, &user, &answer);
	if (login_lost_client(r))
		return r;
	if (failed(r))
		return say(i, c->tag, r.kind == FAIL_CANCELLED ? "BAD The login was cancelled"
							       : "BAD The login message is not as its mechanism says");
	return settle(i, c->tag, &answer);
}

static result do_plain(struct imap *i, const struct imap_command *c)
{
	SECRET_BUF buf message = buf_new(SASL_LINE_MAX);
	struct sasl_plain p;
	buf_reserve(&message, SASL_LINE_MAX);
	result r = plain_message(i, c, &message);
	if (login_lost_client(r))
		return r;
	if (!failed(r))
		r = sasl_plain_parse(buf_str(&message), &p);
	if (failed(r))
		return say(i, c->tag, r.kind == FAIL_CANCELLED ? "BAD The login was cancelled"
							       : "BAD The login message is not as PLAIN says");
	return try_login(i, c->tag, &p);
}

static result do_authenticate(struct imap *i, const struct imap_command *c)
{
	enum sasl_mechanism m = sasl_find(i->client, c->auth.mechanism);
	if (m == SASL_OTHER && !str_ieq(c->auth.mechanism, STR("PLAIN")))
		return say(i, c->tag, "NO [" IMAP_CODE_CANNOT "] This mechanism is not offered; CAPABILITY lists what is");
	if (!client_may_login(i->client))
		return refuse_in_clear(i, c->tag);
	return m == SASL_OTHER ? do_plain(i, c) : do_sasl(i, c, m);
}

typedef result imap_handler(struct imap *i, const struct imap_command *c);

static imap_handler *const handlers[IMAP_VERBS] = {
	[IMAP_CAPABILITY_COMMAND] = do_capability,     [IMAP_NOOP_COMMAND] = do_noop,
	[IMAP_LOGOUT_COMMAND] = do_logout,             [IMAP_ID_COMMAND] = do_id,
	[IMAP_STARTTLS_COMMAND] = do_starttls,         [IMAP_LOGIN_COMMAND] = do_login,
	[IMAP_AUTHENTICATE_COMMAND] = do_authenticate,
};

static result say_bad(struct imap *i, str tag, str why)
{
	AUTO_BUF buf text = buf_new(2048);
	client_misspeaks(i->client);
	buf_put(&text, STR("BAD "));
	imap_put_text(&text, why, false);
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	return say(i, tag, text.p);
}

static result dispatch(struct imap *i)
{
	struct imap_command c = {0};
	i->ending = client_speaks_http(i->client, buf_str(&i->text));
	if (i->ending)
		return say(i, (str){NULL, 0}, "BYE This is a port for mail, and HTTP is not spoken here");
	result r = imap_parse(buf_str(&i->text), &i->arena, &c);
	if (failed(r))
		return say_bad(i, c.tag, str_from(r.text));
	if (!handlers[c.verb])
		return say(i, c.tag, "BAD Log in first");
	return handlers[c.verb](i, &c);
}

/* Whoever waits for leave is only refused; what comes unasked is not read, so the connection ends (RFC 7888 4). */
static result too_long(struct imap *i, bool waits)
{
	struct imap_command c;
	if (!waits) {
		i->ending = true;
		return say(i, (str){NULL, 0}, "BYE [" IMAP_CODE_TOOBIG "] No command before login is that long");
	}
	result r = imap_parse(buf_str(&i->text), &i->arena, &c); /* for its tag; it is not whole */
	(void)r;
	return say(i, c.tag, "BAD [" IMAP_CODE_TOOBIG "] No command before login is that long");
}

static result read_literal(struct imap *i, const struct imap_literal *l)
{
	struct stream *stream = i->client->stream;
	str in;
	if (l->sync)
		TRY(stream_write(stream, STR("+ Go on\r\n")));
	buf_put(&i->text, STR("\r\n"));
	for (uint64_t left = l->size; left > 0; left -= in.n) {
		TRY(stream_read_some(stream, &in));
		in = str_sub(in, 0, (size_t)left);
		buf_put(&i->text, in);
		stream_consume(stream, in.n);
	}
	return buf_result(&i->text);
}

/* One line and the literals that continue it. *whole: the command can be parsed. */
static result read_command(struct imap *i, bool *whole)
{
	str line;
	*whole = false;
	for (int n = 0; n <= IMAP_LITERALS_MAX; n++) {
		struct imap_literal l;
		result r = stream_read_line(i->client->stream, IMAP_TEXT_MAX, LINE_ANY, &line);
		if (r.kind == FAIL_LIMIT)
			return too_long(i, false);
		i->ending = r.kind == FAIL_INPUT;
		if (i->ending)
			return say(i, (str){NULL, 0}, "BYE This line has no end");
		TRY(r);
		if (i->text.n == 0)
			buf_reserve(&i->text, i->text.max); /* growing would leave copies of a password behind */
		buf_put(&i->text, line);
		enum imap_line kind = imap_literal_at_end(line, &l);
		if (kind == IMAP_LINE_WHOLE) {
			*whole = !i->text.broken;
			return *whole ? OK : too_long(i, false);
		}
		if (kind == IMAP_LINE_BAD)
			return too_long(i, !str_ends(line, STR("+}")));
		if (n == IMAP_LITERALS_MAX || i->text.n > IMAP_TEXT_MAX || l.size > IMAP_TEXT_MAX - i->text.n)
			return too_long(i, l.sync);
		TRY(read_literal(i, &l));
	}
	return OK;
}

static result one_command(struct imap *i)
{
	bool whole;
	if (!i->client->trusted && ++i->commands > IMAP_COMMANDS_MAX) {
		i->ending = true;
		return say(i, (str){NULL, 0}, "BYE Too many commands before login");
	}
	result r = read_command(i, &whole);
	if (!failed(r) && whole)
		r = dispatch(i);
	secret_buf_free(&i->text); /* it may have held a password */
	arena_free(&i->arena);
	return r;
}

static result greet(struct imap *i)
{
	AUTO_BUF buf text = buf_new(1024);
	buf_put(&text, STR("OK ["));
	put_capabilities(i, &text);
	buf_put(&text, STR("] Postern is ready"));
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	return say(i, (str){NULL, 0}, text.p);
}

static void say_goodbye(struct imap *i, result why)
{
	result r = OK;
	i->client->stalled = why.kind == FAIL_TIMEOUT;
	if (why.kind == FAIL_TIMEOUT)
		r = say(i, (str){NULL, 0}, "BYE Nobody logged in in time");
	else if (why.kind == FAIL_CANCELLED)
		r = say(i, (str){NULL, 0}, "BYE [" IMAP_CODE_UNAVAILABLE "] The server is stopping; connect again in a moment");
	else if (why.kind == FAIL_MEMORY || why.kind == FAIL_LIMIT)
		r = say(i, (str){NULL, 0}, "BYE [" IMAP_CODE_UNAVAILABLE "] The server is short of memory; "
					   "connect again later");
	if (!failed(r))
		client_end(i->client);
}

void imap_session(struct client *c)
{
	struct imap *i = mem_alloc(sizeof *i);
	if (!i)
		return;
	*i = (struct imap){
		.client = c, .text = buf_new(IMAP_TEXT_MAX + 4), .arena = arena_new(IMAP_ARENA_MAX), .session = -1};
	stream_set_deadline(c->stream, client_time(c, OPT_LOGIN_TIME));
	result r = greet(i);
	while (!failed(r) && !i->ending && i->session < 0 && !c->edge->stopping)
		r = one_command(i);
	int session = failed(r) ? -1 : i->session;
	if (session < 0)
		say_goodbye(i, c->edge->stopping && !failed(r) && !i->ending ? failure(FAIL_CANCELLED, "stopping") : r);
	mem_free(i); /* a session that idles for hours keeps nothing of it */
	if (session >= 0)
		login_hand_over(c, STR("imap"), session);
}
