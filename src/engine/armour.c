#include "engine/armour.h"
#include "base/cursor.h"
#include "engine/seal_box.h"

enum { RUN = 4 + 4 + 1, COUNT = 4, GROUP = 4, OCTETS = 3, END = 2 };

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A letter's six bits at their place in a group; FOREIGN_BITS for what is no letter. One table for each place
 * makes a group four loads and three ors. */
#define FOREIGN_BITS 0xff000000u
#define BITS(C, TO)                                                                                                    \
	((C) >= 'A' && (C) <= 'Z'   ? (uint32_t)((C) - 'A') << (TO)                                                    \
	 : (C) >= 'a' && (C) <= 'z' ? (uint32_t)((C) - 'a' + 26) << (TO)                                               \
	 : (C) >= '0' && (C) <= '9' ? (uint32_t)((C) - '0' + 52) << (TO)                                               \
	 : (C) == '+'		    ? (uint32_t)62 << (TO)                                                             \
	 : (C) == '/'		    ? (uint32_t)63 << (TO)                                                             \
				    : FOREIGN_BITS)
#define BITS4(C, TO) BITS(C, TO), BITS((C) + 1, TO), BITS((C) + 2, TO), BITS((C) + 3, TO)
#define BITS16(C, TO) BITS4(C, TO), BITS4((C) + 4, TO), BITS4((C) + 8, TO), BITS4((C) + 12, TO)
#define BITS64(C, TO) BITS16(C, TO), BITS16((C) + 16, TO), BITS16((C) + 32, TO), BITS16((C) + 48, TO)
#define BITS256(TO) {BITS64(0, TO), BITS64(64, TO), BITS64(128, TO), BITS64(192, TO)}

static const uint32_t bits_of[GROUP][256] = {BITS256(18), BITS256(12), BITS256(6), BITS256(0)};

/* Taking off. */

struct stripper {
	str text;
	buf *out;
	buf runs;
	size_t kept;  /* up to here the text has gone out */
	size_t stays; /* octets that went out as they are since the last run */
	uint32_t n;
};

static bool is_letter(char c)
{
	return bits_of[0][(unsigned char)c] < FOREIGN_BITS;
}

/* How many groups the line at `at` has, 0 when it cannot be of a run. Most lines end it at their first space. */
static size_t groups_at(str text, size_t at)
{
	str line = str_sub(text, at, ARMOUR_GROUPS_MAX * GROUP + END);
	size_t end = 0;
	while (end < line.n && is_letter(line.p[end]))
		end++;
	bool fits = end % GROUP == 0 && end >= ARMOUR_GROUPS_MIN * GROUP && str_starts(str_skip(line, end), STR("\r\n"));
	return fits ? end / GROUP : 0;
}

/* One line; false where it is of another kind, and what was written does not count. */
static bool strip_line(const unsigned char *p, size_t groups, unsigned char *to)
{
	uint32_t seen = 0;
	for (size_t i = 0; i < groups; i++, p += GROUP, to += OCTETS) {
		uint32_t bits = bits_of[0][p[0]] | bits_of[1][p[1]] | bits_of[2][p[2]] | bits_of[3][p[3]];
		seen |= bits;
		to[0] = (unsigned char)(bits >> 16);
		to[1] = (unsigned char)(bits >> 8);
		to[2] = (unsigned char)bits;
	}
	return seen < FOREIGN_BITS && p[0] == '\r' && p[1] == '\n';
}

/* All lines from `at` on that are like the first; how many. */
static size_t strip_lines(struct stripper *s, size_t at, size_t groups)
{
	size_t line = groups * GROUP + END, lines = 0;
	if (!buf_reserve(s->out, (s->text.n - at) / line * groups * OCTETS))
		return 0;
	unsigned char *to = (unsigned char *)s->out->p + s->out->n;
	for (; s->text.n - at >= line; at += line, lines++)
		if (!strip_line((const unsigned char *)s->text.p + at, groups, to + lines * groups * OCTETS))
			break;
	return lines;
}

static void keep_until(struct stripper *s, size_t at)
{
	buf_put(s->out, str_sub(s->text, s->kept, at - s->kept));
	s->stays += at - s->kept;
	s->kept = at;
}

