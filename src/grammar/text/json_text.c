#include "grammar/text/json_text.h"

static const char digits[] = "0123456789abcdef";

/* ---- printing ---- */

static void put_escape(buf *out, unsigned code)
{
	char e[6] = {'\\', 'u', digits[code >> 12 & 15], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]};
	buf_put(out, str_of(e, sizeof e));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What a terminal or an editor would obey instead of show. */
static bool misleads(unsigned code)
{
	return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static size_t put_special(buf *out, str s, size_t i)
{
	uint32_t code = str_at(s, i);
	if (code == '"' || code == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, (char)code);
		return 1;
	}
	if (code < 0x80) {
		put_escape(out, code);
		return 1;
	}
	size_t n = str_utf8_at(s, i, &code);
	if (n == 0)
		buf_put(out, STR("\\ufffd"));
	else if (misleads(code))
		put_escape(out, code);
	else
		buf_put(out, str_sub(s, i, n));
	return n ? n : 1;
}

void json_put(buf *out, str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n;) {
		size_t from = i;
		while (i < s.n && is_plain(str_at(s, i)))
			i++;
		buf_put(out, str_sub(s, from, i - from));
		if (i < s.n)
			i += put_special(out, s, i);
	}
	buf_putc(out, '"');
}

void hex_put(buf *out, const void *p, size_t n)
{
	const unsigned char *b = p;
	for (size_t i = 0; i < n; i++) {
		buf_putc(out, digits[b[i] >> 4]);
		buf_putc(out, digits[b[i] & 15]);
	}
}

/* ---- reading ---- */

static int hex_of(int c)
{
	return c >= 'A' && c <= 'F' ? -1 : ascii_hex(c);
}

bool hex_read(str text, void *p, size_t n)
{
	unsigned char *b = p;
	if (text.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_of(str_at(text, 2 * i)), low = hex_of(str_at(text, 2 * i + 1));
		if (high < 0 || low < 0)
			return false;
		b[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* The code of \uXXXX behind "\u"; bad for a surrogate. */
static uint32_t take_code(cursor *c)
{
	uint32_t code = 0;
	for (int i = 0; i < 4; i++) {
		int d = hex_of(cursor_next(c));
		c->bad = c->bad || d < 0;
		code = code << 4 | (uint32_t)(d & 15);
	}
	c->bad = c->bad || (code >= 0xd800 && code <= 0xdfff);
	return code;
}

static void skip_escape(cursor *c)
{
	int kind = cursor_next(c);
	if (kind == 'u')
		take_code(c);
	else
		c->bad = c->bad || (kind != '"' && kind != '\\');
}

str json_take(cursor *c)
{
	cursor_expect(c, '"');
	const char *from = c->p;
	for (int b = 0; !c->bad && (b = cursor_next(c)) != '"';) {
		if (b == '\\')
			skip_escape(c);
		else
			c->bad = c->bad || b < 0x20 || b == 0x7f;
	}
	return c->bad ? (str){NULL, 0} : str_of(from, (size_t)(c->p - from) - 1);
}

static void put_utf8(buf *out, uint32_t code)
{
	if (code >= 0x800) {
		buf_putc(out, (char)(0xe0 | code >> 12));
		buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else if (code >= 0x80) {
		buf_putc(out, (char)(0xc0 | code >> 6));
	}
	buf_putc(out, (char)(code < 0x80 ? code : 0x80 | (code & 0x3f)));
}

bool json_undo(str escaped, buf *out)
{
	cursor c = cursor_on(escaped);
	for (int b; !c.bad && (b = cursor_peek(&c)) >= 0;) {
		cursor_next(&c);
		if (b != '\\')
			buf_putc(out, (char)b);
		else if (cursor_eat(&c, 'u'))
			put_utf8(out, take_code(&c));
		else
			buf_putc(out, (char)cursor_next(&c));
	}
	return !c.bad && !out->broken;
}
