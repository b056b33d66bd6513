#include "grammar/smtp/smtp_data.h"

/* Sixteen bytes compared at once; both compilers turn this into vector code. */
typedef unsigned char block __attribute__((vector_size(16), aligned(1)));
typedef uint64_t halves __attribute__((vector_size(16)));

static size_t first_set_byte(uint64_t mask)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(mask) / 8;
#else
	return (size_t)__builtin_clzll(mask) / 8;
#endif
}

static bool is_special(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/* The place of the next CR, LF or NUL from `i` on, in.n when there is none. */
static size_t next_special(str in, size_t i)
{
	for (; in.n - i >= sizeof(block); i += sizeof(block)) {
		block b;
		memcpy(&b, in.p + i, sizeof b);
		halves hit = (halves)((b == '\r') | (b == '\n') | (b == '\0'));
		if (hit[0])
			return i + first_set_byte(hit[0]);
		if (hit[1])
			return i + 8 + first_set_byte(hit[1]);
	}
	while (i < in.n && !is_special(in.p[i]))
		i++;
	return i;
}

/* One call of smtp_data_feed: bytes from `from` to `at` are decided and go
 * out as they are, in one piece, when something has to change or at the end. */
struct feed {
	struct smtp_data *d;
	str in;
	buf *out;
	size_t from;
	size_t at;
};

static void emit(struct feed *f, str s)
{
	f->d->size += s.n;
	if (f->out)
		buf_put(f->out, s);
}

/* Gives out what is decided and goes on behind `skip` more bytes. */
static void flush(struct feed *f, size_t skip)
{
	emit(f, str_sub(f->in, f->from, f->at - f->from));
	f->at += skip;
	f->from = f->at;
}

static bool is_line_end_at(str in, size_t i)
{
	return i < in.n && (in.p[i] == '\r' || in.p[i] == '\n');
}

/* A dot alone in its line, ended or begun by the bare one at i. */
static bool is_false_end(str in, size_t i)
{
	bool ends = i >= 2 && i < in.n && in.p[i - 1] == '.' && is_line_end_at(in, i - 2);
	return ends || (i + 2 < in.n && in.p[i + 1] == '.' && is_line_end_at(in, i + 2));
}

static void note_bare(struct feed *f, bool lf, uint64_t offset, uint64_t count)
{
	struct smtp_data *d = f->d;
	if (offset >= d->consumed && is_false_end(f->in, (size_t)(offset - d->consumed)))
		d->false_end = true;
	if (!smtp_data_bare(d)) {
		d->first_bare = offset;
		d->first_bare_is_lf = lf;
	}
	if (lf)
		d->bare_lfs += count;
	else
		d->bare_crs += count;
}

static uint64_t offset_now(const struct feed *f)
{
	return f->d->consumed + f->at;
}

static void bare_lf(struct feed *f)
{
	note_bare(f, true, offset_now(f), 1);
	f->d->state = SMTP_DATA_TEXT;
	if (f->d->policy == SMTP_DATA_REJECT) {
		f->at++;
		return;
	}
	flush(f, 1);
	emit(f, STR("\r\n"));
}

/* Bytes within a line, and whole lines as long as nothing has to be held back. */
static void text(struct feed *f)
{
	struct smtp_data *d = f->d;
	d->state = SMTP_DATA_TEXT;
	f->at = next_special(f->in, f->at);
	if (f->at == f->in.n)
		return;
	char c = f->in.p[f->at];
	if (c == '\0') {
		d->nul = true;
		f->at++;
	} else if (c == '\n') {
		bare_lf(f);
	} else if (f->in.n - f->at >= 2 && f->in.p[f->at + 1] == '\n') {
		f->at += 2;
		d->state = SMTP_DATA_LINE_START;
	} else {
		flush(f, 1);
		d->held_crs = 1;
		d->state = SMTP_DATA_CR;
	}
}

static void line_start(struct feed *f)
{
	if (f->in.p[f->at] != '.') {
		text(f);
		return;
	}
	flush(f, 1);
	f->d->state = SMTP_DATA_DOT;
}

/* The held dot goes: it was stuffed, or a client forgot to stuff it (RFC 5321
 * section 4.5.2 deletes it either way). */
static void dot(struct feed *f)
{
	if (f->in.p[f->at] != '\r') {
		text(f);
		return;
	}
	flush(f, 1);
	f->d->state = SMTP_DATA_DOT_CR;
}

static void dot_cr(struct feed *f)
{
	if (f->in.p[f->at] == '\n') {
		flush(f, 1);
		f->d->state = SMTP_DATA_DONE;
		return;
	}
	f->d->held_crs = 1;
	f->d->state = SMTP_DATA_CR;
}

/* The run of CRs is over. All are bare but the one that an LF follows. */
static void end_of_crs(struct feed *f, bool lf)
{
	struct smtp_data *d = f->d;
	uint64_t bare = d->held_crs - (lf ? 1 : 0);
	if (bare > 0)
		note_bare(f, false, offset_now(f) - d->held_crs, bare);
	if (d->policy == SMTP_DATA_NORMALISE && lf)
		bare = 0;
	for (uint64_t i = 0; i < bare; i++)
		emit(f, d->policy == SMTP_DATA_REJECT ? STR("\r") : STR(" "));
	d->held_crs = 0;
}

static void crs(struct feed *f)
{
	char c = f->in.p[f->at];
	if (c == '\r') {
		f->d->held_crs++;
		flush(f, 1);
		return;
	}
	end_of_crs(f, c == '\n');
	if (c != '\n') {
		f->d->state = SMTP_DATA_TEXT;
		return;
	}
	flush(f, 1);
	emit(f, STR("\r\n"));
	f->d->state = SMTP_DATA_LINE_START;
}

static void (*const steps[])(struct feed *) = {
	[SMTP_DATA_LINE_START] = line_start,
	[SMTP_DATA_DOT] = dot,
	[SMTP_DATA_DOT_CR] = dot_cr,
	[SMTP_DATA_TEXT] = text,
	[SMTP_DATA_CR] = crs,
};

size_t smtp_data_feed(struct smtp_data *d, str in, buf *out)
{
	struct feed f = {.d = d, .in = in, .out = out};
	while (f.at < in.n && d->state != SMTP_DATA_DONE)
		steps[d->state](&f);
	flush(&f, 0);
	d->consumed += f.at;
	return f.at;
}

/* --- the sender's side --- */

static void stuff_special(struct smtp_stuffer *s, char c)
{
	if (c == '\n') {
		s->bare = s->bare || !s->cr;
		s->within_line = !s->cr;
		s->after_lf = !s->cr && s->lf_dots;
		s->cr = false;
	} else {
		s->within_line = true;
		s->after_lf = false;
		s->cr = c == '\r';
	}
}

void smtp_data_stuff(struct smtp_stuffer *s, str in, buf *out)
{
	size_t from = 0;
	for (size_t i = 0; i < in.n;) {
		if (s->cr && in.p[i] != '\n') {
			s->bare = true;
			s->cr = false;
		}
		if ((!s->within_line || s->after_lf) && in.p[i] == '.') {
			buf_put(out, str_sub(in, from, i - from));
			buf_putc(out, '.');
			from = i;
		}
		size_t next = next_special(in, i);
		s->within_line = s->within_line || next > i;
		s->after_lf = s->after_lf && next == i;
		if (next < in.n)
			stuff_special(s, in.p[next++]);
		i = next;
	}
	buf_put(out, str_skip(in, from));
}

void smtp_data_stuff_finish(struct smtp_stuffer *s, buf *out)
{
	if (s->cr)
		s->bare = true;
	buf_put(out, s->within_line ? STR("\r\n.\r\n") : STR(".\r\n"));
	s->within_line = s->cr = false;
}
