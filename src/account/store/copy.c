#include "account/store/core.h"
#include "account/store/message.h"
#include "base/mem.h"
#include "grammar/imap/imap_flags.h"
#include "run/effort.h"

struct copying {
	uint64_t from;
	const struct uids *which;
	str to;
	struct box_row *source, *target; /* while the work runs */
	bool move, whole;
	uint64_t bits_from[64]; /* by bit of the source: its mask in the target */
	bool bits_known[64];
	struct copied done;     /* room for all of `which` */
};

/* The name of a source's keyword; empty when there is none. */
static result keyword_name(struct work *w, uint64_t box, unsigned bit, arena *m, str *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(w->db, &q, "SELECT name FROM keyword WHERE mailbox=?1 AND bit=?2", DB_INT(box), DB_INT(bit)));
	TRY(query_next(q, &row));
	*out = row ? arena_dup(m, query_bytes(q, 0)) : STR("");
	return arena_result(m);
}

/* A target whose keywords are used up takes the message without them. */
static result map_bit(struct work *w, struct copying *c, unsigned bit)
{
	AUTO_ARENA arena m = arena_new(STORE_KEYWORD_MAX + 64);
	str name;
	unsigned got = 0;
	TRY(keyword_name(w, c->from, bit, &m, &name));
	if (name.n) {
		result r = work_keyword(w, c->target, name, true, &got);
		if (failed(r) && r.kind != FAIL_LIMIT)
			return r;
		if (failed(r))
			got = 0;
	}
	c->bits_from[bit] = got ? UINT64_C(1) << got : 0;
	c->bits_known[bit] = true;
	return OK;
}

static result map_flags(struct work *w, struct copying *c, uint64_t *flags)
{
	uint64_t out = *flags & STORE_SYSTEM;
	for (unsigned bit = STORE_KEYWORD_BIT; bit < 64; bit++) {
		if (!(*flags >> bit & 1))
			continue;
		if (!c->bits_known[bit])
			TRY(map_bit(w, c, bit));
		out |= c->bits_from[bit];
	}
	*flags = out;
	return OK;
}

static result copy_one(struct work *w, struct copying *c, uint32_t uid)
{
	struct entry e;
	const struct place from = work_place(w, c->from);
	TRY(effort_check());
	result r = list_get(&from, uid, &e);
	if (r.kind == FAIL_ABSENT)
		return c->whole ? failure(FAIL_CONFLICT, "some of these messages were removed by another session") : OK;
	TRY(r);
	struct row fresh = e.row;
	e.dates.saved = w->now;
	if (c->source != c->target)
		TRY(map_flags(w, c, &fresh.flags));
	TRY(c->move ? work_drop_message(w, c->source, &e.row) : work_room(w, e.row.size));
	if (!c->move)
		TRY(work_share(w, e.row.content));
	TRY(work_add_message(w, c->target, &fresh, &e.dates));
	c->done.from[c->done.n] = uid;
	c->done.to[c->done.n++] = fresh.uid;
	return OK;
}

static result copy_all(struct work *w, struct copying *c)
{
	c->done.n = 0;
	c->done.uidvalidity = c->target->uidvalidity;
	memset(c->bits_known, 0, sizeof c->bits_known);
	for (size_t i = 0; i < c->which->n; i++)
		TRY(copy_one(w, c, c->which->v[i]));
	return c->move && c->done.n ? work_vanish(w, c->source, c->done.from, c->done.n) : OK;
}

static result copy_body(struct work *w, void *arg)
{
	struct copying *c = arg;
	TRY(work_box(w, c->from, &c->source));
	TRY(work_find(w, c->to, &c->target));
	return copy_all(w, c);
}

struct uid_list {
	uint32_t *v;
	size_t n, room;
};

static result take_uid(void *ctx, uint64_t box, const struct entry *e)
{
	struct uid_list *l = ctx;
	(void)box;
	if (l->n < l->room)
		l->v[l->n++] = e->row.uid;
	return OK;
}

static result list_uids(struct work *w, uint64_t box, uint32_t *v, size_t n)
{
	struct uid_list l = {v, 0, n};
	const struct place p = work_place(w, box);
	TRY(list_read(&p, &(struct list_reader){.take = take_uid, .ctx = &l}));
	if (l.n < n)
		return failure(FAIL_DAMAGE, "a mailbox counts more messages than it holds; check the account");
	return OK;
}

result work_move_all(struct work *w, struct box_row *from, struct box_row *to)
{
	if (from->messages == 0)
		return OK;
	uint32_t AUTO_MEM *v = mem_array(from->messages, 3 * sizeof *v);
	if (!v)
		return failure(FAIL_MEMORY, "out of memory");
	struct uids all = {v, from->messages};
	struct copying c = {.from = from->id, .which = &all, .source = from, .target = to, .move = true};
	c.done.from = v + all.n;
	c.done.to = v + 2 * all.n;
	TRY(list_uids(w, from->id, v, all.n));
	return copy_all(w, &c);
}

/* That is how mail programs delete. */
static bool is_to_trash(const struct view *v, const struct copying *c)
{
	struct mbox *to;
	return c->move && !failed(find_box(&v->actor, c->to, &to)) && (to->row.use & IMAP_USE_TRASH);
}

static result copy_them(struct view *v, struct copying *c, arena *m, struct copied *out)
{
	size_t room = c->which->n ? c->which->n : 1;
	c->from = v->box->row.id;
	TRY(mailbox_name(m, c->to, &c->to));
	c->done.from = arena_array(m, room, sizeof *c->done.from);
	c->done.to = arena_array(m, room, sizeof *c->done.to);
	TRY(arena_result(m));
	struct work w = work_new(v->actor.store, copy_body, c);
	w.effects.origin = v->tag;
	w.frees = is_to_trash(v, c);
	TRY(work_do(&w));
	*out = c->done;
	return OK;
}

result message_copy(struct view *v, const struct copy_order *what, arena *m, struct copied *out)
{
	TRY(view_may(v, OP_COPY, false));
	struct copying c = {.which = what->which, .to = what->to, .whole = what->whole};
	return copy_them(v, &c, m, out);
}

result message_move(struct view *v, const struct copy_order *what, arena *m, struct copied *out)
{
	TRY(view_may(v, OP_MOVE, true));
	struct copying c = {.which = what->which, .to = what->to, .move = true, .whole = what->whole};
	return copy_them(v, &c, m, out);
}
