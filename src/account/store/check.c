#include "account/store/check.h"
#include "account/store/check_parts.h"

void check_say(struct checking *c, bool mended, const char *format, ...)
{
	struct findings *f = &c->found;
	char text[300];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
	str sentence = f->n < STORE_FINDINGS_MAX ? arena_dup(c->m, str_of(text, length)) : (str){0};
	if (sentence.p)
		f->v[f->n++] = (struct finding){sentence, mended};
	else
		f->more++;
}

/* ---- what a mailbox counts ---- */

struct counts {
	uint32_t messages, unseen, deleted;
	uint32_t top; /* the highest uid there ever was, that is known of */
	uint64_t octets, deleted_octets, modseq, flags;
};

static result count_messages(struct checking *c, uint64_t box, struct counts *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT uid,size,flags,modseq FROM message WHERE mailbox=?1", DB_INT(box)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		uint64_t size = (uint64_t)query_int(q, 1), flags = (uint64_t)query_int(q, 2);
		uint64_t modseq = (uint64_t)query_int(q, 3);
		out->top = (uint32_t)query_int(q, 0);
		out->messages++;
		out->octets += size;
		out->unseen += !(flags & STORE_SEEN);
		out->deleted += !!(flags & STORE_DELETED);
		out->deleted_octets += flags & STORE_DELETED ? size : 0;
		out->flags |= flags;
		if (modseq > out->modseq)
			out->modseq = modseq;
	}
}

static result count_vanished(struct checking *c, uint64_t box, struct counts *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT ifnull(max(last),0),ifnull(max(modseq),0) FROM vanished WHERE mailbox=?1",
		DB_INT(box)));
	TRY(query_next(q, &row));
	uint32_t last = (uint32_t)query_int(q, 0);
	uint64_t modseq = (uint64_t)query_int(q, 1);
	out->top = last > out->top ? last : out->top;
	out->modseq = modseq > out->modseq ? modseq : out->modseq;
	return OK;
}

static bool same_counts(const struct box_row *b, const struct counts *k)
{
	return b->messages == k->messages && b->unseen == k->unseen && b->deleted == k->deleted &&
		b->octets == k->octets && b->deleted_octets == k->deleted_octets;
}

static void mend_numbers(struct checking *c, struct box_row *b, const struct counts *k, const char *name)
{
	if (!same_counts(b, k)) {
		check_say(c, c->mend, "Mailbox %s counts %u messages of %llu octets, it holds %u of %llu.", name,
			b->messages, (unsigned long long)b->octets, k->messages, (unsigned long long)k->octets);
		b->messages = k->messages;
		b->unseen = k->unseen;
		b->deleted = k->deleted;
		b->octets = k->octets;
		b->deleted_octets = k->deleted_octets;
	}
	if (b->uidnext <= k->top) {
		check_say(c, c->mend, "Mailbox %s would give UID %u out again.", name, b->uidnext);
		b->uidnext = k->top == UINT32_MAX ? k->top : k->top + 1;
	}
	if (k->modseq > b->modseq) {
		check_say(c, c->mend, "Mailbox %s has a change newer than its highest modification sequence.", name);
		b->modseq = k->modseq;
	}
	if (b->recent == 0 || b->recent > b->uidnext) {
		check_say(c, c->mend, "Mailbox %s does not know which messages are new.", name);
		b->recent = b->uidnext;
	}
}

static void mend_account(struct checking *c, const struct box_row *b, const char *name)
{
	struct account_row *a = &c->w->account;
	if (b->modseq > a->modseq) {
		check_say(c, c->mend, "Mailbox %s is ahead of the account's modification sequence.", name);
		a->modseq = c->mend ? b->modseq : a->modseq;
	}
	if (b->uidvalidity > a->uidvalidity) {
		check_say(c, c->mend, "Mailbox %s has a UIDVALIDITY the account has not given out yet.", name);
		a->uidvalidity = c->mend ? b->uidvalidity : a->uidvalidity;
	}
}

static result check_box(struct checking *c, const struct box_row *row, str box, const char *name)
{
	struct box_row b = *row;
	struct counts k = {0};
	TRY(count_messages(c, b.id, &k));
	TRY(count_vanished(c, b.id, &k));
	mend_numbers(c, &b, &k, name);
	mend_account(c, &b, name);
	TRY(check_former(c, &b, box, name));
	bool wrong = memcmp(&b, row, sizeof b) != 0;
	TRY(check_keywords(c, &b, k.flags, name));
	c->messages += k.messages;
	c->octets += k.octets;
	if (c->mend && wrong) {
		TRY(box_put(c->w->db, &b));
		TRY(effect_box(&c->w->effects, BOX_COUNTED, &b, STR("")));
	}
	return check_vanished(c, &b, name);
}

