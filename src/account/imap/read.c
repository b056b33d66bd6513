#include "account/imap/read.h"

enum { LINE_SLACK = 2 };

/* The tag as far as it can be told, for an answer to a command that is not read. */
static void keep_tag(struct imap_session *s, str text)
{
	size_t n = 0;
	while (n < text.n && n < IMAP_TAG_MAX && imap_astring_char(str_at(text, n)) && text.p[n] != '+')
		n++;
	buf_clear(&s->tag);
	if (n < text.n && text.p[n] == ' ')
		buf_put(&s->tag, str_sub(text, 0, n));
}

static enum imap_read refuse(struct imap_session *s, const char *code, const char *sentence)
{
	buf_put(&s->out, s->tag.n ? buf_str(&s->tag) : STR("*"));
	buf_put(&s->out, STR(" BAD ["));
	buf_put(&s->out, str_from(code));
	buf_put(&s->out, STR("] "));
	buf_put(&s->out, str_from(sentence));
	buf_put(&s->out, STR("\r\n"));
	return failed(imap_send(s, true)) ? IMAP_READ_ENDED : IMAP_READ_REFUSED;
}

result imap_read_line(struct imap_session *s, size_t max, str *line)
{
	result r = stream_read_line(s->speech.stream, max, LINE_ANY, line);
	if (failed(r) && r.kind != FAIL_LIMIT)
		s->link = r;
	return r;
}

result imap_read_octets(struct imap_session *s, uint64_t n, const struct imap_octets_sink *to)
{
	result taken = OK;
	while (n > 0) {
		str piece;
		s->link = stream_read_some(s->speech.stream, &piece);
		TRY(s->link);
		piece = str_sub(piece, 0, n < piece.n ? (size_t)n : piece.n);
		if (!failed(taken))
			taken = to->take(to->ctx, piece);
		stream_consume(s->speech.stream, piece.n);
		n -= piece.n;
	}
	return taken;
}

static result drop(void *ctx, str piece)
{
	(void)ctx;
	(void)piece;
	return OK;
}

result imap_swallow(struct imap_session *s, struct imap_literal literal)
{
	uint64_t left = 4 * s->home->message_max;
	while (!literal.sync) {
		if (literal.size > left)
			return failure(FAIL_LIMIT, "More octets were announced than this server reads past a refusal.");
		left -= literal.size;
		TRY(imap_read_octets(s, literal.size, &(struct imap_octets_sink){.take = drop}));
		str line;
		result r = imap_read_line(s, IMAP_COMMAND_MAX, &line);
		if (r.kind == FAIL_LIMIT)
			return OK;
		TRY(r);
		if (imap_literal_at_end(line, &literal) != IMAP_LINE_LITERAL)
			return OK;
	}
	return OK;
}

static bool step_over(struct imap_session *s, const struct imap_literal *l)
{
	result r = imap_swallow(s, *l);
	if (r.kind == FAIL_LIMIT)
		imap_bye(s, "[" IMAP_CODE_TOOBIG "] The announced literal is larger than this server can step over; "
			    "log in again.");
	return !failed(r) && !failed(s->link);
}

static enum imap_read refuse_literal(struct imap_session *s, const struct imap_literal *l)
{
	if (!step_over(s, l))
		return IMAP_READ_ENDED;
	return refuse(s, IMAP_CODE_TOOBIG,
		"This string is longer than a command may hold; only APPEND takes long literals.");
}

static result put_piece(void *ctx, str piece)
{
	buf_put(ctx, piece);
	return buf_result(ctx);
}

static result read_literal(struct imap_session *s, const struct imap_literal *l)
{
	if (l->sync) {
		buf_put(&s->out, STR("+ Go on\r\n"));
		TRY(imap_send(s, true));
	}
	buf_put(&s->text, STR("\r\n"));
	return imap_read_octets(s, l->size, &(struct imap_octets_sink){put_piece, &s->text});
}

/* The line ends in a literal: an APPEND's message, a string to read, or too much. */
static enum imap_read on_literal(struct imap_session *s, const struct imap_literal *l, struct imap_append *append,
	bool *more)
{
	enum imap_append_step step = IMAP_APPEND_NOT;
	result r = imap_append_head(buf_str(&s->text), &s->arena, append, &step);
	if (!failed(r) && step == IMAP_APPEND_MESSAGE)
		return IMAP_READ_APPEND;
	if (failed(r) || l->size > IMAP_LITERAL_MAX || s->text.n + l->size + LINE_SLACK > IMAP_COMMAND_MAX) {
		if (!failed(r))
			return refuse_literal(s, l);
		if (!step_over(s, l))
			return IMAP_READ_ENDED;
		s->bad = true;
		imap_code(s, "%s", r.kind == FAIL_LIMIT ? IMAP_CODE_LIMIT : IMAP_CODE_CLIENTBUG);
		imap_answer(s, buf_str(&s->tag), STR(""), r);
		return failed(imap_send(s, true)) ? IMAP_READ_ENDED : IMAP_READ_REFUSED;
	}
	*more = !failed(read_literal(s, l));
	return IMAP_READ_ENDED;
}

static enum imap_read bad_literal(struct imap_session *s)
{
	if (!str_ends(buf_str(&s->text), STR("+}")))
		return refuse(s, IMAP_CODE_TOOBIG, "The size of this literal cannot be read.");
	imap_bye(s, "[" IMAP_CODE_TOOBIG "] The size of this literal cannot be read, so its end is unknown; log in again.");
	return IMAP_READ_ENDED;
}

/* Answers go out before the session waits; with another command at hand they are gathered. */
static result rest(struct imap_session *s)
{
	if (str_chr(stream_peek(s->speech.stream), '\n') != STR_NONE)
		return OK;
	TRY(imap_send(s, true));
	buf_free(&s->out); /* an idle session keeps no memory */
	buf_free(&s->text);
	arena_free(&s->arena);
	s->link = speech_rest(&s->speech);
	return s->link;
}

enum imap_read imap_read_command(struct imap_session *s, struct imap_append *append)
{
	if (failed(rest(s)))
		return IMAP_READ_ENDED;
	keep_tag(s, stream_peek(s->speech.stream));
	for (;;) {
		str line;
		struct imap_literal l;
		bool more = false;
		result r = imap_read_line(s, IMAP_COMMAND_MAX - s->text.n, &line);
		if (r.kind == FAIL_LIMIT)
			return refuse(s, IMAP_CODE_LIMIT, "This command is longer than 65536 octets; ask for less at a time.");
		if (failed(r))
			return IMAP_READ_ENDED;
		buf_put(&s->text, line);
		if (failed(buf_result(&s->text)))
			return refuse(s, IMAP_CODE_UNAVAILABLE, "The server has no memory for this command; try again later.");
		switch (imap_literal_at_end(line, &l)) {
		case IMAP_LINE_WHOLE:
			return IMAP_READ_COMMAND;
		case IMAP_LINE_BAD:
			return bad_literal(s);
		case IMAP_LINE_LITERAL:
			break;
		}
		enum imap_read done = on_literal(s, &l, append, &more);
		if (!more)
			return done;
	}
}
