#include "account/imap/fetching.h"
#include "account/imap/verbs.h"

enum { ROWS_BETWEEN = 64 }; /* from memory, that cost less than the question whether to go on */

static const struct {
	unsigned item, want;
} wants[] = {
	{IMAP_ITEM_INTERNALDATE, FETCH_DATES}, {IMAP_ITEM_SAVEDATE, FETCH_DATES},
	{IMAP_ITEM_ENVELOPE, FETCH_ENVELOPE},  {IMAP_ITEM_BODY, FETCH_BASIC},
	{IMAP_ITEM_BODYSTRUCTURE, FETCH_STRUCTURE},
};

static unsigned section_wants(const struct imap_section *sec)
{
	if (sec->depth)
		return FETCH_DATES | FETCH_PARTS | FETCH_TRACE;
	bool head = sec->text != IMAP_SECTION_ALL && sec->text != IMAP_SECTION_TEXT;
	return head || sec->name == IMAP_RFC822_HEADER ? FETCH_DATES | FETCH_HEADER : FETCH_DATES;
}

static result plan(struct fetching *g)
{
	arena *m = &g->s->arena;
	size_t n = 0, i = 0;
	for (i = 0; i < sizeof wants / sizeof *wants; i++)
		if (g->items & wants[i].item)
			g->want |= wants[i].want;
	for (const struct imap_section *sec = g->f->sections; sec; sec = sec->next, n++) {
		g->want |= section_wants(sec);
		g->marks |= !sec->peek && view_writes(g->s->view);
		g->tables |= sec->depth > 0;
		g->opens |= !(section_wants(sec) & FETCH_HEADER);
	}
	if (g->opens)
		g->want |= FETCH_LETTER;
	g->names = arena_array(m, n ? n : 1, sizeof *g->names);
	TRY(arena_result(m));
	i = 0;
	for (const struct imap_section *sec = g->f->sections; sec; sec = sec->next)
		TRY(section_names(sec, m, &g->names[i++]));
	return OK;
}

/* ---- which messages */

/* RFC 7162 3.1.4.1: only those that changed since. */
static result keep_changed(struct fetching *g, struct uids *which)
{
	uint32_t *kept = arena_array(&g->s->arena, which->n ? which->n : 1, sizeof *kept);
	size_t n = 0;
	if (!kept)
		return arena_result(&g->s->arena);
	for (size_t i = 0; i < which->n; i++) {
		struct view_message m;
		if (!failed(view_get(g->s->view, which->v[i], &m)) && m.modseq > g->f->modseq)
			kept[n++] = which->v[i];
	}
	*which = (struct uids){kept, n};
	return OK;
}

static result put_vanished(struct fetching *g, struct imap_set *set)
{
	struct imap_session *s = g->s;
	struct imap_set gone;
	if (!set->resolved)
		TRY(imap_settle_set(s, set, true));
	TRY(view_vanished(s->view, g->f->modseq, set, &s->arena, &gone));
	if (!gone.n)
		return OK;
	buf_put(&s->out, STR("* VANISHED (EARLIER) "));
	imap_put_set(&s->out, &gone);
	buf_put(&s->out, STR("\r\n"));
	return OK;
}

/* ---- those that are stored, in batches */

/* \Seen comes before the answer, so that the answer can tell it (RFC 9051 6.4.5). */
static result mark(struct fetching *g, const struct fetched *got, bool *marked)
{
	struct imap_session *s = g->s;
	uint32_t *uids = arena_array(g->batch, got->n, sizeof *uids);
	struct uids which = {uids, 0}, modified;
	const struct flag_change seen = {.how = FLAGS_ADD, .flags = {.system = STORE_SEEN}};
	if (!uids)
		return arena_result(g->batch);
	for (size_t i = 0; i < got->n; i++) {
		struct view_message m;
		const struct fetch_row *row = &got->rows[i];
		if (!row->present || failed(view_get(s->view, row->uid, &m)) || (m.flags & STORE_SEEN))
			continue;
		uids[which.n++] = row->uid;
		marked[i] = true;
	}
	return which.n ? message_flags(s->view, &which, &seen, g->batch, &modified) : OK;
}

