#include "account/store/kept.h"

#include "account/store/content.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "engine/kept_log.h"
#include "run/clock.h"

enum { FORM = 1, UIDS_LEFT = 1 << 20 };

/* ---- a record: the form (1 octet), the delivery, when it was received and kept, the size of the header, texts ---- */

enum { TEXTS = 7, HEAD = 1 + sizeof(trace_id) + 3 * 8, TEXT_HEAD = 8 };

static void texts_of(struct letter *l, str *out[TEXTS])
{
	str *const all[TEXTS] = {&l->trace, &l->body, &l->envelope, &l->structure, &l->basic, &l->parts, &l->search};
	memcpy(out, all, sizeof all);
}

static void put_u64(buf *b, uint64_t v)
{
	unsigned char octets[8];
	box_put_u64(octets, v);
	buf_put(b, str_of((const char *)octets, sizeof octets));
}

static void put_letter(buf *b, const struct incoming *what)
{
	struct letter l = *what->letter;
	str *texts[TEXTS];
	size_t octets = HEAD;
	texts_of(&l, texts);
	for (size_t i = 0; i < TEXTS; i++)
		octets += TEXT_HEAD + texts[i]->n;
	if (!buf_reserve(b, octets))
		return; /* b tells */
	buf_putc(b, FORM);
	buf_put(b, str_of((const char *)what->delivery.b, sizeof what->delivery.b));
	put_u64(b, (uint64_t)what->received);
	put_u64(b, (uint64_t)clock_wall_s());
	put_u64(b, l.header_size);
	for (size_t i = 0; i < TEXTS; i++) {
		put_u64(b, texts[i]->n);
		buf_put(b, *texts[i]);
	}
}

struct kept_form {
	trace_id delivery;
	int64_t received, kept;
	struct letter letter; /* views of the record */
};

static bool get_letter(cursor *c, struct kept_form *out)
{
	str *texts[TEXTS];
	bool known = cursor_u8(c) == FORM;
	str id = cursor_take(c, sizeof out->delivery.b);
	if (!known || c->bad)
		return false;
	memcpy(out->delivery.b, id.p, id.n);
	out->received = (int64_t)cursor_u64(c);
	out->kept = (int64_t)cursor_u64(c);
	out->letter.header_size = cursor_u64(c);
	texts_of(&out->letter, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		uint64_t n = cursor_u64(c);
		*texts[i] = n <= cursor_left(c) ? cursor_take(c, n) : (c->bad = true, STR(""));
	}
	return !c->bad && out->letter.header_size <= out->letter.body.n;
}

/* ---- the list ---- */

void kept_init(struct kept_letters *l)
{
	*l = (struct kept_letters){.end = &l->first};
	list_init(&l->under_way);
}

static void letter_free(struct kept_letter *k)
{
	if (!k)
		return;
	buf_free(&k->record);
	mem_free(k);
}

static void forget(struct kept_letters *l)
{
	for (struct kept_letter *k = l->first, *next; k; k = next) {
		next = k->next;
		letter_free(k);
	}
	l->first = NULL;
	l->end = &l->first;
	l->n = 0;
	memset(l->by_delivery, 0, sizeof l->by_delivery);
}

void kept_free(struct kept_letters *l)
{
	forget(l);
}

static void look_at(struct kept_letters *l, const struct db *db)
{
	if (l->generation != db_kept_generation(db))
		forget(l);
	l->generation = db_kept_generation(db);
}

/* The end of an id is random. */
static size_t slot_of(const trace_id *id)
{
	return id->b[sizeof id->b - 1] % KEPT_SLOTS;
}

static void append(struct kept_letters *l, struct kept_letter *k)
{
	struct kept_letter **slot = &l->by_delivery[slot_of(&k->delivery)];
	*l->end = k;
	l->end = &k->next;
	k->next_in_slot = *slot;
	*slot = k;
	l->n++;
}

