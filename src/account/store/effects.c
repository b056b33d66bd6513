#include "account/store/core.h"
#include "base/mem.h"

static result grow(void **v, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return OK;
	size_t want = *cap ? *cap * 2 : 4;
	void *p = mem_grow(*v, want * size);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	*v = p;
	*cap = want;
	return OK;
}

result effect_message(struct effects *e, uint64_t box, const struct row *row, bool arrived)
{
	void *v = e->v;
	result r = grow(&v, &e->cap, e->n, sizeof *e->v);
	e->v = v;
	TRY(r);
	e->v[e->n++] = (struct effect){box, *row, arrived};
	return OK;
}

result effect_gone(struct effects *e, uint64_t box, uint32_t uid)
{
	void *v = e->gone;
	result r = grow(&v, &e->gone_cap, e->gone_n, sizeof *e->gone);
	e->gone = v;
	TRY(r);
	e->gone[e->gone_n++] = (struct gone){box, uid};
	return OK;
}

result effect_box(struct effects *e, enum box_effect_kind kind, const struct box_row *row, str name)
{
	void *v = e->boxes;
	result r = grow(&v, &e->boxes_cap, e->boxes_n, sizeof *e->boxes);
	e->boxes = v;
	TRY(r);
	struct box_effect b = {.kind = kind, .name = name.n ? arena_dup(&e->names, name) : STR("")};
	if (row)
		b.row = *row;
	TRY(arena_result(&e->names));
	e->boxes[e->boxes_n++] = b;
	return OK;
}

void effects_free(struct effects *e)
{
	mem_free(e->v);
	mem_free(e->gone);
	mem_free(e->boxes);
	arena_free(&e->names);
	*e = (struct effects){.names = arena_new(e->names.max), .origin = e->origin};
}

/* \Recent is given out in memory, ahead of the database. */
static void counted(struct mbox *b, const struct box_row *row)
{
	uint32_t recent = b->row.recent > row->recent ? b->row.recent : row->recent;
	b->row = *row;
	b->row.recent = recent;
}

static result apply_box(struct store *s, const struct box_effect *e)
{
	struct catalog *c = &s->catalog;
	if (e->kind == NAME_SUBSCRIBED || e->kind == NAME_UNSUBSCRIBED)
		return catalog_subscribe(c, e->name, e->kind == NAME_SUBSCRIBED);
	if (e->kind == BOX_MADE)
		return catalog_add(c, &e->row, e->name);
	struct mbox *b = catalog_by_id(c, e->row.id);
	if (!b)
		return failure(FAIL_MEMORY, "memory lost a mailbox");
	if (e->kind == BOX_COUNTED)
		counted(b, &e->row);
	if (e->kind == BOX_NAMED)
		TRY(catalog_rename(c, b, e->name));
	if (e->kind == BOX_KEYWORD && b->loaded)
		loaded_keyword(b->loaded, e->row.use, e->name);
	return OK;
}

static void apply_gone(struct store *s, const struct effects *e)
{
	for (size_t i = 0, end; i < e->gone_n; i = end) {
		const struct gone *g = e->gone + i;
		for (end = i + 1; end < e->gone_n && e->gone[end].box == g->box; end++)
			must(e->gone[end].uid > e->gone[end - 1].uid);
		struct mbox *b = catalog_by_id(&s->catalog, g->box);
		if (b && b->loaded)
			loaded_remove(b->loaded, g, end - i, e->origin);
	}
}

static void apply_messages(struct store *s, const struct effects *e)
{
	struct mbox *b = NULL;
	for (size_t i = 0; i < e->n; i++) {
		const struct effect *f = &e->v[i];
		if (!b || b->row.id != f->box)
			b = catalog_by_id(&s->catalog, f->box);
		if (!b || !b->loaded)
			continue;
		if (f->arrived)
			loaded_arrive(b->loaded, &f->row);
		else
			loaded_flag(b->loaded, &f->row, e->origin);
	}
}

static void apply_last(struct store *s, const struct box_effect *e)
{
	struct mbox *b = e->row.id ? catalog_by_id(&s->catalog, e->row.id) : NULL;
	if (b && b->loaded)
		gate_wake_all(&b->loaded->changed);
	if (b && e->kind == BOX_DROPPED)
		catalog_remove(&s->catalog, b);
}

void effects_apply(struct store *s, const struct effects *e)
{
	s->account = e->account;
	for (size_t i = 0; i < e->boxes_n; i++)
		if (e->boxes[i].kind != BOX_DROPPED && failed(apply_box(s, &e->boxes[i])))
			s->broken = true;
	apply_messages(s, e); /* what was kept may have come and gone in one work */
	apply_gone(s, e);
	for (size_t i = 0; i < e->boxes_n; i++)
		apply_last(s, &e->boxes[i]);
}
