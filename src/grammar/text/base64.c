#include "grammar/text/base64.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { SEXTET = 64, PAD = 64, BLANK = 65, FOREIGN = 66 };
enum { PIECE = 3072 }; /* decoded or encoded at a time, so that a buf near its ceiling is not over-reserved */

/* What a byte is: its sextet or one of the kinds above. */
#define KIND(C)                                                                                                        \
	(unsigned char)((C) >= 'A' && (C) <= 'Z'				  ? (C) - 'A'                          \
			: (C) >= 'a' && (C) <= 'z'				  ? (C) - 'a' + 26                     \
			: (C) >= '0' && (C) <= '9'				  ? (C) - '0' + 52                     \
			: (C) == '+'						  ? 62                                 \
			: (C) == '/'						  ? 63                                 \
			: (C) == '='						  ? PAD                                \
			: (C) == ' ' || (C) == '\t' || (C) == '\r' || (C) == '\n' ? BLANK                              \
										  : FOREIGN)
#define KIND4(C) KIND(C), KIND((C) + 1), KIND((C) + 2), KIND((C) + 3)
#define KIND16(C) KIND4(C), KIND4((C) + 4), KIND4((C) + 8), KIND4((C) + 12)
#define KIND64(C) KIND16(C), KIND16((C) + 16), KIND16((C) + 32), KIND16((C) + 48)

static const unsigned char kind_of[256] = {KIND64(0), KIND64(64), KIND64(128), KIND64(192)};

static size_t encode_group(char *to, const unsigned char *p, size_t n)
{
	uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
	to[0] = alphabet[bits >> 18];
	to[1] = alphabet[bits >> 12 & 63];
	to[2] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
	to[3] = n > 2 ? alphabet[bits & 63] : '=';
	return 4;
}

static void encode_line(buf *out, str in)
{
	for (size_t i = 0; i < in.n;) {
		char piece[PIECE];
		size_t n = 0;
		while (i < in.n && n < sizeof piece) {
			size_t left = in.n - i < 3 ? in.n - i : 3;
			n += encode_group(piece + n, (const unsigned char *)in.p + i, left);
			i += left;
		}
		buf_put(out, str_of(piece, n));
	}
}

void base64_encode(buf *out, str in, size_t line)
{
	must(line % 4 == 0);
	size_t step = line ? line / 4 * 3 : in.n;
	for (size_t i = 0; i < in.n; i += step) {
		encode_line(out, str_sub(in, i, step));
		if (line)
			buf_put(out, STR("\r\n"));
	}
}

/* Gives out the bytes of an unfinished group: 2 sextets hold one, 3 hold two. */
static void close_group(struct base64_stream *s, buf *out)
{
	if (s->have == 1)
		s->damaged = true;
	if (s->have >= 2)
		buf_putc(out, (char)(s->bits >> (s->have == 2 ? 4 : 10) & 255));
	if (s->have == 3)
		buf_putc(out, (char)(s->bits >> 2 & 255));
	s->bits = 0;
	s->have = 0;
}

/* Whole groups without a foreign byte among them; returns how far it came. */
static size_t feed_groups(str in, size_t i, buf *out)
{
	for (;;) {
		char piece[PIECE];
		size_t n = 0;
		for (; in.n - i >= 4 && n < sizeof piece; i += 4) {
			unsigned a = kind_of[str_at(in, i)], b = kind_of[str_at(in, i + 1)];
			unsigned c = kind_of[str_at(in, i + 2)], d = kind_of[str_at(in, i + 3)];
			if ((a | b | c | d) >= SEXTET)
				break;
			uint32_t bits = a << 18 | b << 12 | c << 6 | d;
			piece[n++] = (char)(bits >> 16 & 255);
			piece[n++] = (char)(bits >> 8 & 255);
			piece[n++] = (char)(bits & 255);
		}
		if (n == 0)
			return i;
		buf_put(out, str_of(piece, n));
	}
}

static void feed_one(struct base64_stream *s, unsigned kind, buf *out)
{
	if (kind < SEXTET) {
		s->bits = s->bits << 6 | kind;
		if (++s->have == 4) {
			char group[3] = {(char)(s->bits >> 16 & 255), (char)(s->bits >> 8 & 255),
					 (char)(s->bits & 255)};
			buf_put(out, str_of(group, 3));
			s->bits = 0;
			s->have = 0;
		}
	} else if (kind == PAD) {
		close_group(s, out);
	} else if (kind == FOREIGN) {
		s->damaged = true;
	}
}

void base64_feed(struct base64_stream *s, str in, buf *out)
{
	for (size_t i = 0; i < in.n;) {
		if (s->have == 0)
			i = feed_groups(in, i, out);
		if (i < in.n)
			feed_one(s, kind_of[str_at(in, i++)], out);
	}
}

void base64_finish(struct base64_stream *s, buf *out)
{
	close_group(s, out);
}

/* Bits of the last group that no byte took have to be zero: one value has one spelling. */
static bool canonical_tail(str in, size_t pads)
{
	if (pads == 0)
		return true;
	unsigned last = kind_of[str_at(in, in.n - pads - 1)];
	return (last & (pads == 1 ? 3u : 15u)) == 0;
}

result base64_decode(buf *out, str in)
{
	size_t pads = 0;
	while (pads < 2 && pads < in.n && in.p[in.n - 1 - pads] == '=')
		pads++;
	for (size_t i = 0; i < in.n - pads; i++)
		if (kind_of[str_at(in, i)] >= SEXTET)
			return failure(FAIL_INPUT, "the base64 text holds a byte outside its alphabet");
	if (in.n % 4 != 0)
		return failure(FAIL_INPUT, "the base64 text is not a multiple of four characters long");
	if (!canonical_tail(in, pads))
		return failure(FAIL_INPUT, "the base64 text has bits left over at its end");
	struct base64_stream s = {0};
	base64_feed(&s, in, out);
	return buf_result(out);
}
