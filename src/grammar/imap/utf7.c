#include "grammar/imap/utf7.h"
#include "base/cursor.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

static bool printable(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void put_utf8(buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
		return;
	}
	int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	buf_putc(out, (char)(lead[more] | c >> (6 * more)));
	while (more-- > 0)
		buf_putc(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* Joins UTF-16 units to characters. */
struct units {
	buf *out;
	uint32_t high; /* a high surrogate that waits for its low one */
};

static bool put_unit(struct units *u, uint32_t unit)
{
	if (unit >= 0xdc00 && unit <= 0xdfff) {
		if (!u->high)
			return false;
		put_utf8(u->out, 0x10000 + ((u->high - 0xd800) << 10) + (unit - 0xdc00));
		u->high = 0;
		return true;
	}
	if (u->high || printable(unit))
		return false;
	if (unit >= 0xd800 && unit <= 0xdbff)
		u->high = unit;
	else
		put_utf8(u->out, unit);
	return true;
}

/* Behind "&", up to and with "-". */
static bool shifted(cursor *c, buf *out)
{
	struct units u = {.out = out};
	uint32_t bits = 0;
	int have = 0, v;
	while ((v = value(cursor_peek(c))) >= 0) {
		cursor_next(c);
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		if (!put_unit(&u, bits >> have & 0xffff))
			return false;
		bits &= (1u << have) - 1;
	}
	/* Fewer than six bits are left, all zero; a run "&-" was taken before. */
	return have < 6 && bits == 0 && !u.high && cursor_eat(c, '-');
}

static const struct result not_utf7 = {FAIL_INPUT, "this mailbox name is not written in modified UTF-7"};

result utf7_decode(str name, buf *out)
{
	cursor c = cursor_on(name);
	bool after_shift = false;
	for (int ch; (ch = cursor_next(&c)) >= 0;) {
		if (ch != '&') {
			if (!printable((uint32_t)ch))
				return not_utf7;
			buf_putc(out, (char)ch);
			after_shift = false;
		} else if (cursor_eat(&c, '-')) {
			buf_putc(out, '&');
			after_shift = false;
		} else {
			/* Two runs side by side would have been one. */
			if (after_shift || !shifted(&c, out))
				return not_utf7;
			after_shift = true;
		}
	}
	return buf_result(out);
}

struct writer {
	buf *out;
	uint32_t bits;
	int have;
	bool shifted;
};

static void put_bits(struct writer *w, uint32_t unit)
{
	w->bits = w->bits << 16 | unit;
	w->have += 16;
	while (w->have >= 6) {
		w->have -= 6;
		buf_putc(w->out, alphabet[w->bits >> w->have & 63]);
	}
	w->bits &= (1u << w->have) - 1;
}

static void end_shift(struct writer *w)
{
	if (!w->shifted)
		return;
	if (w->have > 0)
		buf_putc(w->out, alphabet[w->bits << (6 - w->have) & 63]);
	buf_putc(w->out, '-');
	*w = (struct writer){.out = w->out};
}

static void put_character(struct writer *w, uint32_t c)
{
	if (printable(c)) {
		end_shift(w);
		buf_putc(w->out, (char)c);
		if (c == '&')
			buf_putc(w->out, '-');
		return;
	}
	if (!w->shifted)
		buf_putc(w->out, '&');
	w->shifted = true;
	if (c >= 0x10000) {
		put_bits(w, 0xd800 + ((c - 0x10000) >> 10));
		put_bits(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		put_bits(w, c);
	}
}

result utf7_encode(str utf8, buf *out)
{
	if (!str_is_utf8(utf8))
		return failure(FAIL_INPUT, "this mailbox name is not UTF-8");
	struct writer w = {.out = out};
	for (size_t i = 0; i < utf8.n;) {
		uint32_t c = 0;
		i += str_utf8_at(utf8, i, &c);
		put_character(&w, c);
	}
	end_shift(&w);
	return buf_result(out);
}