static struct kept_letter *letter_new(size_t max)
{
	struct kept_letter *k = mem_alloc(sizeof *k);
	if (k)
		k->record = buf_new(max);
	return k;
}

/* ---- at opening ---- */

static result load_one(struct store *s, str record, const struct kept_form *f)
{
	struct kept_letter *k = letter_new(record.n);
	if (!k)
		return failure(FAIL_MEMORY, "out of memory");
	k->delivery = f->delivery;
	k->size = f->letter.trace.n + f->letter.body.n;
	buf_put(&k->record, record);
	result r = buf_result(&k->record);
	if (failed(r)) {
		letter_free(k);
		return r;
	}
	append(&s->kept, k);
	s->kept.count++;
	s->kept.octets += k->size;
	return OK;
}

static result load_record(void *ctx, str record)
{
	cursor c = cursor_on(record);
	while (!cursor_done(&c)) {
		struct kept_form f;
		const char *from = c.p;
		if (!get_letter(&c, &f))
			return failure(FAIL_CONFLICT, "letters were kept by a newer version of Postern; "
						      "install that or a newer one");
		TRY(load_one(ctx, str_of(from, (size_t)(c.p - from)), &f));
	}
	return OK;
}

result kept_load(struct store *s, struct db *db)
{
	look_at(&s->kept, db);
	return db_kept_each(db, load_record, s);
}

/* ---- keeping ---- */

static bool has_uids(const struct store *s)
{
	const struct mbox *inbox = catalog_find(&s->catalog, STR("INBOX"));
	return inbox && inbox->row.uidnext < UINT32_MAX - UIDS_LEFT;
}

bool kept_may(const struct store *s, const struct incoming *what)
{
	const struct flag_names *f = &what->flags;
	uint64_t size = what->letter->trace.n + what->letter->body.n;
	bool inbox = what->mailbox.n == 0 || str_eq(what->mailbox, STR("INBOX"));
	bool plain = !what->mark && !f->system && !f->keywords_n && size <= KEPT_LETTER_MAX;
	return !s->kept.views && !s->kept.stuck && !s->kept.no_room && inbox && plain && has_uids(s);
}

struct keeping {
	struct list place; /* in under_way */
	struct store *store;
	trace_id delivery;
	struct kept_letter *letter; /* NULL: the list has it */
	uint64_t size;
};

static bool is_kept(const struct kept_letters *l, const trace_id *id)
{
	for (const struct kept_letter *k = l->by_delivery[slot_of(id)]; k; k = k->next_in_slot)
		if (memcmp(&k->delivery, id, sizeof *id) == 0)
			return true;
	return false;
}

static result keep_run(struct db *db, void *arg)
{
	struct keeping *k = arg;
	struct kept_letters *l = &k->store->kept;
	const trace_id *id = &k->letter->delivery;
	look_at(l, db);
	if (l->n >= KEPT_LETTERS || is_kept(l, id) || !delivered_is_new(&k->store->delivered, id))
		return failure(FAIL_LIMIT, "it has to be delivered with those that are kept");
	return OK;
}

static void keep_recorded(struct db *db, void *arg)
{
	struct keeping *k = arg;
	(void)db;
	append(&k->store->kept, k->letter);
	k->letter = NULL;
}

static void keep_kept(void *arg)
{
	const struct keeping *k = arg;
	k->store->kept.count++;
	k->store->kept.octets += k->size;
}

static result keep(struct keeping *k, const struct incoming *what)
{
	struct store *s = k->store;
	k->letter->delivery = what->delivery;
	k->letter->size = k->size;
	put_letter(&k->letter->record, what);
	TRY(buf_result(&k->letter->record));
	/* To look who else comes (`gathers`) costs more than what they could share. */
	const struct commit_job job = {.run = keep_run, .kept = keep_kept, .arg = k, .brief = true,
		.record = &k->letter->record, .recorded = keep_recorded};
	list_insert(&s->kept.under_way, &k->place);
	result r = committer_do(s->committer, &job);
	list_remove(&k->place);
	return r;
}

