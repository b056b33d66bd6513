#include "grammar/mime/search_text.h"

enum { PIECE_HEAD = 10 /* kind, length of the name, of the text, and where it is copied from */ };

struct maker {
	buf *out;
	size_t start;
	size_t text_at; /* where the piece's text starts; 0: it was not repeated */
	size_t message_n;
	bool full;      /* nothing more of this kind */
	enum search_kind kind;
};

static void put_u32_at(buf *b, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4 && at + i < b->n; i++, v >>= 8)
		b->p[at + i] = (char)(v & 0xFF);
}

static size_t room(const struct maker *m)
{
	size_t max = m->kind == SEARCH_FIELD ? SEARCH_FIELDS_MAX : SEARCH_TEXT_MAX;
	size_t used = m->out->n - m->start;
	return used < max ? max - used : 0;
}

static void note_cut(struct maker *m)
{
	if (!m->out->broken)
		m->out->p[m->start + 1] |= m->kind == SEARCH_FIELD ? SEARCH_CUT_FIELDS : SEARCH_CUT_BODY;
	m->full = true;
}

static bool make_begin(void *ctx, enum search_kind kind, str name)
{
	struct maker *m = ctx;
	if (m->kind == SEARCH_FIELD && kind != SEARCH_FIELD)
		m->full = false;
	m->kind = kind;
	if (m->full || room(m) < PIECE_HEAD + name.n) {
		note_cut(m);
		return false;
	}
	buf_putc(m->out, (char)kind);
	buf_putc(m->out, (char)name.n);
	buf_put(m->out, name);
	buf_put(m->out, STR("\0\0\0\0"));
	m->text_at = m->out->n;
	return true;
}

static bool make_copy(void *ctx, size_t at, size_t n)
{
	struct maker *m = ctx;
	if (n < m->message_n / SEARCH_COPY_SHARE || at + n > UINT32_MAX || m->out->broken)
		return false;
	m->out->p[m->text_at - 6] = (char)(SEARCH_COPY | SEARCH_TEXT);
	put_u32_at(m->out, m->text_at - 4, (uint32_t)at);
	buf_put(m->out, STR("\0\0\0\0"));
	put_u32_at(m->out, m->text_at, (uint32_t)n);
	m->text_at = 0;
	return true;
}

static bool make_text(void *ctx, str folded)
{
	struct maker *m = ctx;
	size_t left = room(m);
	if (folded.n > left)
		note_cut(m);
	buf_put(m->out, str_sub(folded, 0, left));
	return !m->full;
}

static bool make_end(void *ctx)
{
	struct maker *m = ctx;
	if (!m->out->broken && m->text_at)
		put_u32_at(m->out, m->text_at - 4, (uint32_t)(m->out->n - m->text_at));
	return !m->out->broken && (m->kind == SEARCH_FIELD || !m->full);
}

result search_text_make(const struct search_source *from, buf *out)
{
	struct maker m = {.out = out, .start = out->n, .message_n = from->message.n, .kind = SEARCH_FIELD};
	struct search_sink sink = {make_begin, make_copy, make_text, make_end, &m};
	buf_putc(out, SEARCH_VERSION);
	buf_putc(out, 0);
	TRY(buf_result(out));
	TRY(search_walk(from, &sink));
	return buf_result(out);
}

/* Looks through a stream: the end of what was seen is kept for what may
 * straddle the cut. */
struct looker {
	const struct search_key *key;
	buf seen;
	bool found;
};

static bool look_begin(void *ctx, enum search_kind kind, str name)
{
	struct looker *l = ctx;
	buf_clear(&l->seen);
	bool want = search_key_wants(l->key, kind, name);
	l->found |= want && l->key->needle.n == 0;
	return want;
}

static bool look_text(void *ctx, str folded)
{
	struct looker *l = ctx;
	size_t keep = l->key->needle.n ? l->key->needle.n - 1 : 0;
	buf_put(&l->seen, folded);
	/* Not after every stretch: long needles would make it quadratic. */
	if (l->seen.n < 2 * keep)
		return true;
	l->found |= str_find(buf_str(&l->seen), l->key->needle) != STR_NONE;
	if (l->seen.n > keep)
		buf_drop(&l->seen, l->seen.n - keep);
	return !l->found && !l->seen.broken;
}

static bool look_end(void *ctx)
{
	struct looker *l = ctx;
	l->found |= str_find(buf_str(&l->seen), l->key->needle) != STR_NONE;
	return !l->found && !l->seen.broken;
}

result search_message_has(const struct search_source *from, const struct search_key *key, bool *out)
{
	struct looker l = {.key = key, .seen = buf_new(SIZE_MAX / 2)};
	struct search_sink sink = {look_begin, NULL, look_text, look_end, &l};
	result r = search_walk(from, &sink);
	if (!failed(r))
		r = buf_result(&l.seen);
	buf_free(&l.seen);
	if (failed(r))
		return r;
	*out = l.found || (key->needle.n == 0 && key->scope != SEARCH_IN_FIELD);
	return OK;
}
