/* XCLIENT, for tests against the demo and from loopback only: it lets a test
 * be any client. LOGIN is never taken. As Postfix documents it. */
#include "edge/smtp.h"

static net_addr announced_address(const struct smtp_session *s, const struct smtp_xclient *x)
{
	net_addr a = s->client->address;
	if ((x->given & ~x->unknown) & 1u << SMTP_X_ADDR) {
		memset(a.ip, 0, sizeof a.ip);
		if (x->addr.n == 4) {
			a.ip[10] = a.ip[11] = 0xff;
			memcpy(a.ip + 12, x->addr.b, 4);
		} else {
			memcpy(a.ip, x->addr.b, sizeof a.ip);
		}
	}
	if ((x->given & ~x->unknown) & 1u << SMTP_X_PORT)
		a.port = x->port;
	return a;
}

result smtp_do_xclient(struct smtp_session *s, const struct smtp_command *c)
{
	const struct smtp_xclient *x = &c->xclient;
	if (!s->client->edge->demo || !s->client->from_loopback)
		return SMTP_REFUSE(s, 550, "5.7.0", "XCLIENT is not for you");
	if (x->given & 1u << SMTP_X_LOGIN)
		return SMTP_REFUSE(s, 550, "5.7.0", "XCLIENT does not log anybody in");
	net_addr a = announced_address(s, x);
	limits_leave(&s->client->edge->limits, &s->client->address, s->client->trusted);
	client_set_address(s->client, &a, true);
	/* Above its limit the announced client is told like any other. */
	result r = limits_enter(&s->client->edge->limits, &a, s->client->trusted);
	if (failed(r)) {
		s->client->uncounted = true;
		s->ending = true;
		return smtp_reply(s, 421, "4.7.0", r.text);
	}
	struct ban_row row;
	if (client_grade(s->client, &row) == BAN_FULL) {
		AUTO_BUF buf text = buf_new(300);
		bans_count(&s->client->edge->bans, &row);
		bans_put_sentence(&text, &row);
		buf_putc(&text, '\0');
		TRY(buf_result(&text));
		s->ending = true;
		return smtp_reply(s, 421, "4.7.0", text.p);
	}
	smtp_begin(s);
	return smtp_greet(s);
}
