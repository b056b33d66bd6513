#include "grammar/smtp/xtext.h"
#include "base/cursor.h"

static const char hex[16] = "0123456789ABCDEF";

void xtext_encode(buf *out, str plain)
{
	for (size_t i = 0; i < plain.n; i++) {
		unsigned char c = str_at(plain, i);
		if (c >= 33 && c <= 126 && c != '+' && c != '=') {
			buf_putc(out, (char)c);
			continue;
		}
		buf_putc(out, '+');
		buf_putc(out, hex[c >> 4]);
		buf_putc(out, hex[c & 15]);
	}
}

result xtext_decode(str coded, arena *a, str *out)
{
	cursor c = cursor_on(coded);
	char *p = arena_alloc(a, coded.n);
	size_t n = 0;
	if (!p)
		return arena_result(a);
	while (!cursor_done(&c)) {
		int ch = cursor_next(&c);
		if (ch < 33 || ch > 126)
			return failure(FAIL_INPUT, "the encoded value contains a character that has to be encoded");
		if (ch == '+') {
			int high = ascii_hex(cursor_next(&c)), low = ascii_hex(cursor_next(&c));
			if (high < 0 || low < 0)
				return failure(FAIL_INPUT,
					       "in the encoded value two hexadecimal digits have to follow +");
			ch = high << 4 | low;
		}
		p[n++] = (char)ch;
	}
	*out = str_of(p, n);
	return OK;
}

static size_t put_utf8(char *p, uint32_t point)
{
	if (point < 0x80) {
		p[0] = (char)point;
		return 1;
	}
	size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, point >>= 6)
		p[i] = (char)(0x80 | (point & 0x3F));
	p[0] = (char)((n == 2 ? 0xC0u : n == 3 ? 0xE0u : 0xF0u) | point);
	return n;
}

/* One character of well-formed UTF-8. */
static uint32_t take_utf8(cursor *c)
{
	uint32_t first = (uint32_t)cursor_next(c);
	int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
	uint32_t point = more ? first & (0x3Fu >> more) : first;
	for (; more > 0; more--)
		point = point << 6 | ((uint32_t)cursor_next(c) & 0x3F);
	return point;
}

static bool is_qchar(uint32_t c)
{
	return c >= 0x21 && c <= 0x7E && c != '+' && c != '=' && c != '\\';
}

void utf8_addr_encode(buf *out, str plain, bool utf8)
{
	cursor c = cursor_on(plain);
	must(str_is_utf8(plain));
	while (!cursor_done(&c)) {
		const char *start = c.p;
		uint32_t point = take_utf8(&c);
		if (is_qchar(point) || (utf8 && point > 0x7F))
			buf_put(out, str_of(start, (size_t)(c.p - start)));
		else
			buf_printf(out, "\\x{%02X}", point);
	}
}

/* The rest of \x{HEX} as a character; hexadecimal digits, 2 to 6 of them. */
static bool take_point(cursor *c, uint32_t *point)
{
	uint32_t v = 0;
	int digits = 0;
	if (!cursor_eat(c, 'x') || !cursor_eat(c, '{'))
		return false;
	for (; ascii_hex(cursor_peek(c)) >= 0 && digits < 7; digits++)
		v = v << 4 | (uint32_t)ascii_hex(cursor_next(c));
	*point = v;
	return digits >= 2 && digits <= 6 && v > 0 && v <= 0x10FFFF && (v < 0xD800 || v > 0xDFFF) && cursor_eat(c, '}');
}

result utf8_addr_decode(str coded, arena *a, str *out)
{
	cursor c = cursor_on(coded);
	char *p = arena_alloc(a, coded.n);
	size_t n = 0;
	if (!p)
		return arena_result(a);
	if (!str_is_utf8(coded))
		return failure(FAIL_INPUT, "the encoded address is not valid UTF-8");
	while (!cursor_done(&c)) {
		uint32_t point = take_utf8(&c);
		if (point == '\\') {
			if (!take_point(&c, &point))
				return failure(FAIL_INPUT, "the encoded address contains a malformed \\x{...}");
		} else if (point < 0x80 && !is_qchar(point)) {
			return failure(FAIL_INPUT, "the encoded address contains a character that has to be encoded");
		}
		n += put_utf8(p + n, point);
	}
	*out = str_of(p, n);
	return OK;
}
