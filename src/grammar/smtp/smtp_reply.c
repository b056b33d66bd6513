#include "grammar/smtp/smtp_reply.h"
#include "base/cursor.h"

static void put_printable(buf *out, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		buf_putc(out, c == '\t' || c == '\r' ? ' ' : c < 32 || c > 126 ? '?' : (char)c);
	}
}

/* How much of s goes on a line of `room`: all, up to a blank, or what fits. */
static size_t line_break(str s, size_t room)
{
	if (s.n <= room)
		return s.n;
	size_t blank = str_rchr(str_sub(s, 0, room), ' ');
	return blank == STR_NONE || blank == 0 ? room : blank;
}

static void put_line(buf *out, unsigned code, const char *status, str text)
{
	buf_put_u64(out, code);
	buf_putc(out, ' ');
	if (status) {
		buf_put(out, str_from(status));
		buf_putc(out, ' ');
	}
	put_printable(out, text);
	buf_put(out, STR("\r\n"));
}

void smtp_reply_print(buf *out, unsigned code, const char *status, str text)
{
	must(code >= 200 && code <= 599);
	size_t room = SMTP_REPLY_LINE_MAX - (sizeof "250 \r\n" - 1) - (status ? strlen(status) + 1 : 0);
	for (bool more = true; more;) {
		size_t lf = str_chr(text, '\n');
		str line = str_sub(text, 0, lf);
		size_t n = line_break(line, room), start = out->n;
		bool broken = n < line.n;
		size_t skip = broken ? n + (line.p[n] == ' ') : line.n + 1;
		more = broken ? skip < text.n : lf != STR_NONE;
		put_line(out, code, status, str_sub(line, 0, n));
		if (more && !out->broken)
			out->p[start + 3] = '-';
		text = str_skip(text, skip);
	}
}

/* "2.1.0 " in front of the text, its class that of the code; else nothing is taken. */
static void take_status(cursor *c, struct smtp_reply *r)
{
	cursor at = *c;
	uint32_t part[3];
	for (int i = 0; i < 3; i++) {
		str digits = cursor_while(&at, ascii_digit);
		if (digits.n > 3 || !str_to_u32(digits, &part[i]) || (i < 2 && !cursor_eat(&at, '.')))
			return;
	}
	if (part[0] != r->code / 100 || (!cursor_done(&at) && !cursor_eat(&at, ' ')))
		return;
	for (int i = 0; i < 3; i++)
		r->status[i] = part[i];
	*c = at;
}

result smtp_reply_read(struct smtp_reply *r, str line, buf *text)
{
	cursor c = cursor_on(line);
	uint32_t code;
	must(!r->done);
	if (line.n > SMTP_REPLY_READ_MAX || r->lines == SMTP_REPLY_LINES_MAX)
		return failure(FAIL_LIMIT, "the server's reply is too long");
	if (!str_to_u32(cursor_take(&c, 3), &code) || code < 200 || code > 599)
		return failure(FAIL_INPUT, "the server's reply does not begin with a reply code");
	if (r->code && r->code != code)
		return failure(FAIL_INPUT, "the lines of the server's reply differ in their code");
	bool more = cursor_eat(&c, '-');
	if (!more && !cursor_done(&c) && !cursor_eat(&c, ' '))
		return failure(FAIL_INPUT, "the server's reply code is followed by neither a blank nor a hyphen");
	r->code = code;
	take_status(&c, r);
	if (r->lines++ > 0)
		buf_putc(text, '\n');
	buf_put(text, cursor_rest(&c));
	r->done = !more;
	return buf_result(text);
}
