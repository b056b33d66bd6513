#include "relay/login.h"

#include "grammar/text/base64.h"
#include "grammar/text/sasl.h"
#include "run/secret.h"

enum { LINE_ROOM = 2 * SASL_LINE_MAX };

static struct trouble refused(const struct call *c, const struct answer *is)
{
	struct trouble t = trouble_of_reply(c->arena, &is->reply, buf_str(&is->text));
	t.lasting = false;
	t.status = STR("4.7.0");
	t.text = say(c->arena, "The server %.*s refuses the route's login: %.*s", STR_ARG(c->host->name),
		STR_ARG(t.text));
	return t;
}

static struct trouble lost(const struct call *c, result r)
{
	return trouble_later(STR("4.4.2"),
		say(c->arena, "The connection to %.*s failed at the login: %s", STR_ARG(c->host->name), r.text));
}

/* `before` and the secret in base64, CRLF behind it. */
static result ask(struct session *s, str before, str plain, struct answer *is)
{
	SECRET_BUF buf line = buf_new(LINE_ROOM);
	if (!buf_reserve(&line, LINE_ROOM / 2))
		return buf_result(&line);
	buf_put(&line, before);
	base64_encode(&line, plain, 0);
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	return session_ask(s, buf_str(&line), RELAY_COMMAND_MS, is);
}

static result plain(struct session *s, const struct way *w, struct answer *is)
{
	SECRET_BUF buf message = buf_new(SASL_MESSAGE_MAX);
	if (!buf_reserve(&message, SASL_MESSAGE_MAX))
		return buf_result(&message);
	sasl_plain_print(&message, &(struct sasl_plain){.authcid = w->user, .passwd = w->password});
	TRY(buf_result(&message));
	return ask(s, STR("AUTH PLAIN "), buf_str(&message), is);
}

static result in_two_steps(struct session *s, const struct way *w, struct answer *is)
{
	TRY(session_ask(s, STR("AUTH LOGIN\r\n"), RELAY_COMMAND_MS, is));
	if (is->reply.code != 334)
		return OK;
	TRY(ask(s, STR(""), w->user, is));
	return is->reply.code == 334 ? ask(s, STR(""), w->password, is) : OK;
}

struct trouble login(struct session *s, const struct call *c, struct answer *is)
{
	result r;
	if (!stream_tls(s->stream))
		return trouble_later(STR("4.7.10"), say(c->arena,
			"The route's login is sent over TLS only, and %.*s offers none.",
			STR_ARG(c->host->name)));
	if (smtp_offers(&s->offer, SMTP_CAN_AUTH_PLAIN))
		r = plain(s, c->way, is);
	else if (smtp_offers(&s->offer, SMTP_CAN_AUTH_LOGIN))
		r = in_two_steps(s, c->way, is);
	else
		return trouble_later(STR("4.7.0"), say(c->arena,
			"The server %.*s offers neither of the logins PLAIN and LOGIN.",
			STR_ARG(c->host->name)));
	if (failed(r))
		return lost(c, r);
	return answer_is(is, 2) ? (struct trouble){0} : refused(c, is);
}
