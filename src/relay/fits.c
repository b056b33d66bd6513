/* What the next server cannot take is refused here, never rewritten. */
#include "relay/transaction.h"
#include "run/clock.h"

static struct trouble unable(const struct session *s, const struct errand *e, const char *status, const char *what)
{
	return trouble_lasting(str_from(status),
		say(e->arena, "The server %.*s %s.", STR_ARG(session_host(s)), what));
}

static struct trouble too_large(const struct session *s, const struct errand *e)
{
	return trouble_lasting(STR("5.3.4"),
		say(e->arena, "The message has %llu octets, and the server %.*s takes at most %llu.",
			(unsigned long long)letter_size(&e->letter), STR_ARG(session_host(s)),
			(unsigned long long)s->offer.size));
}

/* RFC 8689 4.2.1: the certificate is proven, and so is that this is the right server. */
static struct trouble require_tls(const struct session *s, const struct errand *e)
{
	if (s->verified < QUEUE_RELAY_VERIFIED_PKIX || !s->authentic)
		return unable(s, e, "5.7.10",
			"cannot prove over TLS that it is the right one, which the sender requires");
	if (!smtp_offers(&s->offer, SMTP_CAN_REQUIRETLS))
		return unable(s, e, "5.7.30",
			"does not promise to send on over verified TLS only (REQUIRETLS), which the "
					      "sender requires");
	return (struct trouble){0};
}

static struct trouble deliver_by(const struct session *s, const struct errand *e)
{
	int64_t left = e->letter.deliver_by - clock_wall_s();
	if (!e->letter.by_return)
		return (struct trouble){0};
	if (left <= 0)
		return trouble_lasting(STR("5.4.7"),
			STR("The time within which the sender wanted it delivered is over."));
	if (!smtp_offers(&s->offer, SMTP_CAN_DELIVERBY) || (uint64_t)left < s->offer.by_min)
		return unable(s, e, "5.3.3", "does not deliver within a time, as the sender wants (DELIVERBY)");
	return (struct trouble){0};
}

struct trouble message_fits(const struct session *s, const struct errand *e)
{
	const struct letter *l = &e->letter;
	const struct smtp_offer *o = &s->offer;
	if (o->size > 0 && letter_size(l) > o->size)
		return too_large(s, e);
	if (l->flags & MAIL_UTF8 && !smtp_offers(o, SMTP_CAN_SMTPUTF8))
		return unable(s, e, "5.6.7", "does not take internationalised addresses or header fields (SMTPUTF8)");
	if (l->flags & MAIL_BINARY && !smtp_offers(o, SMTP_CAN_BINARYMIME | SMTP_CAN_CHUNKING))
		return unable(s, e, "5.6.3", "does not take binary messages (BINARYMIME)");
	if (l->flags & MAIL_8BIT && !smtp_offers(o, SMTP_CAN_8BITMIME))
		return unable(s, e, "5.6.3",
			"takes seven bits only (it does not offer 8BITMIME), and the message has eight");
	if (l->bare && !smtp_offers(o, SMTP_CAN_CHUNKING))
		return unable(s, e, "5.6.0", "takes only lines that end in CRLF, and the message has others");
	if (l->flags & MAIL_REQUIRETLS) {
		struct trouble t = require_tls(s, e);
		if (is_trouble(&t))
			return t;
	}
	return l->deliver_by ? deliver_by(s, e) : (struct trouble){0};
}