/* Twice at once: the second one is told that it was delivered before. */
static bool is_under_way(const struct store *s, const trace_id *id)
{
	LIST_EACH(node, &s->kept.under_way)
		if (memcmp(&LIST_OWNER(node, struct keeping, place)->delivery, id, sizeof *id) == 0)
			return true;
	return false;
}

result kept_deliver(struct store *s, const struct incoming *what)
{
	if (is_under_way(s, &what->delivery))
		return failure(FAIL_LIMIT, "it is being kept already");
	struct keeping k = {.store = s, .delivery = what->delivery, .letter = letter_new(KEPT_RECORD_MAX),
		.size = what->letter->trace.n + what->letter->body.n};
	if (!k.letter)
		return failure(FAIL_MEMORY, "out of memory");
	result r = keep(&k, what);
	letter_free(k.letter);
	return r;
}

/* ---- putting in ---- */

static result put_one(struct work *w, struct box_row *inbox, const struct kept_letter *k)
{
	static const struct prepared none;
	struct kept_form f;
	bool before;
	cursor c = cursor_on(buf_str(&k->record));
	must(get_letter(&c, &f));
	const struct append_item item = {&f.letter, {0}, f.received, 0, &f.delivery};
	TRY(delivered_before(w, &f.delivery, &before));
	if (before)
		return OK;
	w->now = f.kept;
	w->modseq = 0; /* each has its own */
	return work_put_item(w, inbox, &item, &none);
}

static result put_all(struct work *w)
{
	struct box_row *inbox;
	int64_t now = w->now;
	result r = work_find(w, STR("INBOX"), &inbox);
	for (const struct kept_letter *k = w->store->kept.first; k && !failed(r); k = k->next) {
		r = put_one(w, inbox, k);
		w->taken.count++;
		w->taken.octets += k->size;
	}
	w->now = now;
	if (!failed(r))
		r = work_write_back(w);
	if (!failed(r))
		r = db_take_kept(w->db);
	w->modseq = 0; /* what comes now is another change */
	return r;
}

bool kept_any(struct store *s, const struct db *db)
{
	look_at(&s->kept, db);
	return s->kept.n > 0 || db_kept_in_doubt(db);
}

result kept_put_in(struct work *w)
{
	w->taken = (struct kept_taken){0};
	if (!kept_any(w->store, w->db) || db_takes_kept(w->db))
		return OK;
	must(!w->unlisted);
	TRY(db_part_begin(w->db));
	result r = put_all(w);
	if (!failed(r))
		r = db_part_keep(w->db);
	if (!failed(r))
		return OK;
	w->taken = (struct kept_taken){0};
	db_part_undo(w->db);
	return r;
}

/* Of those that this work leaves where they are. */
uint64_t kept_octets_left(const struct work *w)
{
	uint64_t octets = 0;
	for (const struct kept_letter *k = w->store->kept.first; k && w->taken.stuck; k = k->next)
		octets += k->size;
	return octets;
}

void kept_rest(struct store *s, const struct db *db)
{
	look_at(&s->kept, db);
}

void kept_were_taken(struct store *s, const struct kept_taken *t)
{
	must(t->count <= s->kept.count && t->octets <= s->kept.octets);
	s->kept.count -= t->count;
	s->kept.octets -= t->octets;
	s->kept.stuck = t->stuck;
}

bool kept_has_room(struct store *s)
{
	if (s->kept.no_room)
		s->kept.no_room = failed(room_grow(s, 0));
	return !s->kept.no_room;
}

static result nothing(struct work *w, void *arg)
{
	(void)w;
	(void)arg;
	return OK;
}

result store_catch_up(struct store *s)
{
	if ((!s->kept.count && list_empty(&s->kept.under_way)) || !kept_has_room(s))
		return OK;
	struct work w = work_new(s, nothing, NULL);
	w.brief = true;
	result r = work_do(&w);
	return r.kind == FAIL_FULL || r.kind == FAIL_DAMAGE ? OK : r;
}
