#include "account/store/core.h"
#include "account/store/message.h"

struct flagging {
	uint64_t box;
	const struct uids *which;
	const struct flag_change *how;
	uint64_t mask;      /* the bits of how->flags in this mailbox */
	uint32_t *modified; /* room for all of `which` */
	size_t modified_n;
};

static uint64_t changed(enum flag_how how, uint64_t flags, uint64_t mask)
{
	if (how == FLAGS_ADD)
		return flags | mask;
	return how == FLAGS_REMOVE ? flags & ~mask : mask;
}

static result put(struct work *w, struct box_row *box, struct row *row, uint64_t flags)
{
	work_count_flags(box, row->flags, row->size, -1);
	work_count_flags(box, flags, row->size, 1);
	row->flags = flags;
	row->modseq = box->modseq = work_modseq(w);
	TRY(message_put_flags(w->db, box->id, row));
	return effect_message(&w->effects, box->id, row, false);
}

static result one(struct work *w, struct flagging *f, struct box_row *box, struct row *row)
{
	if (f->how->conditional && row->modseq > f->how->unchanged_since) {
		f->modified[f->modified_n++] = row->uid;
		return OK;
	}
	uint64_t flags = changed(f->how->how, row->flags, f->mask);
	return flags == row->flags ? OK : put(w, box, row, flags);
}

static result flags_body(struct work *w, void *arg)
{
	struct flagging *f = arg;
	struct box_row *box;
	f->modified_n = 0;
	TRY(work_box(w, f->box, &box));
	TRY(work_flags(w, box, &f->how->flags, f->how->how != FLAGS_REMOVE, &f->mask));
	for (size_t i = 0; i < f->which->n; i++) {
		struct row row;
		result r = message_get(w->db, f->box, f->which->v[i], &row);
		if (r.kind == FAIL_ABSENT)
			continue;
		TRY(r);
		TRY(one(w, f, box, &row));
	}
	return OK;
}

result message_flags(struct view *v, const struct uids *which, const struct flag_change *how, arena *m,
	struct uids *modified)
{
	TRY(view_may(v, OP_FLAGS, true));
	struct flagging f = {.box = v->box->row.id, .which = which, .how = how};
	f.modified = arena_array(m, which->n ? which->n : 1, sizeof *f.modified);
	if (!f.modified)
		return arena_result(m);
	struct work w = work_new(v->actor.store, flags_body, &f);
	w.effects.origin = v->tag;
	w.frees = how->how != FLAGS_REMOVE && how->flags.system & STORE_DELETED; /* EXPUNGE comes next */
	TRY(work_do(&w));
	*modified = (struct uids){f.modified, f.modified_n};
	return OK;
}
