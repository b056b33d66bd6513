#include "engine/seal_frame.h"
#include "base/mem.h"

#include <sodium.h>

enum {
	LAYOUT_WHOLE = 1,
	LAYOUT_FRONT = 2,
	CONTENT = SEAL_PAGE - SEAL_RESERVED,
	WORD = 8,
	RUN_HEAD = 4,
	LENGTH = 2,
	BASE = 4,
	RUNS_MAX = CONTENT - BASE - RUN_HEAD, /* runs are shorter than the page, so that FRAME_WHOLE means whole */
};
_Static_assert(CONTENT % WORD == 0 && FRAME_WHOLE + LENGTH <= WAL_FRAME, "a page in words, a frame in its place");

struct base {
	uint32_t page; /* 0: none */
	uint32_t frame;
	uint32_t spent; /* octets written against it */
	uint64_t used;
};

/* What is searched lies together: with the contents between, each search would touch as many pages of memory. */
struct bases {
	uint64_t clock;
	struct base v[FRAME_BASES];
	unsigned char content[FRAME_BASES][CONTENT];
};

static const unsigned char nothing[CONTENT];

/* ---- bases ---- */

void frame_trim(struct wal *w)
{
	if (w->bases)
		sodium_memzero(w->bases, sizeof *w->bases);
	mem_free(w->bases);
	w->bases = NULL;
}

void frame_forget(struct wal *w, uint32_t from)
{
	for (size_t i = 0; w->bases && i < FRAME_BASES; i++)
		if (w->bases->v[i].frame >= from)
			w->bases->v[i].page = 0;
}

static unsigned char *content_of(const struct wal *w, const struct base *b)
{
	return w->bases->content[b - w->bases->v];
}

static struct base *base_of_page(struct wal *w, uint32_t page)
{
	for (size_t i = 0; w->bases && i < FRAME_BASES; i++)
		if (page && w->bases->v[i].page == page)
			return &w->bases->v[i];
	return NULL;
}

static const struct base *base_at(const struct wal *w, uint32_t frame)
{
	for (size_t i = 0; w->bases && i < FRAME_BASES; i++)
		if (w->bases->v[i].page && w->bases->v[i].frame == frame)
			return &w->bases->v[i];
	return NULL;
}

/* The page's own place, else a free one, else the one used longest ago. */
static struct base *place_for(struct bases *b, uint32_t page)
{
	struct base *best = &b->v[0];
	for (size_t i = 0; i < FRAME_BASES; i++) {
		if (b->v[i].page == page)
			return &b->v[i];
		if (best->page && (!b->v[i].page || b->v[i].used < best->used))
			best = &b->v[i];
	}
	return best;
}

static void keep_base(struct wal *w, uint32_t number, uint32_t page, const unsigned char *content)
{
	if (!w->bases)
		w->bases = mem_alloc(sizeof *w->bases);
	if (!w->bases || !page)
		return;
	struct base *b = place_for(w->bases, page);
	b->page = page;
	b->frame = number;
	b->spent = 0;
	b->used = ++w->bases->clock;
	memcpy(content_of(w, b), content, CONTENT);
}

/* ---- what differs ---- */

static bool same_word(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, WORD) == 0;
}

/* Runs of words that differ, into `out` of `room` bytes; a single word that does not is taken along. The length, or
 * SIZE_MAX when they do not fit. */
static size_t difference(const unsigned char *from, const unsigned char *to, unsigned char *out, size_t room)
{
	size_t n = 0;
	for (size_t at = 0; at < CONTENT;) {
		if (same_word(from + at, to + at)) {
			at += WORD;
			continue;
		}
		size_t end = at + WORD;
		while (end < CONTENT && (!same_word(from + end, to + end) ||
			(end + WORD < CONTENT && !same_word(from + end + WORD, to + end + WORD))))
			end += WORD;
		if (n + RUN_HEAD + (end - at) > room)
			return SIZE_MAX;
		box_put_u32(out + n, (uint32_t)(at | (end - at) << 16));
		memcpy(out + n + RUN_HEAD, to + at, end - at);
		n += RUN_HEAD + (end - at);
		at = end;
	}
	return n;
}

