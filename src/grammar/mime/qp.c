#include "grammar/mime/qp.h"

static const char digits[16] = "0123456789ABCDEF";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Bytes that mean themselves wherever they stand: all but "=", blanks and line ends. */
static bool is_plain(char c)
{
	return c != '=' && c != '\r' && c != '\n' && !is_blank(c);
}

static void give_held(struct qp_decoder *d, buf *out)
{
	buf_put(out, str_of(d->held, d->held_n));
	d->held_n = 0;
	d->state = QP_TEXT;
}

static void drop_held(struct qp_decoder *d)
{
	d->held_n = 0;
	d->state = QP_TEXT;
}

static void hold(struct qp_decoder *d, char c, enum qp_state next, buf *out)
{
	if (d->held_n == QP_HELD_MAX)
		give_held(d, out);
	d->held[d->held_n++] = c;
	d->state = next;
}

/* Each step says whether it took the byte; if not, the state changed and the byte is looked at again. */

static bool step_text(struct qp_decoder *d, char c, buf *out)
{
	if (c == '=')
		hold(d, c, QP_EQUALS, out);
	else if (c == '\r')
		hold(d, c, QP_CR, out);
	else if (is_blank(c))
		hold(d, c, QP_BLANKS, out);
	else
		buf_putc(out, c);
	return true;
}

static bool step_blanks(struct qp_decoder *d, char c, buf *out)
{
	if (is_blank(c)) {
		hold(d, c, QP_BLANKS, out);
	} else if (c == '\r') {
		hold(d, c, QP_CR, out);
	} else if (c == '\n') {
		drop_held(d);
		buf_putc(out, '\n');
	} else {
		give_held(d, out);
		return false;
	}
	return true;
}

static bool step_cr(struct qp_decoder *d, char c, buf *out)
{
	if (c != '\n') {
		give_held(d, out);
		return false;
	}
	drop_held(d);
	buf_put(out, STR("\r\n"));
	return true;
}

static bool step_equals(struct qp_decoder *d, char c, buf *out)
{
	if (ascii_hex(c) >= 0) {
		hold(d, c, QP_HEX, out);
	} else if (is_blank(c)) {
		hold(d, c, QP_SOFT, out);
	} else if (c == '\r') {
		hold(d, c, QP_SOFT_CR, out);
	} else if (c == '\n') {
		drop_held(d);
	} else {
		d->damaged = true;
		give_held(d, out);
		return false;
	}
	return true;
}

static bool step_hex(struct qp_decoder *d, char c, buf *out)
{
	if (ascii_hex(c) < 0) {
		d->damaged = true;
		give_held(d, out);
		return false;
	}
	int value = ascii_hex(d->held[1]) << 4 | ascii_hex(c);
	drop_held(d);
	buf_putc(out, (char)value);
	return true;
}

/* Nothing but blanks and a line end may follow a soft break's "=". When more
 * does, the "=" was text; the blanks may still stand before a line end. */
static bool step_soft(struct qp_decoder *d, char c, buf *out)
{
	if (c == '\n') {
		drop_held(d);
	} else if (is_blank(c) && d->held_n < QP_HELD_MAX) {
		hold(d, c, QP_SOFT, out);
	} else if (c == '\r' && d->held_n < QP_HELD_MAX) {
		hold(d, c, QP_SOFT_CR, out);
	} else {
		d->damaged = true;
		give_held(d, out);
		return false;
	}
	return true;
}

static bool step_soft_cr(struct qp_decoder *d, char c, buf *out)
{
	if (c != '\n') {
		d->damaged = true;
		give_held(d, out);
		return false;
	}
	drop_held(d);
	return true;
}

static bool (*const steps[])(struct qp_decoder *, char, buf *) = {
	[QP_TEXT] = step_text, [QP_BLANKS] = step_blanks, [QP_CR] = step_cr,	       [QP_EQUALS] = step_equals,
	[QP_HEX] = step_hex,   [QP_SOFT] = step_soft,	  [QP_SOFT_CR] = step_soft_cr,
};

void qp_decode(struct qp_decoder *d, str in, buf *out)
{
	for (size_t i = 0; i < in.n;) {
		size_t from = i;
		while (d->state == QP_TEXT && i < in.n && is_plain(in.p[i]))
			i++;
		if (i > from)
			buf_put(out, str_sub(in, from, i - from));
		else if (steps[d->state](d, in.p[i], out))
			i++;
	}
}

void qp_decode_finish(struct qp_decoder *d, buf *out)
{
	/* The end is a line end: blanks before it go, and so does a soft break. */
	if (d->state == QP_BLANKS || d->state == QP_EQUALS || d->state == QP_SOFT)
		drop_held(d);
	give_held(d, out);
}

/* --- encoding --- */

/* Room for n more characters and the "=" of a soft break. */
static void make_room(struct qp_encoder *e, size_t n, buf *out)
{
	if (e->column + n <= QP_LINE_MAX - 1)
		return;
	buf_put(out, STR("=\r\n"));
	e->column = 0;
}

static void put_escape(struct qp_encoder *e, char c, buf *out)
{
	unsigned char byte = (unsigned char)c;
	char escape[3] = {'=', digits[byte >> 4], digits[byte & 15]};
	make_room(e, 3, out);
	buf_put(out, str_of(escape, 3));
	e->column = (uint8_t)(e->column + 3);
}

static void put_plain(struct qp_encoder *e, char c, buf *out)
{
	make_room(e, 1, out);
	/* A line's first dot is encoded, so that no relay's dot-stuffing can matter. */
	if (c == '.' && e->column == 0) {
		put_escape(e, c, out);
		return;
	}
	buf_putc(out, c);
	e->column++;
}

/* A held byte that no line end followed. */
static void settle(struct qp_encoder *e, buf *out)
{
	char c = e->held;
	e->held = 0;
	if (c == '\r')
		put_escape(e, c, out);
	else if (c)
		put_plain(e, c, out);
}

static void encode_one(struct qp_encoder *e, char c, buf *out)
{
	if (c == '\n' && e->held == '\r') {
		e->held = 0;
		e->column = 0;
		buf_put(out, STR("\r\n"));
		return;
	}
	/* A CR may begin a line end, before which a blank is encoded. */
	if (is_blank(e->held) && c == '\r' && !e->binary) {
		char blank = e->held;
		e->held = c;
		put_escape(e, blank, out);
		return;
	}
	settle(e, out);
	if (is_blank(c) || (c == '\r' && !e->binary))
		e->held = c;
	else if (c >= 33 && c <= 126 && c != '=')
		put_plain(e, c, out);
	else
		put_escape(e, c, out);
}

void qp_encode(struct qp_encoder *e, str in, buf *out)
{
	for (size_t i = 0; i < in.n; i++)
		encode_one(e, in.p[i], out);
}

void qp_encode_finish(struct qp_encoder *e, buf *out)
{
	char c = e->held;
	e->held = 0;
	if (c)
		put_escape(e, c, out);
}
