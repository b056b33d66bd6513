#include "account/store/core.h"
#include "account/store/message.h"
#include "run/effort.h"

/* Flags become (flags & keep) | set where the message's modseq is at most `latest`. */
struct flag_rule {
	uint64_t keep, set, latest;
};

struct flagging {
	uint64_t id; /* the mailbox's */
	const struct flag_change *how;
	struct uid_run *runs;
	size_t runs_n;
	uint32_t *modified; /* room for all of them */
	size_t modified_n;
	/* While the work runs: */
	struct work *work;
	struct box_row *box;
	struct flag_rule rule;
};

/* What becomes of flags here. */
static struct flag_rule rule_of(const struct flagging *f, uint64_t mask)
{
	struct flag_rule rule = {.keep = f->how->how == FLAGS_REPLACE ? 0 : UINT64_MAX, .latest = UINT64_MAX};
	if (f->how->how == FLAGS_REMOVE)
		rule.keep = ~mask;
	else
		rule.set = mask;
	if (f->how->conditional)
		rule.latest = f->how->unchanged_since;
	return rule;
}

static result change(void *ctx, struct entry *e, bool *changed)
{
	struct flagging *f = ctx;
	struct row *row = &e->row;
	uint64_t flags = (row->flags & f->rule.keep) | f->rule.set;
	TRY(effort_check());
	if (row->modseq > f->rule.latest) {
		f->modified[f->modified_n++] = row->uid;
		return OK;
	}
	if (flags == row->flags)
		return OK;
	count_flags(f->box, row->flags, row->size, -1);
	count_flags(f->box, flags, row->size, 1);
	row->flags = flags;
	row->modseq = f->box->modseq = work_modseq(f->work);
	*changed = true;
	return effect_message(&f->work->effects, f->id, row, false);
}

static result flags_body(struct work *w, void *arg)
{
	struct flagging *f = arg;
	uint64_t mask;
	TRY(work_box(w, f->id, &f->box));
	TRY(work_flags(w, f->box, &f->how->flags, f->how->how != FLAGS_REMOVE, &mask));
	f->rule = rule_of(f, mask);
	f->modified_n = 0;
	f->work = w;
	const struct place p = work_place(w, f->id);
	for (size_t i = 0; i < f->runs_n; i++)
		TRY(list_change(&p, &f->runs[i], &(struct list_change){change, f}));
	return OK;
}

/* Messages that stand together in the view are alone between their uids in the database too. */
static void find_runs(const struct view *v, const struct uids *which, struct flagging *f)
{
	for (size_t i = 0; i < which->n;) {
		size_t n = view_together(v, &(struct uids){which->v + i, which->n - i});
		f->runs[f->runs_n++] = (struct uid_run){which->v[i], which->v[i + n - 1]};
		i += n;
	}
}

static result prepare(const struct view *v, const struct uids *which, arena *m, struct flagging *f)
{
	size_t room = which->n ? which->n : 1;
	f->modified = arena_array(m, room, sizeof *f->modified);
	f->runs = arena_array(m, room, sizeof *f->runs);
	TRY(arena_result(m));
	find_runs(v, which, f);
	return OK;
}

result message_flags(struct view *v, const struct uids *which, const struct flag_change *how, arena *m,
	struct uids *modified)
{
	TRY(view_may(v, OP_FLAGS, true));
	struct flagging f = {.id = v->box->row.id, .how = how};
	TRY(prepare(v, which, m, &f));
	struct work w = work_new(v->actor.store, flags_body, &f);
	w.effects.origin = v->tag;
	w.brief = which->n <= STORE_BRIEF_ROWS;
	w.frees = how->how != FLAGS_REMOVE && how->flags.system & STORE_DELETED; /* EXPUNGE comes next */
	TRY(work_do(&w));
	*modified = (struct uids){f.modified, f.modified_n};
	return OK;
}
