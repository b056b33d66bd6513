#include "run/stream_core.h"

/* Where the line's end begins (SIZE_MAX: not there yet) and how long it is. */
static size_t find_end(struct stream *s, enum line_end end, size_t *end_n)
{
	str have = stream_peek(s);
	for (size_t from = s->scanned; from < have.n; ) {
		size_t lf = str_chr(str_skip(have, from), '\n');
		if (lf == STR_NONE)
			break;
		lf += from;
		bool cr = lf > 0 && have.p[lf - 1] == '\r';
		if (cr || end == LINE_ANY) {
			*end_n = cr ? 2 : 1;
			return lf + 1 - *end_n;
		}
		from = lf + 1;
	}
	s->scanned = have.n;
	return STR_NONE;
}

/* Forgets all that is buffered but a last CR, whose LF may follow. */
static void forget(struct stream *s)
{
	str have = stream_peek(s);
	bool cr = have.n && have.p[have.n - 1] == '\r';
	stream_consume(s, have.n - cr);
}

static result skip_line(struct stream *s, enum line_end end)
{
	uint64_t until = s->bytes_in + STREAM_SKIP_MAX;
	while (s->bytes_in < until) {
		size_t end_n = 0;
		size_t at = find_end(s, end, &end_n);
		if (at != STR_NONE) {
			stream_consume(s, at + end_n);
			return failure(FAIL_LIMIT, "The line is too long.");
		}
		forget(s);
		TRY(stream_fill(s));
	}
	s->in_ended = failure(FAIL_INPUT, "The line does not end.");
	return s->in_ended;
}

result stream_read_line(struct stream *s, size_t max, enum line_end end, str *line)
{
	enum { END_MAX = 2 };
	for (;;) {
		size_t end_n = 0;
		size_t at = find_end(s, end, &end_n);
		if (at != STR_NONE && at <= max) {
			*line = str_sub(stream_peek(s), 0, at);
			stream_consume(s, at + end_n);
			return OK;
		}
		if (at != STR_NONE || stream_peek(s).n >= max + END_MAX)
			return skip_line(s, end);
		TRY(stream_fill_to(s, max + END_MAX));
	}
}