static result put_message(struct fetching *g, const struct fetch_row *row, bool marked)
{
	struct view_message m;
	if (!row->present || failed(view_get(g->s->view, row->uid, &m))) {
		g->lost = true;
		return OK;
	}
	struct fetch_letter l = {.row = row, .m = &m, .marked = marked};
	result r = g->opens ? fetch_open_row(g->s->view, row, &l.bytes) : OK; /* before anything is said of it */
	if (r.kind == FAIL_DAMAGE)
		g->trouble = r;
	g->lost |= r.kind == FAIL_ABSENT;
	if (failed(r))
		return r.kind == FAIL_DAMAGE || r.kind == FAIL_ABSENT ? OK : r;
	r = fetch_put_row(g, &l);
	fetch_close(&l.bytes);
	return r;
}

static result put_batch(struct fetching *g, const struct fetched *got)
{
	bool *marked = arena_array(g->batch, got->n, sizeof *marked);
	if (!marked)
		return arena_result(g->batch);
	if (g->marks)
		TRY(mark(g, got, marked));
	for (size_t i = 0; i < got->n; i++) {
		TRY(effort_go_on());
		TRY(put_message(g, &got->rows[i], marked[i]));
	}
	return OK;
}

static result put_batches(struct fetching *g, struct ahead *rows)
{
	for (;;) {
		struct fetched got;
		result r = ahead_next(rows, &got, &g->batch);
		if (r.kind == FAIL_DAMAGE)
			g->trouble = r;
		else
			TRY(r);
		if (!failed(r) && !got.n)
			return OK;
		TRY(put_batch(g, &got));
	}
}

static result put_stored(struct fetching *g, const struct uids *which)
{
	struct ahead rows;
	ahead_begin(&rows, g->s->view, which, g->want, IMAP_FETCH_ARENA);
	result r = put_batches(g, &rows);
	ahead_end(&rows);
	return r;
}

/* Flags, sizes and the like are in memory. */
static result put_from_memory(struct fetching *g, const struct uids *which)
{
	for (size_t i = 0; i < which->n; i++) {
		const struct fetch_row row = {.uid = which->v[i], .present = true};
		if (i % ROWS_BETWEEN == 0)
			TRY(effort_go_on());
		TRY(put_message(g, &row, false));
	}
	return OK;
}

static result fetch(struct fetching *g, struct imap_set *set)
{
	struct uids which;
	if (g->f->vanished && !imap_enabled(g->s, ENABLED_QRESYNC))
		return imap_bad(g->s, "VANISHED needs ENABLE QRESYNC before");
	TRY(imap_pick(g->s, set, g->s->uid, &which));
	if (g->items & IMAP_ITEM_MODSEQ)
		imap_enable_condstore(g->s);
	if (g->f->changed_since)
		TRY(keep_changed(g, &which));
	if (g->f->vanished)
		TRY(put_vanished(g, set));
	TRY(plan(g));
	TRY(g->want ? put_stored(g, &which) : put_from_memory(g, &which));
	TRY(g->trouble);
	if (g->lost && !g->s->uid)
		return imap_no(g->s, IMAP_CODE_EXPUNGEISSUED, "some of these messages were removed by another session");
	return OK;
}

result run_FETCH(struct imap_session *s, struct imap_command *c)
{
	struct fetching g = {.s = s, .f = &c->fetch, .items = c->fetch.items};
	if (c->uid)
		g.items |= IMAP_ITEM_UID;
	if (c->fetch.changed_since)
		g.items |= IMAP_ITEM_MODSEQ;
	return fetch(&g, &c->fetch.set);
}
