/* A message that has come in whole: examined, marked with its trace fields,
 * delivered, answered. */
#include "edge/deliver.h"
#include "edge/examine.h"
#include "grammar/smtp/trace.h"
#include "run/clock.h"
#include "talk/mail_flags.h"

#include <stdio.h>

enum { TRACE_BLOCK_MAX = 8192 + EXAMINE_FIELDS_MAX };

static unsigned how_it_came(const struct smtp_session *s)
{
	unsigned with = 0;
	if (s->esmtp)
		with |= TRACE_EXTENDED;
	if (s->client->encrypted)
		with |= TRACE_TLS;
	if (s->logged_in)
		with |= TRACE_AUTH;
	if (s->mail.given & SMTP_P_SMTPUTF8)
		with |= TRACE_UTF8;
	return with;
}

static struct ip ip_of(const net_addr *a)
{
	struct ip ip = {.n = net_is_v4(a) ? 4 : 16};
	memcpy(ip.b, net_is_v4(a) ? a->ip + 12 : a->ip, ip.n);
	return ip;
}

/* The message, and what stands above it: Return-Path for the copies here alone,
 * then what goes everywhere. */
struct letter {
	struct smtp_session *s;
	const struct body *message;
	const struct examination *x;
	int64_t now;
	buf above;
	size_t return_path;
};

/* Where somebody was when they wrote is nobody's business but theirs. */
static bool hides_client(const struct smtp_session *s)
{
	return s->logged_in && options_yes(&s->client->edge->options, OPT_RECEIVED_HIDE);
}

static void print_received(struct letter *l)
{
	struct smtp_session *s = l->s;
	char id[TRACE_TEXT];
	struct tls_facts tls = {0};
	if (stream_tls(s->client->stream))
		tls_facts(stream_tls(s->client->stream), &tls);
	trace_text(&s->trace, id);
	struct trace_received t = {
		.by = options_text(&s->client->edge->options, OPT_HOSTNAME),
		.with = how_it_came(s),
		.tls = str_from(tls.cipher),
		.id = str_of(id, sizeof id),
		.recipient = s->recipients == 1 ? &s->first : NULL,
		.when = {.seconds = l->now},
	};
	if (!hides_client(s) && s->client->protocol != CLIENT_LOCAL) {
		t.helo = s->helo;
		t.ip = ip_of(&s->client->address);
	}
	trace_print_received(&l->above, &t);
}

static result print_above(struct letter *l)
{
	trace_print_return_path(&l->above, &l->s->mail.from);
	l->return_path = l->above.n;
	buf_put(&l->above, buf_str(&l->x->signatures));
	print_received(l);
	return buf_result(&l->above);
}

static void log_accepted(const struct letter *l)
{
	const struct smtp_session *s = l->s;
	AUTO_BUF buf first = buf_new(1024); /* as it was written: an alias may have led it elsewhere */
	mailbox_print(&first, &s->first);
	log_event(EV_SMTP_ACCEPTED, &s->trace, F_STR("client", str_from(s->client->text)), F_STR("helo", s->helo),
		  F_STR("from", s->sender), F_STR("to", s->targets_n ? s->targets[0].recipient : buf_str(&first)),
		  F_U64("recipients", s->recipients), F_U64("size", l->message->bytes.n),
		  F_STR("user", str_of(s->user, s->user_n)), F_U64("tls", s->client->encrypted ? 1 : 0));
}

static result reply_kept(struct smtp_session *s)
{
	char text[96], id[TRACE_TEXT];
	trace_text(&s->trace, id);
	snprintf(text, sizeof text, "Kept as %.*s", TRACE_TEXT, id);
	smtp_reset(s);
	return smtp_reply(s, 250, "2.0.0", text);
}

static result refuse_looping(struct smtp_session *s)
{
	return smtp_refuse_message(s, &(struct smtp_fault){.code = 554, .status = "5.4.6",
		.text = "The message has passed through too many servers: it goes in a circle. Look at its Received fields "
			"for the two that send it to each other"});
}

static result later(struct smtp_session *s, const char *text)
{
	return smtp_refuse_message(s, &(struct smtp_fault){.code = 451, .status = "4.3.0", .text = text});
}

/* ---- to other servers ---- */

/* Internationalised mail is what needs it: announced, and with something in it. */
static bool needs_utf8(const struct letter *l)
{
	const struct outward *o = &l->s->outward;
	if (!(l->s->mail.given & SMTP_P_SMTPUTF8))
		return false;
	if (l->x->found.utf8_header || !str_is_ascii(l->s->sender))
		return true;
	for (size_t i = 0; i < o->n; i++)
		if (!str_is_ascii(o->p[i].address))
			return true;
	return false;
}

