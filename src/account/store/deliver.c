#include "account/store/content.h"
#include "base/mem.h"

/* Letters on their way into mailboxes: all of one call or none. */
struct batch {
	const struct append_item *items;
	struct prepared *prepared;
	size_t n;
	struct store *store;
	bool unused; /* for certain no row names the letters' body files */
};

static result prepare_run(struct db *db, void *arg)
{
	struct batch *b = arg;
	(void)db;
	for (size_t i = 0; i < b->n; i++)
		if (content_is_large(b->items[i].letter))
			TRY(content_prepare(b->store, b->items[i].letter, &b->prepared[i]));
	return OK;
}

static result discard_run(struct db *db, void *arg)
{
	struct batch *b = arg;
	result first = OK;
	(void)db;
	for (size_t i = 0; i < b->n; i++) {
		result r = content_forget(b->store, &b->prepared[i]);
		if (!failed(first))
			first = r;
	}
	return first;
}

static bool any_large(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (content_is_large(b->items[i].letter))
			return true;
	return false;
}

static result check_letter(const struct letter *l)
{
	if (l->body.n > STORE_BODY_MAX || l->trace.n > STORE_HEAD_MAX)
		return failure(FAIL_LIMIT, "the message is larger than this server keeps");
	must(l->header_size <= l->body.n);
	return OK;
}

static result check_letters(const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		TRY(check_letter(b->items[i].letter));
	return OK;
}

/* Body files first, then the transaction. When the disk fails a commit nobody
 * knows whether it holds after all: then the files stay for a sweep. So does
 * one that was not written to its end, or that the disk does not let go. */
static result keep_large(struct batch *b, struct work *w)
{
	struct store *s = b->store;
	s->preparing++;
	b->unused = true;
	result r = store_read(s, prepare_run, NULL, b);
	s->sweep_due |= failed(r);
	if (!failed(r))
		r = work_do(w);
	if (b->unused)
		s->sweep_due |= failed(store_read(s, discard_run, NULL, b));
	else
		s->sweep_due |= failed(r);
	s->preparing--;
	return r;
}

static bool is_brief(const struct batch *b)
{
	uint64_t octets = 0;
	for (size_t i = 0; i < b->n; i++)
		octets += b->items[i].letter->body.n;
	return octets <= STORE_BRIEF_MAX;
}

static uint64_t to_database(const struct letter *l)
{
	uint64_t made = l->envelope.n + l->structure.n + l->basic.n + l->parts.n + l->search.n;
	return ROOM_PER_MESSAGE + made + (content_is_large(l) ? 0 : l->trace.n + l->body.n);
}

static result keep_batch(struct batch *b, struct work *w)
{
	TRY(check_letters(b));
	w->brief = is_brief(b);
	for (size_t i = 0; i < b->n; i++)
		w->adds += to_database(b->items[i].letter);
	b->prepared = mem_array(b->n, sizeof *b->prepared);
	if (!b->prepared)
		return failure(FAIL_MEMORY, "out of memory");
	result r = any_large(b) ? keep_large(b, w) : work_do(w);
	for (size_t i = 0; i < b->n; i++)
		prepared_free(&b->prepared[i]);
	mem_free(b->prepared);
	return r;
}

static uint64_t size_of(const struct letter *l)
{
	return l->trace.n + l->body.n;
}

result work_put_item(struct work *w, struct box_row *box, const struct append_item *item, const struct prepared *p)
{
	struct entry e = {.row.size = (uint32_t)size_of(item->letter), .dates = {item->date, w->now, item->minutes}};
	TRY(work_stay_unlisted(w, box));
	TRY(work_flags(w, box, &item->flags, true, &e.row.flags));
	e.row.content = content_number(w, item->delivery);
	if (!w->unlisted) {
		TRY(content_put(w, item, p, NULL));
		return work_add_message(w, box, &e.row, &e.dates);
	}
	TRY(work_add_unlisted(w, box, &e));
	return content_put(w, item, p, &(struct unlisted_one){box->id, e});
}

/* ---- deliver ---- */

struct delivery {
	struct batch batch;
	const struct incoming *what;
	str mailbox;
	bool duplicate;
};

static result keep_mark(struct db *db, const struct arrivals_mark *m)
{
	return db_run(db,
		"INSERT INTO arrivals(id,file,upto) VALUES(1,?1,?2) ON CONFLICT(id) DO UPDATE SET file=?1,upto=?2",
		DB_BLOB(str_of((const char *)m->file, sizeof m->file)), DB_INT(m->upto));
}

static result read_mark(struct db *db, void *arg)
{
	struct arrivals_mark *m = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	*m = (struct arrivals_mark){.upto = 0};
	TRY(db_ask(db, &q, "SELECT file,upto FROM arrivals"));
	TRY(query_next(q, &row));
	if (!row || query_bytes(q, 0).n != sizeof m->file)
		return OK;
	memcpy(m->file, query_bytes(q, 0).p, sizeof m->file);
	m->upto = (uint64_t)query_int(q, 1);
	return OK;
}

