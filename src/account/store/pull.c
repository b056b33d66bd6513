#include "account/store/core.h"
#include "base/mem.h"

#include <stdlib.h>

/* What a view has not seen: collected into the arena first, so that a refusal
 * leaves the view as it was. */
struct pulling {
	struct view *v;
	const struct loaded *l;
	arena *m;
	uint32_t *others; /* uids flagged by others, and by this view; they may repeat */
	size_t others_n;
	uint32_t *own;
	size_t own_n;
	uint32_t told; /* the number told last: the next one's flags mostly changed too */
	bool gone;
};

static bool behind(const struct view *v)
{
	return v->read < v->box->loaded->notes_first;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool ascends(const uint32_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1] >= v[i])
			return false;
	return true;
}

static size_t sort_unique(uint32_t *v, size_t n)
{
	size_t to = 0;
	if (ascends(v, n))
		return n;
	qsort(v, n, sizeof *v, by_number);
	for (size_t i = 0; i < n; i++)
		if (to == 0 || v[to - 1] != v[i])
			v[to++] = v[i];
	return to;
}

static result collect_notes(struct pulling *p)
{
	size_t from = (size_t)(p->v->read - p->l->notes_first), n = p->l->notes_n - from;
	p->others = arena_array(p->m, n ? n : 1, sizeof *p->others);
	p->own = arena_array(p->m, n ? n : 1, sizeof *p->own);
	TRY(arena_result(p->m));
	for (size_t i = from; i < p->l->notes_n; i++) {
		const struct note *note = &p->l->notes[i];
		if (note->kind == NOTE_GONE)
			p->gone = true;
		else if (note->origin == p->v->tag)
			p->own[p->own_n++] = note->uid;
		else
			p->others[p->others_n++] = note->uid;
	}
	return OK;
}

/* The notes do not reach back far enough: everything whose modseq is newer than the last pull. */
static result collect_whole(struct pulling *p)
{
	p->gone = true;
	p->others = arena_array(p->m, p->l->n ? p->l->n : 1, sizeof *p->others);
	TRY(arena_result(p->m));
	for (size_t i = 0; i < p->l->n && p->l->v[i].uid <= p->v->top; i++)
		if (p->l->v[i].modseq > p->v->modseq)
			p->others[p->others_n++] = p->l->v[i].uid;
	return OK;
}

/* ---- what is gone ---- */

static size_t count_gone(const struct view *v, const struct loaded *l)
{
	size_t n = 0, k = 0;
	for (size_t i = 0; i < v->n; i++) {
		while (k < l->n && l->v[k].uid < v->uids[i])
			k++;
		n += k == l->n || l->v[k].uid != v->uids[i];
	}
	return n;
}

static void drop_gone(struct view *v, const struct loaded *l, struct view_gone *out)
{
	size_t to = 0, k = 0;
	for (size_t i = 0; i < v->n; i++) {
		while (k < l->n && l->v[k].uid < v->uids[i])
			k++;
		if (k < l->n && l->v[k].uid == v->uids[i])
			v->uids[to++] = v->uids[i];
		else
			*out++ = (struct view_gone){(uint32_t)to + 1, v->uids[i]};
	}
	v->n = to;
}

/* ---- what has come ---- */

static result reserve(struct view *v, size_t more)
{
	if (v->cap - v->n >= more)
		return OK;
	size_t want = v->n + more + v->n / 8;
	uint32_t *uids = mem_grow(v->uids, want * sizeof *uids);
	if (!uids)
		return failure(FAIL_MEMORY, "out of memory");
	v->uids = uids;
	v->cap = want;
	return OK;
}

static bool arrive(struct view *v, const struct loaded *l, size_t from)
{
	if (from == l->n)
		return false;
	for (size_t i = from; i < l->n; i++)
		v->uids[v->n++] = l->v[i].uid;
	v->top = l->v[l->n - 1].uid;
	return true;
}

/* ---- which flags changed ---- */

static bool contains(const uint32_t *v, size_t n, uint32_t uid)
{
	return n && bsearch(&uid, v, n, sizeof *v, by_number);
}

static void tell(struct pulling *p, uint32_t uid, bool own, struct view_changes *out)
{
	const struct view *v = p->v;
	uint32_t number = p->told < v->n && v->uids[p->told] == uid ? p->told + 1 : view_number(v, uid);
	if (!number || !loaded_row(p->l, uid, number - 1))
		return;
	p->told = number;
	out->flagged[out->flagged_n++] = (struct view_flagged){number, uid, own};
}

static void tell_flags(struct pulling *p, uint32_t top, struct view_changes *out)
{
	size_t i = 0, k = 0;
	while (i < p->others_n || k < p->own_n) {
		bool other = k == p->own_n || (i < p->others_n && p->others[i] <= p->own[k]);
		uint32_t uid = other ? p->others[i++] : p->own[k++];
		if (uid <= top && (other || !contains(p->others, p->others_n, uid)))
			tell(p, uid, !other, out);
	}
}

