#include "account/imap/search_eval.h"
#include "account/imap/verbs.h"
#include "account/store/ahead.h"
#include "base/mem.h"
#include "talk/body.h"

enum { ROWS_BETWEEN = 64 }; /* in memory, that cost less than the question whether to go on */

/* One SEARCH: first over what is in memory, without a pause (unless it takes more than EFFORT_TURN_MS), so that all
 * flags are of one moment; then over what is stored, for those that it left open. */
struct searching {
	struct imap_session *s;
	struct imap_search *q;
	struct view_message *v; /* those that fit or may fit, ascending */
	enum search_answer *answers;
	size_t n;
	bool lost;
	result trouble;
};

static result look_in_memory(struct searching *g)
{
	struct imap_session *s = g->s;
	uint32_t exists = view_exists(s->view);
	size_t room = exists ? exists : 1;
	g->v = arena_array(&s->arena, room, sizeof *g->v);
	g->answers = arena_array(&s->arena, room, sizeof *g->answers);
	TRY(arena_result(&s->arena));
	for (uint32_t number = 1; number <= exists; number++) {
		struct view_message *m = &g->v[g->n];
		struct search_subject on = {.m = m};
		if (number % ROWS_BETWEEN == 0)
			TRY(effort_go_on());
		if (failed(view_at(s->view, number, m))) {
			g->lost = true;
			continue;
		}
		g->answers[g->n] = search_eval(g->q->key, &on);
		g->n += g->answers[g->n] != SEARCH_NO;
	}
	return OK;
}

/* ---- what is stored */

static void look_at_row(struct searching *g, const struct fetch_row *row, size_t at, struct body *whole)
{
	struct search_subject on = {.m = &g->v[at], .row = row, .whole = whole, .home = g->s->home};
	g->answers[at] = row->present ? search_eval(g->q->key, &on) : SEARCH_NO;
	g->lost |= !row->present;
	if (failed(on.trouble)) {
		g->trouble = on.trouble;
		g->answers[at] = SEARCH_NO; /* whatever NOT made of it */
	}
}

static result read_whole(struct searching *g, const struct fetch_row *row, buf *all)
{
	struct letter_bytes *bytes = NULL;
	TRY(fetch_open(g->s->view, row->uid, &bytes));
	result r = fetch_bytes(bytes, row->trace.n, row->size - row->trace.n, all);
	fetch_close(&bytes);
	return r;
}

/* Only for a message whose search text was cut: inspect looks through it. */
static result look_at_whole(struct searching *g, const struct fetch_row *row, size_t at)
{
	buf all = buf_new(STORE_BODY_MAX);
	result r = read_whole(g, row, &all);
	struct body whole = body_of(buf_str(&all));
	if (!failed(r))
		r = body_share(&whole);
	if (!failed(r) && whole.owned)
		buf_free(&all); /* it lies in a memfd now */
	if (!failed(r))
		look_at_row(g, row, at, &whole);
	body_free(&whole);
	buf_free(&all);
	return r;
}

static result look_at_batch(struct searching *g, const struct fetched *got, const size_t *at)
{
	for (size_t i = 0; i < got->n; i++) {
		TRY(effort_go_on());
		look_at_row(g, &got->rows[i], at[i], NULL);
		if (g->answers[at[i]] != SEARCH_UNSURE)
			continue;
		result r = look_at_whole(g, &got->rows[i], at[i]);
		if (!failed(r))
			continue;
		g->answers[at[i]] = SEARCH_NO;
		if (r.kind == FAIL_ABSENT)
			g->lost = true;
		else
			g->trouble = r;
	}
	return OK;
}

static result look_at_batches(struct searching *g, const struct uids *which, const size_t *at)
{
	struct ahead rows;
	struct fetched got;
	arena *m;
	ahead_begin(&rows, g->s->view, which, FETCH_DATES | search_wants(g->q->key), IMAP_FETCH_ARENA);
	result r = ahead_next(&rows, &got, &m);
	while (!failed(r) && got.n) {
		r = look_at_batch(g, &got, at);
		at += got.n;
		if (!failed(r))
			r = ahead_next(&rows, &got, &m);
	}
	ahead_end(&rows);
	return r;
}

static result look_at_stored(struct searching *g)
{
	struct imap_session *s = g->s;
	uint32_t *uids = arena_array(&s->arena, g->n ? g->n : 1, sizeof *uids);
	size_t *at = arena_array(&s->arena, g->n ? g->n : 1, sizeof *at);
	size_t n = 0;
	TRY(arena_result(&s->arena));
	for (size_t i = 0; i < g->n; i++) {
		if (g->answers[i] != SEARCH_UNSURE)
			continue;
		uids[n] = g->v[i].uid;
		at[n++] = i;
	}
	const struct uids which = {uids, n};
	return n ? look_at_batches(g, &which, at) : OK;
}