static void put_u32(buf *b, size_t v)
{
	unsigned char bytes[4];
	box_put_u32(bytes, (uint32_t)v);
	buf_put(b, str_of((const char *)bytes, sizeof bytes));
}

static void note_run(struct stripper *s, size_t lines, size_t groups)
{
	put_u32(&s->runs, s->stays);
	put_u32(&s->runs, lines);
	buf_putc(&s->runs, (char)groups);
	s->stays = 0;
	s->n++;
}

/* The run at the line that begins at `at`, if there is one; where to look on. */
static size_t take_run(struct stripper *s, size_t at)
{
	size_t groups = groups_at(s->text, at);
	if (groups) {
		keep_until(s, at);
		size_t lines = strip_lines(s, at, groups), end = at + lines * (groups * GROUP + END);
		if (lines >= ARMOUR_LINES) {
			s->out->n += lines * groups * OCTETS;
			note_run(s, lines, groups);
			s->kept = end;
		}
		if (lines)
			return end;
	}
	size_t next = str_chr(str_skip(s->text, at), '\n');
	return next == STR_NONE ? s->text.n : at + next + 1;
}

bool armour_off(str text, buf *out)
{
	struct stripper s = {.text = text, .out = out, .runs = buf_new(text.n)};
	size_t before = out->n;
	for (size_t at = 0; at < text.n && !out->broken; )
		at = take_run(&s, at);
	keep_until(&s, text.n);
	put_u32(&s.runs, s.n);
	buf_put(out, buf_str(&s.runs));
	bool good = s.n > 0 && !out->broken && !s.runs.broken && out->n - before <= text.n - text.n / ARMOUR_SHARE;
	if (!good) {
		out->n = before;
		out->broken = FAIL_NONE;
	}
	buf_free(&s.runs);
	return good;
}

/* Putting on. */

static void dress_line(const unsigned char *p, size_t groups, char *to)
{
	for (size_t i = 0; i < groups; i++, p += OCTETS, to += GROUP) {
		uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		to[0] = alphabet[bits >> 18];
		to[1] = alphabet[bits >> 12 & 63];
		to[2] = alphabet[bits >> 6 & 63];
		to[3] = alphabet[bits & 63];
	}
	memcpy(to, "\r\n", END);
}

struct dresser {
	cursor octets;
	cursor runs;
	buf *out;
	size_t left; /* octets that the text may still get */
};

static result damaged(void)
{
	return failure(FAIL_DAMAGE, "a packed value does not unpack");
}

static result put_stays(struct dresser *d, size_t n)
{
	str stays = cursor_take(&d->octets, n);
	if (d->octets.bad || n > d->left)
		return damaged();
	buf_put(d->out, stays);
	d->left -= n;
	return OK;
}

static result put_run(struct dresser *d)
{
	size_t stays = cursor_u32(&d->runs), lines = cursor_u32(&d->runs), groups = cursor_u8(&d->runs);
	TRY(put_stays(d, stays));
	size_t line = groups * GROUP + END, octets = groups * OCTETS;
	if (groups > ARMOUR_GROUPS_MAX || lines > d->left / line)
		return damaged();
	str from = cursor_take(&d->octets, lines * octets);
	if (d->octets.bad)
		return damaged();
	if (!buf_reserve(d->out, lines * line))
		return buf_result(d->out);
	for (size_t i = 0; i < lines; i++)
		dress_line((const unsigned char *)from.p + i * octets, groups, d->out->p + d->out->n + i * line);
	d->out->n += lines * line;
	d->left -= lines * line;
	return OK;
}

result armour_on(str bare, size_t size, buf *out)
{
	if (bare.n < COUNT)
		return damaged();
	size_t n = box_get_u32((const unsigned char *)bare.p + bare.n - COUNT);
	if (n > (bare.n - COUNT) / RUN)
		return damaged();
	size_t octets = bare.n - COUNT - n * RUN;
	struct dresser d = {.octets = cursor_on(str_sub(bare, 0, octets)),
		.runs = cursor_on(str_sub(bare, octets, n * RUN)), .out = out, .left = size};
	for (size_t i = 0; i < n; i++)
		TRY(put_run(&d));
	TRY(put_stays(&d, cursor_left(&d.octets)));
	return d.left == 0 ? buf_result(out) : damaged();
}
