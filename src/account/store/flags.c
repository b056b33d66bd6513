#include "account/store/core.h"
#include "account/store/message.h"
#include "run/effort.h"

enum { KNOWN_MAX = 64 * 1024 }; /* rows copied for one change: 2 MiB of a command's memory */

struct flagging {
	uint64_t id; /* the mailbox's */
	const struct flag_change *how;
	struct uid_run *runs;
	size_t runs_n;
	struct row *rows; /* of the runs, as memory had them when the mailbox stood at `modseq` */
	size_t rows_n;
	uint64_t modseq;
	bool known; /* the rows were copied */
	uint32_t *modified; /* room for all of them */
	size_t modified_n;
	/* While the work runs: */
	struct box_row *box;
	struct flag_rule rule;
	size_t at; /* in rows */
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
static result note(struct work *w, struct flagging *f, struct row row)
{
	uint64_t flags = (row.flags & f->rule.keep) | f->rule.set;
	TRY(effort_check());
	if (row.modseq > (uint64_t)f->rule.latest) {
		f->modified[f->modified_n++] = row.uid;
		return OK;
	}
	if (flags == row.flags)
		return OK;
	work_count_flags(f->box, row.flags, row.size, -1);
	work_count_flags(f->box, flags, row.size, 1);
	row.flags = flags;
	row.modseq = f->box->modseq = work_modseq(w);
	return effect_message(&w->effects, f->id, &row, false);
}

static result note_scanned(struct work *w, struct flagging *f, const struct uid_run *run)
{
	struct query AUTO_QUERY *q = NULL;
	struct row row;
	bool more;
	TRY(message_scan(w->db, f->id, run, &q));
	for (;;) {
		TRY(message_next(q, &row, &more));
		if (!more)
			return OK;
		TRY(note(w, f, row));
	}
}

static result note_known(struct work *w, struct flagging *f, const struct uid_run *run)
{
	for (; f->at < f->rows_n && f->rows[f->at].uid <= run->last; f->at++)
		TRY(note(w, f, f->rows[f->at]));
	return OK;
}

static result one_run(struct work *w, struct flagging *f, const struct uid_run *run, bool known)
{
	size_t before = w->effects.n;
	TRY(known ? note_known(w, f, run) : note_scanned(w, f, run));
	if (w->effects.n == before)
		return OK;
	f->rule.modseq = work_modseq(w);
	return message_put_flags(w->db, f->id, run, &f->rule);
}

/* What memory had is what the database has while the mailbox's modseq is the
 * same: then a thousand rows need not be read to be changed. */
static result flags_body(struct work *w, void *arg)
{
	struct flagging *f = arg;
	uint64_t mask;
	TRY(work_box(w, f->id, &f->box));
	TRY(work_flags(w, f->box, &f->how->flags, f->how->how != FLAGS_REMOVE, &mask));
	bool known = f->known && f->box->modseq == f->modseq;
	f->rule = rule_of(f, mask);
	f->modified_n = f->at = 0;
	for (size_t i = 0; i < f->runs_n; i++)
		TRY(one_run(w, f, &f->runs[i], known));
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

static void copy_rows(const struct view *v, struct flagging *f)
{
	const struct loaded *l = v->box->loaded;
	for (size_t i = 0; i < f->runs_n; i++) {
		const struct uid_run *run = &f->runs[i];
		for (size_t k = loaded_from(l, run->first); k < l->n && l->v[k].uid <= run->last; k++)
			f->rows[f->rows_n++] = l->v[k];
	}
	f->known = true;
	f->modseq = v->box->row.modseq;
}

static result prepare(const struct view *v, const struct uids *which, arena *m, struct flagging *f)
{
	size_t room = which->n ? which->n : 1;
	f->modified = arena_array(m, room, sizeof *f->modified);
	f->runs = arena_array(m, room, sizeof *f->runs);
	if (room <= KNOWN_MAX)
		f->rows = arena_array(m, room, sizeof *f->rows);
	TRY(arena_result(m));
	find_runs(v, which, f);
	if (f->rows)
		copy_rows(v, f);
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
