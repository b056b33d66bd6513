/* A message that has come in whole: examined, marked with its trace fields,
 * delivered, answered. */
#include "edge/deliver.h"
#include "grammar/smtp/trace.h"
#include "run/clock.h"
#include "talk/asker_inspect.h"
#include "talk/room.h"

#include <stdio.h>

enum {
	EXAMINE_FAULTS = 2, /* of workers that fail otherwise than by being replaced */
	EXAMINE_ANSWER_MS = 60000,
	TRACE_BLOCK_MAX = 8192,
};

static result ask_inspect(
	struct smtp_session *s, const struct body *message, arena *a, struct asker_inspect_examined *out)
{
	struct channel *inspect;
	struct asker_inspect_examine q = {
		.purpose = smtp_is_submission(s) ? ASKER_INSPECT_EXAMINE_PURPOSE_SUBMISSION
						 : ASKER_INSPECT_EXAMINE_PURPOSE_ARRIVAL,
		.message = *message,
	};
	struct asking ask = {.trace = &s->trace, .arena = a, .timeout_ms = EXAMINE_ANSWER_MS};
	TRY(neighbour(NEIGHBOUR_INSPECT, &inspect));
	return asker_inspect_examine_call_within(inspect, &ask, &q, out);
}

/* Examining changes nothing, so it may be asked again: workers are replaced in
 * the course of things (inspect-messages), and no client should notice. */
static result examine(struct smtp_session *s, const struct body *message, arena *a, struct asker_inspect_examined *out)
{
	unsigned tried = 0, faults = 0;
	result r;
	do {
		r = ask_inspect(s, message, a, out);
		if (!failed(r) || r.kind == FAIL_CANCELLED)
			return r;
		if (r.kind != FAIL_CLOSED && r.kind != FAIL_BUSY) /* those come with every replacement */
			log_event(EV_INSPECT_FAILED, &s->trace, F_STR("why", str_from(r.text)), F_U64("size", message->bytes.n));
	} while (room_ask_again(r, ++tried) || (!fiber_cancelled() && tried < ROOM_TRIES && ++faults < EXAMINE_FAULTS));
	return r;
}

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

static result print_trace(struct smtp_session *s, int64_t now, buf *out)
{
	char id[TRACE_TEXT];
	struct tls_facts tls = {0};
	if (stream_tls(s->client->stream))
		tls_facts(stream_tls(s->client->stream), &tls);
	trace_text(&s->trace, id);
	struct trace_received t = {
		.helo = s->helo,
		.ip = ip_of(&s->client->address),
		.by = options_text(&s->client->edge->options, OPT_HOSTNAME),
		.with = how_it_came(s),
		.tls = str_from(tls.cipher),
		.id = str_of(id, sizeof id),
		.recipient = s->recipients == 1 ? &s->first : NULL,
		.when = {.seconds = now},
	};
	trace_print_return_path(out, &s->mail.from);
	trace_print_received(out, &t);
	return buf_result(out);
}

static void log_accepted(struct smtp_session *s, uint64_t size)
{
	log_event(EV_SMTP_ACCEPTED, &s->trace, F_STR("client", str_from(s->client->text)), F_STR("helo", s->helo),
		  F_STR("from", s->sender), F_STR("to", s->targets[0].recipient), F_U64("recipients", s->recipients),
		  F_U64("size", size), F_STR("user", str_of(s->user, s->user_n)),
		  F_U64("tls", s->client->encrypted ? 1 : 0));
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

static result deliver_examined(
	struct smtp_session *s, const struct body *message, const struct asker_inspect_examined *e)
{
	AUTO_BUF buf trace = buf_new(TRACE_BLOCK_MAX);
	int64_t now = clock_wall_s();
	if (e->received >= options_number(&s->client->edge->options, OPT_HOPS))
		return refuse_looping(s);
	if (failed(print_trace(s, now, &trace)))
		return later(s, "The server is short of memory; try again later");
	struct delivery d = {
		.client = s->client, .id = s->trace, .sender = s->sender, .trace = buf_str(&trace), .received = now,
		.facts = e->facts, .message = *message, .ret = s->mail.ret, .envid = s->mail.envid,
		.targets = s->targets, .n = s->targets_n,
	};
	result r = deliver(&d);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return later(s, "The server cannot keep the message now; try again later");
	log_accepted(s, message->bytes.n);
	return reply_kept(s);
}

static result examine_and_deliver(struct smtp_session *s, const struct body *message)
{
	AUTO_ARENA arena a = arena_new(CHANNEL_ARENA_MAX);
	struct asker_inspect_examined e = {0};
	result r = examine(s, message, &a, &e);
	if (r.kind == FAIL_CANCELLED)
		return r;
	if (failed(r))
		return later(s, "The server cannot examine the message now; try again later");
	r = deliver_examined(s, message, &e);
	asker_inspect_examined_release(&e);
	return r;
}

static result keep(struct smtp_session *s)
{
	AUTO_BODY struct body message = body_of(buf_str(&s->data));
	/* Above the inline size every room shares one sealed copy, and ours is given back. */
	if (failed(body_share(&message)))
		return later(s, "The server is short of memory; try again later");
	if (message.owned)
		buf_free(&s->data);
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
