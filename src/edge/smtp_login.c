/* AUTH (RFC 4954): PLAIN (RFC 4616), LOGIN, and the mechanisms of sasl.h. */
#include "edge/sasl.h"
#include "edge/smtp.h"
#include "grammar/text/base64.h"
#include "grammar/text/sasl.h"
#include "run/secret.h"

static result refuse_coding(struct smtp_session *s, result why)
{
	if (why.kind == FAIL_CANCELLED) /* the client sent "*" */
		return SMTP_REFUSE(s, 501, "5.7.0", "The login was cancelled");
	return SMTP_REFUSE(
		s, 501, "5.5.2", "The login message is not as its mechanism says (base64 of user name and password)");
}

/* Sends a challenge and decodes the answer. *done: a refusal was sent. */
static result challenge(struct smtp_session *s, str text, buf *out, bool *done)
{
	AUTO_BUF buf line = buf_new(1024);
	str answer;
	buf_put(&line, STR("334 "));
	buf_put(&line, text);
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	TRY(stream_write(s->client->stream, buf_str(&line)));
	stream_set_deadline(s->client->stream, smtp_command_time(s));
	result r = stream_read_line(s->client->stream, SASL_LINE_MAX, LINE_CRLF, &answer);
	stream_set_deadline(s->client->stream, FIBER_FOREVER);
	if (r.kind == FAIL_LIMIT) {
		*done = true;
		return SMTP_REFUSE(s, 500, "5.5.6", "The login message is too long");
	}
	TRY(r);
	r = sasl_decode(answer, out);
	*done = failed(r);
	return failed(r) ? refuse_coding(s, r) : OK;
}

static result too_many_logins(struct smtp_session *s)
{
	s->ending = true;
	return smtp_reply(s, 421, "4.7.0", "Too many failed logins; this connection ends");
}

static result refuse_login(struct smtp_session *s, const struct login_answer *a)
{
	enum edge_auth_login_verdict v = a->verdict;
	bool temporary = v == EDGE_AUTH_LOGIN_VERDICT_LATER || v == EDGE_AUTH_LOGIN_VERDICT_UNAVAILABLE;
	if (v == EDGE_AUTH_LOGIN_VERDICT_MALFORMED)
		return refuse_coding(s, OK);
	if (!temporary && ++s->logins_failed >= SMTP_LOGINS_MAX && !s->client->trusted)
		return too_many_logins(s);
	return SMTP_REFUSE(s, temporary ? 454 : 535, temporary ? "4.7.0" : "5.7.8", login_sentence(a));
}

static void enter(struct smtp_session *s, const struct login_answer *answer, str user)
{
	s->logged_in = true;
	s->account = answer->account;
	s->token = answer->token;
	s->user_n = user.n < sizeof s->user ? user.n : sizeof s->user;
	memcpy(s->user, user.p, s->user_n);
}