/* Only those that fit stay. */
static void settle(struct searching *g)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->answers[i] == SEARCH_YES)
			g->v[n++] = g->v[i];
	g->n = n;
}

/* ---- the answer */

static uint32_t told(const struct searching *g, size_t i)
{
	return g->s->uid ? g->v[i].uid : g->v[i].number;
}

/* RFC 4731 3.2: of those that are told. */
static uint64_t highest_modseq(const struct searching *g)
{
	uint64_t highest = 0;
	bool ends_only = g->q->extended && !(g->q->returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT));
	for (size_t i = 0; i < g->n; i++) {
		bool is_min = i == 0 && (g->q->returns & IMAP_RETURN_MIN);
		bool is_max = i + 1 == g->n && (g->q->returns & IMAP_RETURN_MAX);
		if ((!ends_only || is_min || is_max) && g->v[i].modseq > highest)
			highest = g->v[i].modseq;
	}
	return highest;
}

static result put_plain(struct searching *g)
{
	struct imap_session *s = g->s;
	buf_put(&s->out, STR("* SEARCH"));
	for (size_t i = 0; i < g->n; i++) {
		buf_putc(&s->out, ' ');
		buf_put_u64(&s->out, told(g, i));
		TRY(imap_send_if_long(s));
	}
	if (g->q->modseq && g->n)
		buf_printf(&s->out, " (MODSEQ %llu)", (unsigned long long)highest_modseq(g));
	buf_put(&s->out, STR("\r\n"));
	return OK;
}

static void put_all(struct searching *g)
{
	struct imap_set_writer w = {.out = &g->s->out};
	buf_put(&g->s->out, STR(" ALL "));
	for (size_t i = 0; i < g->n; i++)
		imap_set_add(&w, told(g, i));
	imap_set_end(&w);
}

static result put_extended(struct searching *g, str tag)
{
	struct imap_session *s = g->s;
	unsigned returns = g->q->returns;
	buf_put(&s->out, STR("* ESEARCH (TAG "));
	imap_put_string(&s->out, tag, false);
	buf_put(&s->out, s->uid ? STR(") UID") : STR(")"));
	if ((returns & IMAP_RETURN_MIN) && g->n)
		buf_printf(&s->out, " MIN %u", told(g, 0));
	if ((returns & IMAP_RETURN_MAX) && g->n)
		buf_printf(&s->out, " MAX %u", told(g, g->n - 1));
	if (returns & IMAP_RETURN_COUNT)
		buf_printf(&s->out, " COUNT %zu", g->n);
	if ((returns & IMAP_RETURN_ALL) && g->n)
		put_all(g);
	if (g->q->modseq && g->n)
		buf_printf(&s->out, " MODSEQ %llu", (unsigned long long)highest_modseq(g));
	buf_put(&s->out, STR("\r\n"));
	return imap_send_if_long(s);
}

/* RFC 5182 2.1: with MIN or MAX and neither ALL nor COUNT only these are saved. */
static result save(struct searching *g)
{
	struct imap_session *s = g->s;
	unsigned ends = g->q->returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX);
	bool few = ends && !(g->q->returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT));
	s->saved_n = 0;
	if (!g->n)
		return OK;
	uint32_t *saved = mem_grow(s->saved, g->n * sizeof *saved);
	if (!saved)
		return imap_no(s, IMAP_CODE_NOTSAVED, "the server has no memory for the result; try again later");
	s->saved = saved;
	for (size_t i = 0; i < g->n; i++) {
		bool is_end = (i == 0 && (ends & IMAP_RETURN_MIN)) || (i + 1 == g->n && (ends & IMAP_RETURN_MAX));
		if (!few || is_end)
			saved[s->saved_n++] = g->v[i].uid;
	}
	return OK;
}

static result search(struct searching *g, str tag)
{
	struct imap_session *s = g->s;
	unsigned shown = IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_ALL | IMAP_RETURN_COUNT;
	TRY(search_prepare(s, g->q));
	if (g->q->modseq)
		imap_enable_condstore(s);
	TRY(look_in_memory(g));
	TRY(look_at_stored(g));
	settle(g);
	if (g->q->returns & IMAP_RETURN_SAVE)
		TRY(save(g));
	if (!g->q->extended && !imap_enabled(s, ENABLED_REV2))
		TRY(put_plain(g));
	else if (g->q->returns & shown)
		TRY(put_extended(g, tag));
	TRY(g->trouble);
	if (g->lost && !s->uid)
		imap_code(s, IMAP_CODE_EXPUNGEISSUED);
	return OK;
}

result run_SEARCH(struct imap_session *s, struct imap_command *c)
{
	struct searching g = {.s = s, .q = &c->search};
	if (!c->search.extended)
		c->search.returns = IMAP_RETURN_ALL;
	result r = search(&g, c->tag);
	if (failed(r) && !s->bad && (c->search.returns & IMAP_RETURN_SAVE)) /* RFC 5182 2.1 */
		s->saved_n = 0;
	return r;
}