static bool apply(const unsigned char *runs, size_t n, unsigned char *content)
{
	while (n > 0) {
		if (n < RUN_HEAD)
			return false;
		size_t at = box_get_u32(runs) & 0xffff, length = box_get_u32(runs) >> 16;
		if (length > n - RUN_HEAD || at > CONTENT || length > CONTENT - at)
			return false;
		memcpy(content + at, runs + RUN_HEAD, length);
		runs += RUN_HEAD + length;
		n -= RUN_HEAD + length;
	}
	return true;
}

static uint32_t page_of(const unsigned char *unit)
{
	return (uint32_t)unit[0] << 24 | (uint32_t)unit[1] << 16 | (uint32_t)unit[2] << 8 | unit[3];
}

/* What is written behind the head; the length. */
static size_t body_against_base(struct wal *w, const unsigned char *unit, unsigned char *out)
{
	struct base *b = base_of_page(w, page_of(unit));
	if (!b || b->frame >= w->ended)
		return SIZE_MAX;
	size_t n = difference(content_of(w, b), unit + WAL_FRAME_HEAD, out + BASE, CONTENT / 2);
	if (n == SIZE_MAX || b->spent + n > CONTENT)
		return SIZE_MAX;
	box_put_u32(out, b->frame + 1);
	b->spent += (uint32_t)n;
	b->used = ++w->bases->clock;
	return BASE + n;
}

static size_t body_of(struct wal *w, uint32_t number, const unsigned char *unit, unsigned char *out)
{
	size_t n = body_against_base(w, unit, out);
	if (n != SIZE_MAX)
		return n;
	keep_base(w, number, page_of(unit), unit + WAL_FRAME_HEAD);
	n = difference(nothing, unit + WAL_FRAME_HEAD, out + BASE, RUNS_MAX);
	if (n != SIZE_MAX) {
		box_put_u32(out, 0);
		return BASE + n;
	}
	memcpy(out, unit + WAL_FRAME_HEAD, CONTENT);
	return CONTENT;
}

/* ---- sealing ---- */

static struct box_name name_of(const struct wal *w, uint32_t number, size_t length)
{
	return (struct box_name){BOX_FRAME, number | (uint64_t)length << 32, w->head.generation};
}

static void seal_whole(struct wal *w, uint32_t number, unsigned char *unit)
{
	struct box_name name = name_of(w, number, 0);
	box_put_u32(unit + 8, w->synced);
	box_put_u32(unit + 12, 0);
	box_seal(w->box, &name, unit, WAL_FRAME);
}

/* `raw` is a frame on the disk. */
static unsigned char *length_in(unsigned char *raw, unsigned layout)
{
	return layout == LAYOUT_FRONT ? raw : raw + WAL_FRAME - LENGTH;
}

static unsigned char *unit_in(unsigned char *raw, size_t n, unsigned layout)
{
	return layout == LAYOUT_FRONT ? raw + LENGTH : raw + WAL_FRAME - LENGTH - n;
}

static unsigned char *zeros_in(unsigned char *raw, size_t n, unsigned layout)
{
	return layout == LAYOUT_FRONT ? raw + LENGTH + n : raw;
}

void frame_seal(struct wal *w, uint32_t number, unsigned char *unit)
{
	if (w->head.layout == LAYOUT_WHOLE) {
		seal_whole(w, number, unit);
		return;
	}
	unsigned char sealed[WAL_FRAME];
	size_t n = FRAME_HEAD + body_of(w, number, unit, sealed + FRAME_HEAD) + BOX_SPARE;
	struct box_name name = name_of(w, number, n);
	memcpy(sealed, unit, 8);
	box_put_u32(sealed + 8, w->synced);
	memcpy(sealed + 12, unit + 16, 8);
	box_seal(w->box, &name, sealed, n);
	memset(unit, 0, WAL_FRAME);
	memcpy(unit_in(unit, n, w->head.layout), sealed, n);
	unsigned char *length = length_in(unit, w->head.layout);
	length[0] = (unsigned char)n;
	length[1] = (unsigned char)(n >> 8);
}

/* ---- opening ---- */

struct unit {
	unsigned char *p;
	size_t n;
};

