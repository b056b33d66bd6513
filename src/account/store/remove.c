#include "account/store/core.h"
#include "account/store/message.h"
#include "base/mem.h"
#include "run/effort.h"

struct removal {
	uint64_t box;
	const struct uids *which; /* NULL: all */
	bool flagged;             /* only those with \Deleted */
	uint32_t *gone;           /* grows */
	size_t n, cap;
};

static result remember(struct removal *m, uint32_t uid)
{
	if (m->n == m->cap) {
		size_t want = m->cap ? m->cap * 2 : 64;
		uint32_t *v = mem_grow(m->gone, want * sizeof *v);
		if (!v)
			return failure(FAIL_MEMORY, "out of memory");
		m->gone = v;
		m->cap = want;
	}
	m->gone[m->n++] = uid;
	return OK;
}

static result drop(struct work *w, struct removal *m, struct box_row *box, uint32_t uid)
{
	struct entry e;
	const struct place p = work_place(w, m->box);
	TRY(effort_check());
	result r = list_get(&p, uid, &e);
	if (r.kind == FAIL_ABSENT || (!failed(r) && m->flagged && !(e.row.flags & STORE_DELETED)))
		return OK;
	TRY(r);
	TRY(work_drop_message(w, box, &e.row));
	TRY(work_release(w, e.row.content));
	return remember(m, uid);
}

static result remember_deleted(void *ctx, uint64_t box, const struct entry *e)
{
	(void)box;
	return e->row.flags & STORE_DELETED ? remember(ctx, e->row.uid) : OK;
}

static result drop_all(struct work *w, struct removal *m, struct box_row *box)
{
	if (m->which) {
		for (size_t i = 0; i < m->which->n; i++)
			TRY(drop(w, m, box, m->which->v[i]));
		return OK;
	}
	if (box->deleted == 0)
		return OK;
	const struct place p = work_place(w, m->box);
	TRY(list_read(&p, &(struct list_reader){.take = remember_deleted, .ctx = m}));
	size_t n = m->n;
	m->n = 0;
	for (size_t i = 0; i < n; i++)
		TRY(drop(w, m, box, m->gone[i]));
	return OK;
}

static result remove_body(struct work *w, void *arg)
{
	struct removal *m = arg;
	struct box_row *box;
	m->n = 0;
	TRY(work_box(w, m->box, &box));
	TRY(drop_all(w, m, box));
	return m->n ? work_vanish(w, box, m->gone, m->n) : OK;
}

static result remove_them(struct view *v, const struct uids *which, bool flagged)
{
	TRY(view_may(v, OP_EXPUNGE, true));
	struct removal m = {.box = v->box->row.id, .which = which, .flagged = flagged};
	struct work w = work_new(v->actor.store, remove_body, &m);
	w.effects.origin = v->tag;
	w.frees = true;
	result r = work_do(&w);
	mem_free(m.gone);
	return r;
}

result message_expunge(struct view *v, const struct uids *which)
{
	return remove_them(v, which, true);
}

result message_remove(struct view *v, const struct uids *which)
{
	must(which);
	return remove_them(v, which, false);
}