static unsigned flags_of(const struct letter *l)
{
	const struct asker_inspect_examined *e = &l->x->found;
	unsigned flags = 0;
	if (l->s->mail.body == SMTP_BODY_8BITMIME || e->eight_bit)
		flags |= MAIL_8BIT;
	if (l->s->mail.body == SMTP_BODY_BINARYMIME)
		flags |= MAIL_BINARY;
	if (needs_utf8(l))
		flags |= MAIL_UTF8;
	if (l->s->mail.given & SMTP_P_REQUIRETLS)
		flags |= MAIL_REQUIRETLS;
	else if (e->tls_optional)
		flags |= MAIL_TLS_OPTIONAL;
	return flags;
}

static struct outward_letter leaving(const struct letter *l, uint64_t until)
{
	return (struct outward_letter){.message = l->message, .trace = str_skip(buf_str(&l->above), l->return_path),
		.received = l->now, .flags = flags_of(l), .until = until};
}

static result post(const struct letter *l, uint64_t until)
{
	const struct outward_letter o = leaving(l, until);
	return outward_post(l->s, &o);
}

/* Its copies are kept: that is no reason to have it sent again. */
static void tell_delivered(const struct letter *l)
{
	const struct outward_letter o = leaving(l, clock_mono_ms() + DELIVER_WHOLE_MS / 2);
	result r = outward_tell(l->s, &o);
	if (failed(r))
		log_event(EV_UNREPORTED, &l->s->trace, F_STR("from", l->s->sender), F_STR("to", l->s->told.p[0].address),
			  F_STR("action", STR("delivered")), F_STR("text", str_from(r.text)));
}

/* What comes by again and again by way of this server goes in a circle long before it has 50 fields. */
static bool circles(const struct letter *l)
{
	const struct smtp_session *s = l->s;
	const struct options *o = &s->client->edge->options;
	if (l->x->found.received >= options_number(o, OPT_HOPS))
		return true;
	return s->outward.foreign &&
	       trace_count_by(l->message->bytes, options_text(o, OPT_HOSTNAME)) >= OUTWARD_OWN_HOPS;
}

static result keep_copies(const struct letter *l)
{
	const struct smtp_session *s = l->s;
	struct delivery d = {
		.client = s->client, .id = s->trace, .sender = s->sender, .trace = buf_str(&l->above), .received = l->now,
		.facts = l->x->found.facts, .message = *l->message, .ret = s->mail.ret, .envid = s->mail.envid,
		.hold_until = s->hold_until,
		.targets = s->targets, .n = s->targets_n,
	};
	if (s->outward.n)
		TRY(post(l, clock_mono_ms() + DELIVER_WHOLE_MS / 2));
	return d.n ? deliver(&d) : OK;
}

static result deliver_examined(struct letter *l)
{
	struct smtp_session *s = l->s;
	if (circles(l))
		return refuse_looping(s);
	if (failed(print_above(l)))
		return later(s, "The server is short of memory; try again later");
	result r = keep_copies(l);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return later(s, "The server cannot keep the message now; try again later");
	if (s->told.n)
		tell_delivered(l);
	log_accepted(l);
	return reply_kept(s);
}

static result examine_and_deliver(struct smtp_session *s, const struct body *message)
{
	AUTO_ARENA arena a = arena_new(CHANNEL_ARENA_MAX);
	struct examination x;
	struct letter l = {.s = s, .message = message, .x = &x, .now = clock_wall_s(), .above = buf_new(TRACE_BLOCK_MAX)};
	result r = examine(s, message, &a, &x);
	if (x.found.changed)
		l.message = &x.found.message;
	if (!failed(r))
		r = deliver_examined(&l);
	else if (r.kind != FAIL_CANCELLED)
		r = later(s, "The server cannot examine the message now; try again later");
	buf_free(&l.above);
	examination_free(&x);
	return r;
}

static result keep(struct smtp_session *s)
{
	AUTO_BODY struct body message = body_of(str_of(NULL, 0));
	/* Above the inline size every room shares one sealed copy. */
	if (failed(intake_body(&s->data, &message)))
		return later(s, "The server is short of memory; try again later");
	return examine_and_deliver(s, &message);
}

result smtp_accept(struct smtp_session *s)
{
	s->messages++;
	s->client->busy = true;
	result r = keep(s);
	s->client->busy = false;
	return r;
}