/* Opens what lies in `raw`; n is 0 when it does not open. */
static struct unit open_unit(const struct wal *w, uint32_t number, const struct wal_head *of, unsigned char *raw)
{
	static const unsigned char zeros[WAL_FRAME];
	const unsigned char *length = length_in(raw, of->layout);
	size_t n = length[0] | (size_t)length[1] << 8;
	struct box_name name = name_of(w, number, n);
	name.generation = of->generation;
	if (n < FRAME_HEAD + BASE + BOX_SPARE || n > FRAME_WHOLE ||
		memcmp(zeros_in(raw, n, of->layout), zeros, WAL_FRAME - LENGTH - n) != 0)
		return (struct unit){0};
	struct unit u = {unit_in(raw, n, of->layout), n};
	return box_open(w->box, &name, u.p, n) ? u : (struct unit){0};
}

static bool open_old(const struct wal *w, uint32_t number, uint64_t generation, unsigned char *unit)
{
	struct box_name name = {BOX_FRAME, number, generation};
	return box_open(w->box, &name, unit, WAL_FRAME);
}

/* The content of a frame without a base, from memory or the file. */
static result read_base(struct wal *w, uint32_t number, unsigned char *content, bool *good)
{
	const struct base *b = base_at(w, number);
	unsigned char raw[WAL_FRAME];
	*good = b != NULL;
	if (b) {
		memcpy(content, content_of(w, b), CONTENT);
		return OK;
	}
	TRY(wal_raw(w, number, raw, good));
	struct unit u = *good ? open_unit(w, number, &w->head, raw) : (struct unit){0};
	memset(content, 0, CONTENT);
	*good = u.n > 0;
	const unsigned char *body = *good ? u.p + FRAME_HEAD : NULL;
	if (u.n == FRAME_WHOLE)
		memcpy(content, body, CONTENT);
	else if (u.n)
		*good = box_get_u32(body) == 0 && apply(body + BASE, u.n - FRAME_HEAD - BASE - BOX_SPARE, content);
	return OK;
}

/* Puts the content together. */
static result build(struct wal *w, uint32_t number, const unsigned char *body, size_t n, unsigned char *content,
	bool *good)
{
	*good = true;
	if (n == CONTENT) {
		memcpy(content, body, CONTENT);
		return OK;
	}
	uint32_t base = box_get_u32(body);
	if (base > number)
		*good = false;
	else if (base)
		TRY(read_base(w, base - 1, content, good));
	else
		memset(content, 0, CONTENT);
	*good = *good && apply(body + BASE, n - BASE, content);
	return OK;
}

result frame_open(struct wal *w, uint32_t number, unsigned char *unit, enum frame_state *state)
{
	if (w->head.layout == LAYOUT_WHOLE) {
		*state = open_old(w, number, w->head.generation, unit) ? FRAME_GOOD : FRAME_STRANGE;
		return OK;
	}
	unsigned char raw[WAL_FRAME];
	memcpy(raw, unit, WAL_FRAME);
	struct unit u = open_unit(w, number, &w->head, raw);
	*state = FRAME_STRANGE;
	if (!u.n)
		return OK;
	bool good;
	memset(unit, 0, WAL_FRAME);
	memcpy(unit, u.p, 12);
	memcpy(unit + 16, u.p + 12, 8);
	TRY(build(w, number, u.p + FRAME_HEAD, u.n - FRAME_HEAD - BOX_SPARE, unit + WAL_FRAME_HEAD, &good));
	*state = good ? FRAME_GOOD : FRAME_BASELESS;
	return OK;
}

bool frame_is_next(const struct wal *w, uint32_t number, unsigned char *unit)
{
	struct wal_head next = {.generation = w->head.generation + 1};
	unsigned char raw[WAL_FRAME];
	for (next.layout = WAL_LAYOUT; next.layout > LAYOUT_WHOLE && next.layout >= w->head.layout; next.layout--) {
		memcpy(raw, unit, WAL_FRAME);
		if (open_unit(w, number, &next, raw).n)
			return true;
	}
	return w->head.layout == LAYOUT_WHOLE && open_old(w, number, next.generation, unit);
}