/* The other names are their owner's business alone. */
static str label(uint64_t id, str name, buf *out)
{
	buf_clear(out);
	if (str_eq(name, STR("INBOX")))
		buf_put(out, name);
	else
		buf_printf(out, "number %llu", (unsigned long long)id);
	buf_putc(out, 0);
	return buf_str(out);
}

static result check_boxes(struct checking *c)
{
	struct query AUTO_QUERY *q = NULL;
	AUTO_BUF buf name = buf_new(64);
	bool row;
	TRY(db_ask(c->w->db, &q, "SELECT " BOX_COLUMNS " ORDER BY m.id"));
	for (;;) {
		struct box_row b;
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		box_from_query(q, &b);
		unlisted_count_in_box(&c->w->store->lists.unlisted, &b);
		str box = query_bytes(q, BOX_NAME), shown = label(b.id, box, &name);
		TRY(buf_result(&name));
		TRY(check_box(c, &b, box, shown.p));
	}
}

static void check_usage(struct checking *c)
{
	struct account_row *a = &c->w->account;
	if (a->messages == c->messages && a->octets == c->octets)
		return;
	check_say(c, c->mend, "The account counts %llu messages of %llu octets, it holds %llu of %llu.",
		(unsigned long long)a->messages, (unsigned long long)a->octets, (unsigned long long)c->messages,
		(unsigned long long)c->octets);
	if (!c->mend)
		return;
	a->messages = c->messages;
	a->octets = c->octets;
}

/* ---- the lists ---- */

/* All lists as rows, for the questions that go over the whole account. */
static result take_message(void *ctx, uint64_t box, const struct entry *e)
{
	const struct checking *c = ctx;
	const struct row *r = &e->row;
	return db_run(c->w->db, "INSERT INTO temp.message VALUES(?1,?2,?3,?4,?5,?6)", DB_INT(box), DB_INT(r->uid),
		DB_INT(r->size), DB_INT(r->content), DB_INT(r->flags), DB_INT(r->modseq));
}

static result tell_damaged(void *ctx, uint64_t box, uint32_t uid)
{
	struct checking *c = ctx;
	c->mend = false;
	check_say(c, false,
		"The list of mailbox number %llu is damaged from UID %u on; restore it. Nothing is mended meanwhile.",
		(unsigned long long)box, uid);
	return OK;
}

/* What a damaged chunk named would seem to be nobody's, and be dropped. */
static result check_lists(struct checking *c)
{
	TRY(db_exec(c->w->db,
		"CREATE TEMP TABLE message(mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, size INTEGER NOT NULL,"
		" content INTEGER NOT NULL, flags INTEGER NOT NULL, modseq INTEGER NOT NULL, PRIMARY KEY(mailbox, uid))"
		" STRICT, WITHOUT ROWID"));
	return list_read_all(&c->w->store->lists, c->w->db, &(struct list_reader){take_message, tell_damaged, c});
}

/* Mending wants them in their lists; who only looks counts them in as they are, and needs no room for that. */
static result settle(struct checking *c)
{
	struct lists *l = &c->w->store->lists;
	if (!c->mend)
		return OK;
	TRY(db_part_begin(c->w->db));
	result r = unlisted_settle(l, c->w->db);
	if (!failed(r)) {
		TRY(db_part_keep(c->w->db));
		return known_account(c->w); /* after damage there may have been more than memory holds */
	}
	db_part_undo(c->w->db);
	if (r.kind != FAIL_DAMAGE)
		return r;
	c->mend = false;
	check_say(c, false, "The newest messages cannot be brought into their lists: %s.", r.text);
	return lists_begin(l, c->w->db);
}

static result check_body(struct work *w, void *arg)
{
	struct checking *c = arg;
	c->w = w;
	c->mend = c->may_mend;
	c->found.n = 0;
	c->found.more = 0;
	c->messages = c->octets = 0;
	result r = db_check(w->db);
	if (r.kind == FAIL_DAMAGE)
		check_say(c, false, "%s", r.text);
	else
		TRY(r);
	TRY(settle(c));
	TRY(check_lists(c));
	TRY(check_strays(c));
	TRY(check_sizes(c));
	TRY(check_boxes(c));
	check_usage(c);
	TRY(check_contents(c));
	return db_exec(w->db, "DROP TABLE temp.message");
}

result store_check(const struct actor *a, bool mend, arena *m, struct findings *out)
{
	TRY(store_may(a, OP_CHECK));
	TRY(store_catch_up(a->store));
	struct checking c = {.m = m, .may_mend = mend};
	c.found.v = arena_array(m, STORE_FINDINGS_MAX, sizeof *c.found.v);
	if (!c.found.v)
		return arena_result(m);
	struct work w = work_new(a->store, check_body, &c);
	w.looks = true;
	TRY(work_do(&w));
	TRY(check_bodies(&c, a->store));
	*out = c.found;
	return OK;
}
