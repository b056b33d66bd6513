#include "edge/smtp.h"
#include "grammar/smtp/smtp_data.h"
#include "run/effort.h"

/* Forgets what came so far; the rest is read and dropped. */
static void drop_data(struct smtp_session *s)
{
	intake_free(&s->data);
	budget_give(&s->client->edge->transit, s->counted);
	s->counted = 0;
	s->spoilt = true;
}

/* Counts what came against the budget of all messages in transit. */
static void count_data(struct smtp_session *s)
{
	struct budget *b = &s->client->edge->transit;
	intake_step(&s->data);
	if (s->data.broken == FAIL_LIMIT)
		s->too_large = true;
	else if (s->data.broken)
		s->no_room = true;
	while (!s->no_room && !s->too_large && s->counted < intake_size(&s->data)) {
		if (failed(budget_take(b, SMTP_TRANSIT_STEP)))
			s->no_room = true;
		else
			s->counted += SMTP_TRANSIT_STEP;
	}
	if (s->too_large || s->no_room)
		drop_data(s);
}

/* Why the message cannot be taken; `more` of its chunks may follow, and are eaten. */
static result refuse_spoilt(struct smtp_session *s, bool more)
{
	static const struct smtp_fault large = {.code = 552, .status = "5.3.4",
		.text = "The message is larger than this server takes; EHLO tells the limit (SIZE)"};
	static const struct smtp_fault busy = {.code = 452, .status = "4.3.1",
		.text = "The server has too many messages in hand; try again in a moment"};
	const struct smtp_fault *f = s->too_large ? &large : &busy;
	return more ? session_refuse(s, f) : smtp_refuse_message(s, f);
}

static result refuse_bare(struct smtp_session *s, const struct smtp_data *d)
{
	struct smtp_fault f = {.code = 554, .status = "5.6.0",
		.text = "The message holds a carriage return without a line feed behind it. Lines in DATA end with CRLF "
			"and nothing else (RFC 5321 2.3.8); mend the sending program, or send it with BDAT"};
	if (d->first_bare_is_lf)
		f.text = "The message holds a line feed without a carriage return before it. Lines in DATA end with CRLF "
			 "and nothing else (RFC 5321 2.3.8); mend the sending program, or send it with BDAT";
	return smtp_refuse_message(s, &f);
}

static result receive_data(struct smtp_session *s, struct smtp_data *d)
{
	struct stream *stream = s->client->stream;
	str in;
	while (d->state != SMTP_DATA_DONE) {
		TRY(stream_read_bulk(stream, &in));
		TRY(effort_go_on());
		stream_consume(stream, smtp_data_feed(d, in, s->spoilt ? NULL : &s->data.near));
		if (!s->spoilt)
			count_data(s);
	}
	return OK;
}

result smtp_do_data(struct smtp_session *s, const struct smtp_command *c)
{
	const struct options *o = &s->client->edge->options;
	struct smtp_data d = smtp_data_new(options_number(o, OPT_BARE_NEWLINE) ? SMTP_DATA_NORMALISE : SMTP_DATA_REJECT);
	(void)c;
	if (s->mail.body == SMTP_BODY_BINARYMIME)
		return SMTP_REFUSE(s, 503, "5.5.1", "A BINARYMIME message comes by BDAT, not by DATA (RFC 3030)");
	TRY(smtp_reply(s, 354, NULL, "Send the message; end it with a line that holds a dot alone"));
	stream_set_deadline(s->client->stream, options_number(o, OPT_MESSAGE_TIME));
	result r = receive_data(s, &d);
	stream_set_deadline(s->client->stream, FIBER_FOREVER);
	TRY(r);
	if (d.false_end)
		client_abuses(s->client, "smuggling");
	if (s->spoilt)
		return refuse_spoilt(s, false);
	if (d.policy == SMTP_DATA_REJECT && smtp_data_bare(&d))
		return refuse_bare(s, &d);
	return smtp_accept(s);
}

/* A chunk is read whatever becomes of it: its octets are no commands. */
static result receive_chunk(struct smtp_session *s, uint64_t left, bool keep)
{
	struct stream *stream = s->client->stream;
	str in;
	while (left > 0) {
		if (!stream_pending(stream))
			TRY(stream_flush(stream));
		TRY(stream_read_bulk(stream, &in));
		TRY(effort_go_on());
		in = str_sub(in, 0, left < SIZE_MAX ? (size_t)left : SIZE_MAX);
		if (keep && !s->spoilt) {
			buf_put(&s->data.near, in);
			count_data(s);
		}
		stream_consume(stream, in.n);
		left -= in.n;
	}
	return OK;
}

static result finish_chunk(struct smtp_session *s, bool last)
{
	s->state = SMTP_CHUNKS; /* from now on no DATA and no further recipient */
	if (s->spoilt) /* each chunk is answered, with the reason */
		return refuse_spoilt(s, !last);
	if (last)
		return smtp_accept(s);
	return smtp_reply(s, 250, "2.0.0", "Chunk received");
}

/* RFC 3030 section 2. */
result smtp_do_bdat(struct smtp_session *s, const struct smtp_command *c)
{
	bool ready = s->state == SMTP_READY || s->state == SMTP_CHUNKS;
	/* What belongs to no message is part of a refused command. */
	stream_set_deadline(s->client->stream, ready ? options_number(&s->client->edge->options, OPT_MESSAGE_TIME)
						      : smtp_command_time(s));
	result r = receive_chunk(s, c->bdat.size, ready);
	stream_set_deadline(s->client->stream, FIBER_FOREVER);
	TRY(r);
	if (!ready)
		return SMTP_REFUSE(s, 503, "5.5.1", "BDAT comes after at least one accepted RCPT");
	return finish_chunk(s, c->bdat.last);
}
