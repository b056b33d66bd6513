#include "account/store/core.h"
#include "account/store/message.h"

struct flagging {
	uint64_t box;
	const struct flag_change *how;
	struct uid_run *runs;
	size_t runs_n;
	uint32_t *modified; /* room for all of them */
	size_t modified_n;
};

/* What becomes of flags here. */
static struct flag_rule rule_of(const struct flagging *f, uint64_t mask)
{
	struct flag_rule rule = {.keep = f->how->how == FLAGS_REPLACE ? 0 : UINT64_MAX, .latest = INT64_MAX};
	if (f->how->how == FLAGS_REMOVE)
		rule.keep = ~mask;
	else
		rule.set = mask;
	if (f->how->conditional && f->how->unchanged_since < (uint64_t)INT64_MAX)
		rule.latest = (int64_t)f->how->unchanged_since;
	return rule;
}

/* Counts and notes what the statement behind it will do to the row. */
static result note(struct work *w, struct flagging *f, struct box_row *box, const struct flag_rule *rule,
	struct row *row)
{
	uint64_t flags = (row->flags & rule->keep) | rule->set;
	if (row->modseq > (uint64_t)rule->latest) {
		f->modified[f->modified_n++] = row->uid;
		return OK;
	}
	if (flags == row->flags)
		return OK;
	work_count_flags(box, row->flags, row->size, -1);
	work_count_flags(box, flags, row->size, 1);
	row->flags = flags;
	row->modseq = box->modseq = work_modseq(w);
	return effect_message(&w->effects, box->id, row, false);
}

static result one_run(struct work *w, struct flagging *f, struct box_row *box, struct flag_rule *rule,
	const struct uid_run *run)
{
	struct query AUTO_QUERY *q = NULL;
	size_t before = w->effects.n;
	struct row row;
	bool more;
	TRY(message_scan(w->db, box->id, run, &q));
	for (;;) {
		TRY(message_next(q, &row, &more));
		if (!more)
			break;
		TRY(note(w, f, box, rule, &row));
	}
	if (w->effects.n == before)
		return OK;
	rule->modseq = work_modseq(w);
	return message_put_flags(w->db, box->id, run, rule);
}

static result flags_body(struct work *w, void *arg)
{
	struct flagging *f = arg;
	struct box_row *box;
	uint64_t mask;
	f->modified_n = 0;
	TRY(work_box(w, f->box, &box));
	TRY(work_flags(w, box, &f->how->flags, f->how->how != FLAGS_REMOVE, &mask));
	struct flag_rule rule = rule_of(f, mask);
	for (size_t i = 0; i < f->runs_n; i++)
		TRY(one_run(w, f, box, &rule, &f->runs[i]));
	return OK;
}

/* Messages that stand together in the view are alone between their uids in the database too. */
static result find_runs(const struct view *v, const struct uids *which, arena *m, struct flagging *f)
{
	f->runs = arena_array(m, which->n ? which->n : 1, sizeof *f->runs);
	if (!f->runs)
		return arena_result(m);
	for (size_t i = 0; i < which->n;) {
		size_t n = view_together(v, &(struct uids){which->v + i, which->n - i});
		f->runs[f->runs_n++] = (struct uid_run){which->v[i], which->v[i + n - 1]};
		i += n;
	}
	return OK;
}

result message_flags(struct view *v, const struct uids *which, const struct flag_change *how, arena *m,
	struct uids *modified)
{
	TRY(view_may(v, OP_FLAGS, true));
	struct flagging f = {.box = v->box->row.id, .how = how};
	f.modified = arena_array(m, which->n ? which->n : 1, sizeof *f.modified);
	if (!f.modified)
		return arena_result(m);
	TRY(find_runs(v, which, m, &f));
	struct work w = work_new(v->actor.store, flags_body, &f);
	w.effects.origin = v->tag;
	w.frees = how->how != FLAGS_REMOVE && how->flags.system & STORE_DELETED; /* EXPUNGE comes next */
	TRY(work_do(&w));
	*modified = (struct uids){f.modified, f.modified_n};
	return OK;
}