static result prepare(struct pulling *p, bool expunge, size_t *from, struct view_changes *out)
{
	struct view *v = p->v;
	TRY(behind(v) ? collect_whole(p) : collect_notes(p));
	p->others_n = sort_unique(p->others, p->others_n);
	p->own_n = sort_unique(p->own, p->own_n);
	p->gone |= v->gone_due;
	if (expunge && p->gone)
		out->gone_n = count_gone(v, p->l);
	*from = v->top == UINT32_MAX ? p->l->n : loaded_from(p->l, v->top + 1);
	out->gone = arena_array(p->m, out->gone_n ? out->gone_n : 1, sizeof *out->gone);
	size_t flags = p->others_n + p->own_n;
	out->flagged = arena_array(p->m, flags ? flags : 1, sizeof *out->flagged);
	TRY(arena_result(p->m));
	return reserve(v, p->l->n - *from);
}

result view_pull(struct view *v, bool expunge, arena *m, struct view_changes *out)
{
	TRY(view_may(v, OP_READ, false));
	struct loaded *l = v->box->loaded;
	struct pulling p = {.v = v, .l = l, .m = m};
	struct view_changes c = {0};
	uint32_t top = v->top;
	size_t from;
	TRY(prepare(&p, expunge, &from, &c));
	if (c.gone_n)
		drop_gone(v, l, c.gone);
	v->gone_due = p.gone && !expunge;
	c.arrived = arrive(v, l, from);
	tell_flags(&p, top, &c);
	if (c.arrived)
		view_take_recent(v);
	c.exists = (uint32_t)v->n;
	c.recent = view_recent(v);
	c.keywords = l->keywords_n != v->keywords;
	v->keywords = l->keywords_n;
	v->read = l->notes_first + l->notes_n;
	v->modseq = v->box->row.modseq;
	if (!v->gone_due)
		v->whole = v->modseq;
	loaded_forget_notes(l);
	*out = c;
	return OK;
}

static bool has_news(const struct view *v)
{
	const struct loaded *l = v->box->loaded;
	return v->box->gone || l->broken || v->gone_due || v->read != l->notes_first + l->notes_n ||
		(l->n && l->v[l->n - 1].uid > v->top) || l->keywords_n != v->keywords;
}

result view_wait(struct view *v, uint64_t timeout_ms)
{
	TRY(store_may(&v->actor, OP_READ));
	while (!has_news(v))
		TRY(gate_wait(&v->box->loaded->changed, timeout_ms));
	return OK;
}

/* ---- QRESYNC ---- */

struct vanishing {
	uint64_t box;
	uint64_t since;
	const struct imap_set *known;
	arena *m;
	buf runs; /* struct imap_range after struct imap_range */
};

static void add_run(struct vanishing *job, struct imap_range run)
{
	if (!job->known) {
		buf_put(&job->runs, str_of((const char *)&run, sizeof run));
		return;
	}
	for (size_t i = 0; i < job->known->n; i++) {
		struct imap_range k = job->known->r[i];
		uint32_t first = k.first > run.first ? k.first : run.first;
		uint32_t last = k.last < run.last ? k.last : run.last;
		struct imap_range cut = {first, last};
		if (first <= last)
			buf_put(&job->runs, str_of((const char *)&cut, sizeof cut));
	}
}

static result vanished_run(struct db *db, void *arg)
{
	struct vanishing *job = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT first,last FROM vanished WHERE mailbox=?1 AND modseq>?2 ORDER BY modseq,first",
		DB_INT(job->box), DB_INT(job->since)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return buf_result(&job->runs);
		add_run(job, (struct imap_range){(uint32_t)query_int(q, 0), (uint32_t)query_int(q, 1)});
	}
}

static void cut(struct imap_set *out, uint32_t first, uint32_t last)
{
	if (first <= last)
		out->r[out->n++] = (struct imap_range){first, last};
}

/* A message that was removed but has its number still is told later, by the removal itself. */
static result leave_out_seen(const struct view *v, const struct imap_set *all, arena *m, struct imap_set *out)
{
	size_t i = 0, room = all->n + v->n;
	struct imap_set left = {.r = arena_array(m, room ? room : 1, sizeof *left.r), .resolved = true};
	if (!left.r)
		return arena_result(m);
	for (size_t k = 0; k < all->n; k++) {
		uint32_t first = all->r[k].first, last = all->r[k].last;
		while (i < v->n && v->uids[i] < first)
			i++;
		for (; i < v->n && v->uids[i] <= last; i++) {
			if (v->uids[i] > first)
				cut(&left, first, v->uids[i] - 1);
			first = v->uids[i] + 1;
		}
		if (first) /* it was not the highest uid of all */
			cut(&left, first, last);
	}
	*out = left;
	return OK;
}

result view_vanished(struct view *v, uint64_t since, const struct imap_set *known, arena *m, struct imap_set *out)
{
	TRY(view_may(v, OP_READ, false));
	must(!known || known->resolved);
	struct vanishing job = {.box = v->box->row.id, .since = since, .known = known, .runs = buf_new(m->max)};
	result r = store_read(v->actor.store, vanished_run, NULL, &job);
	size_t n = job.runs.n / sizeof(struct imap_range);
	struct imap_range *ranges = failed(r) ? NULL : arena_array(m, n ? n : 1, sizeof *ranges);
	if (ranges && n)
		memcpy(ranges, job.runs.p, n * sizeof *ranges);
	buf_free(&job.runs);
	TRY(r);
	if (!ranges)
		return arena_result(m);
	struct imap_set all = {.r = ranges, .n = n};
	imap_set_resolve(&all, UINT32_MAX);
	return leave_out_seen(v, &all, m, out);
}