result message_mark(const struct actor *a, struct arrivals_mark *out)
{
	TRY(store_may(a, OP_DELIVER));
	return store_read(a->store, read_mark, NULL, out);
}

static result deliver_body(struct work *w, void *arg)
{
	struct delivery *d = arg;
	struct box_row *box;
	d->batch.unused = true;
	TRY(delivered_before(w, &d->what->delivery, &d->duplicate));
	if (d->what->mark)
		TRY(keep_mark(w->db, d->what->mark));
	if (d->duplicate)
		return OK;
	result r = work_find(w, d->mailbox, &box);
	if (r.kind == FAIL_ABSENT)
		r = work_find(w, STR("INBOX"), &box);
	TRY(r);
	TRY(work_put_item(w, box, d->batch.items, d->batch.prepared));
	d->batch.unused = false;
	return OK;
}

struct merging {
	const struct incoming *what;
	size_t n;
	bool *duplicate;
};

static result merge_body(struct work *w, void *arg)
{
	const struct merging *m = arg;
	static const struct prepared none;
	struct box_row *box;
	TRY(work_find(w, STR("INBOX"), &box));
	for (size_t i = 0; i < m->n; i++) {
		const struct incoming *in = &m->what[i];
		const struct append_item item = {in->letter, in->flags, in->received, 0, &in->delivery};
		TRY(delivered_before(w, &in->delivery, &m->duplicate[i]));
		if (!m->duplicate[i])
			TRY(work_put_item(w, box, &item, &none));
	}
	return keep_mark(w->db, m->what[m->n - 1].mark);
}

result message_merge(const struct actor *a, const struct incoming *what, size_t n, bool *duplicate)
{
	struct merging m = {what, n, duplicate};
	TRY(store_may(a, OP_DELIVER));
	for (size_t i = 0; i < n; i++) {
		must(what[i].letter->body.n <= STORE_BRIEF_MAX);
		TRY(check_letter(what[i].letter));
	}
	struct work w = work_new(a->store, merge_body, &m);
	for (size_t i = 0; i < n; i++)
		w.adds += to_database(what[i].letter);
	return work_do(&w);
}

static uint64_t headroom(const struct store *s)
{
	uint64_t octets = s->account.octets + s->kept.octets, quota = s->account.quota;
	if (!quota)
		return UINT64_MAX;
	return octets < quota ? quota - octets : 0;
}

result message_deliver(const struct actor *a, const struct incoming *what, struct arrived *out)
{
	TRY(store_may(a, OP_DELIVER));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2 + 64);
	struct append_item item = {what->letter, what->flags, what->received, 0, &what->delivery};
	if (kept_may(a->store, what) && !failed(check_letter(what->letter)) && !failed(kept_deliver(a->store, what))) {
		*out = (struct arrived){.headroom = headroom(a->store)};
		return OK;
	}
	struct delivery d = {.batch = {.items = &item, .n = 1, .store = a->store}, .what = what};
	if (what->mailbox.n == 0 || failed(mailbox_name(&m, what->mailbox, &d.mailbox)))
		d.mailbox = STR("INBOX");
	struct work w = work_new(a->store, deliver_body, &d);
	w.one_new = true;
	TRY(keep_batch(&d.batch, &w));
	out->duplicate = d.duplicate;
	out->headroom = headroom(a->store);
	return OK;
}

result store_may_take(const struct actor *a, uint64_t size, uint64_t *out)
{
	TRY(store_may(a, OP_MAY_TAKE));
	uint64_t left = headroom(a->store), quota = a->store->account.quota;
	if (quota && size > quota)
		return failure(FAIL_LIMIT, "the message is larger than the mailbox's quota");
	if (size > left || left == 0)
		return failure(FAIL_FULL, "the mailbox is over its quota");
	*out = left;
	return OK;
}

/* ---- append ---- */

struct appending {
	struct batch batch;
	str mailbox;
	struct appended done;
};

static result append_body(struct work *w, void *arg)
{
	struct appending *a = arg;
	struct box_row *box;
	uint64_t octets = 0;
	a->batch.unused = true;
	for (size_t i = 0; i < a->batch.n; i++)
		octets += size_of(a->batch.items[i].letter);
	TRY(work_find(w, a->mailbox, &box));
	TRY(work_room(w, octets));
	a->done = (struct appended){box->uidvalidity, box->uidnext};
	for (size_t i = 0; i < a->batch.n; i++)
		TRY(work_put_item(w, box, &a->batch.items[i], &a->batch.prepared[i]));
	a->batch.unused = false;
	return OK;
}

result message_append(const struct actor *a, const struct append *what, struct appended *out)
{
	TRY(store_may(a, OP_APPEND));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2 + 64);
	struct appending job = {.batch = {.items = what->items, .n = what->n, .store = a->store}};
	if (what->n == 0 || what->n > STORE_APPEND_MAX)
		return failure(FAIL_LIMIT, "too many messages in one APPEND");
	TRY(mailbox_name(&m, what->mailbox, &job.mailbox));
	struct work w = work_new(a->store, append_body, &job);
	TRY(keep_batch(&job.batch, &w));
	*out = job.done;
	return OK;
}