static result try_login(struct smtp_session *s, str authzid, str user, str password)
{
	struct login_try q = {.protocol = EDGE_AUTH_PROTOCOL_SMTP, .authzid = authzid, .user = user, .password = password,
		.clear = !client_may_login(s->client)};
	struct login_answer answer;
	result r = login_ask(s->client, &q, &answer);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return refuse_login(s, &login_unanswered);
	if (answer.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		return refuse_login(s, &answer);
	enter(s, &answer, user);
	return smtp_reply(s, 235, "2.7.0", "Logged in");
}

static result do_plain(struct smtp_session *s, const struct smtp_auth *a)
{
	SECRET_BUF buf message = buf_new(SASL_LINE_MAX);
	struct sasl_plain plain;
	bool done = false;
	result r = OK;
	buf_reserve(&message, SASL_LINE_MAX);
	if (a->has_initial) {
		r = sasl_decode(a->initial, &message);
		if (failed(r))
			return refuse_coding(s, r);
	} else {
		TRY(challenge(s, (str){NULL, 0}, &message, &done));
		if (done)
			return OK;
	}
	r = sasl_plain_parse(buf_str(&message), &plain);
	if (failed(r))
		return refuse_coding(s, r);
	return try_login(s, plain.authzid, plain.authcid, plain.passwd);
}

static result do_login(struct smtp_session *s, const struct smtp_auth *a)
{
	AUTO_BUF buf user = buf_new(SASL_LINE_MAX);
	SECRET_BUF buf password = buf_new(SASL_LINE_MAX);
	bool done = false;
	buf_reserve(&password, SASL_LINE_MAX);
	if (a->has_initial) {
		result r = sasl_decode(a->initial, &user);
		if (failed(r))
			return refuse_coding(s, r);
	} else {
		TRY(challenge(s, SASL_LOGIN_USERNAME, &user, &done));
		if (done)
			return OK;
	}
	TRY(challenge(s, SASL_LOGIN_PASSWORD, &password, &done));
	if (done)
		return OK;
	if (failed(sasl_login_check(buf_str(&user), SASL_NAME_MAX)) ||
	    failed(sasl_login_check(buf_str(&password), SASL_PASSWORD_MAX)))
		return refuse_coding(s, OK);
	return try_login(s, (str){NULL, 0}, buf_str(&user), buf_str(&password));
}

static result do_sasl(struct smtp_session *s, const struct smtp_auth *a, enum sasl_mechanism m)
{
	AUTO_BUF buf user = buf_new(sizeof s->user);
	struct login_answer answer;
	const struct sasl_carrier c = {.client = s->client, .protocol = EDGE_AUTH_PROTOCOL_SMTP, .before = STR("334 "),
		.end = LINE_CRLF, .has_initial = a->has_initial, .initial = a->initial};
	stream_set_deadline(s->client->stream, smtp_command_time(s));
	result r = sasl_run(&c, m, &user, &answer);
	stream_set_deadline(s->client->stream, FIBER_FOREVER);
	if (r.kind == FAIL_INPUT || (r.kind == FAIL_CANCELLED && !fiber_cancelled()))
		return refuse_coding(s, r);
	TRY(r);
	if (answer.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		return refuse_login(s, &answer);
	enter(s, &answer, buf_str(&user));
	return smtp_reply(s, 235, "2.7.0", "Logged in");
}

result smtp_meet_local(struct smtp_session *s)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct login_answer answer;
	str address;
	result r = login_local(s->client, &a, &answer, &address);
	if (r.kind == FAIL_CANCELLED)
		return r;
	/* Who has no account here is told so at MAIL, in a reply that sendmail shows. */
	if (!failed(r) && answer.verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		enter(s, &answer, address);
	s->unmapped = !failed(r) && answer.verdict == EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	return OK;
}

/* A device without TLS gets no further than PLAIN and LOGIN, which need an app password that was made for that. */
static result begin_auth(struct smtp_session *s, const struct smtp_auth *a, bool clear)
{
	enum sasl_mechanism m = clear ? SASL_OTHER : sasl_find(s->client, a->mechanism);
	if (str_ieq(a->mechanism, STR("PLAIN")))
		return do_plain(s, a);
	if (str_ieq(a->mechanism, STR("LOGIN")))
		return do_login(s, a);
	if (m != SASL_OTHER)
		return do_sasl(s, a, m);
	return SMTP_REFUSE(s, 504, "5.5.4", "This mechanism is not offered; the answer to EHLO lists those that are");
}

result smtp_do_auth(struct smtp_session *s, const struct smtp_command *c)
{
	if (!smtp_is_submission(s))
		return SMTP_REFUSE(s, 502, "5.5.1", "Nobody logs in on this port; mail programs use submission (587 or 465)");
	if (s->logged_in)
		return SMTP_REFUSE(s, 503, "5.5.1", "You are logged in already");
	bool clear = !client_may_login(s->client);
	if (clear && !offers_clear(s->client))
		return SMTP_REFUSE(s, 538, "5.7.11", "Begin TLS first (STARTTLS): no password travels in clear here");
	return begin_auth(s, &c->auth, clear);
}
