#include "account/store/core.h"
#include "account/store/message.h"
#include "grammar/imap/imap_name.h"
#include "run/random.h"

void store_object_id(char kind, uint64_t number, char out[MAILBOX_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	out[0] = kind;
	for (unsigned i = 0; i < 16; i++)
		out[1 + i] = digits[number >> (60 - 4 * i) & 15];
}

/* The messages that nobody was told of: those from row.recent on. Where the
 * rows are not in memory the removed ones among them are counted too. */
static uint32_t recent_of(const struct mbox *b)
{
	if (b->loaded)
		return (uint32_t)(b->loaded->n - loaded_from(b->loaded, b->row.recent));
	uint32_t given = b->row.uidnext - b->row.recent;
	return given < b->row.messages ? given : b->row.messages;
}

void box_status(const struct mbox *b, struct mailbox_status *out)
{
	const struct box_row *r = &b->row;
	*out = (struct mailbox_status){
		.id = r->id,
		.uidvalidity = r->uidvalidity,
		.uidnext = r->uidnext,
		.modseq = r->modseq,
		.messages = r->messages,
		.unseen = r->unseen,
		.deleted = r->deleted,
		.recent = recent_of(b),
		.octets = r->octets,
		.deleted_octets = r->deleted_octets,
		.use = r->use,
	};
	store_object_id('F', r->tag, out->mailboxid);
}

result mailbox_status_of(const struct actor *a, str given, struct mailbox_status *out)
{
	TRY(store_may(a, OP_STATUS));
	TRY(store_catch_up(a->store));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2);
	struct mbox *b;
	str name;
	TRY(mailbox_name(&m, given, &name));
	TRY(find_box(a, name, &b));
	box_status(b, out);
	return OK;
}

/* ---- create ---- */

struct naming {
	str name;
	str to;
	unsigned use;
	bool on;
};

result work_name_free(struct work *w, str name)
{
	struct box_row row;
	result r = box_find(w->db, name, &row);
	if (r.kind == FAIL_ABSENT)
		return OK;
	return failed(r) ? r : failure(FAIL_EXISTS, "a mailbox of that name is already there");
}

/* Grows with time too, so that it grows across a restore. */
uint32_t work_uidvalidity(struct work *w)
{
	uint32_t now = w->now > 0 && w->now < UINT32_MAX ? (uint32_t)w->now : 1;
	uint32_t next = w->account.uidvalidity + 1;
	w->account.uidvalidity = next > now ? next : now;
	return w->account.uidvalidity;
}

static result room_for_mailbox(struct work *w)
{
	int64_t n;
	TRY(db_get(w->db, &n, "SELECT count(*) FROM mailbox"));
	return n < STORE_MAILBOXES_MAX ? OK : failure(FAIL_LIMIT, "the account has as many mailboxes as it can hold");
}

result work_make_box(struct work *w, str name, unsigned use, struct box_row *out)
{
	TRY(room_for_mailbox(w));
	struct box_row row = {
		.uidvalidity = work_uidvalidity(w),
		.uidnext = 1,
		.recent = 1,
		.modseq = work_modseq(w),
		.tag = random_u64(),
		.use = use,
	};
	TRY(box_insert(w->db, &row, name));
	TRY(effect_box(&w->effects, BOX_MADE, &row, name));
	*out = row;
	return OK;
}

static result create_body(struct work *w, void *arg)
{
	struct naming *n = arg;
	struct box_row row;
	TRY(work_name_free(w, n->name));
	return work_make_box(w, n->name, n->use, &row);
}

result mailbox_create(const struct actor *a, str given, unsigned use, struct mailbox_status *out)
{
	TRY(store_may(a, OP_CREATE));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2);
	struct naming n = {.use = use};
	struct mbox *b;
	TRY(mailbox_name(&m, given, &n.name));
	struct work w = work_new(a->store, create_body, &n);
	TRY(work_do(&w));
	TRY(find_box(a, n.name, &b));
	box_status(b, out);
	return OK;
}

/* ---- delete ---- */

/* Whoever takes the name later gets a higher UIDVALIDITY than it had. */
result work_former(struct work *w, str name, uint32_t uidvalidity)
{
	TRY(db_run(w->db,
		"INSERT INTO former(name,uidvalidity) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET"
		" uidvalidity=max(uidvalidity,?2)",
		DB_TEXT(name), DB_INT(uidvalidity)));
	int64_t n;
	TRY(db_get(w->db, &n, "SELECT count(*) FROM former"));
	if (n <= STORE_FORMER_MAX)
		return OK;
	return db_run(w->db, "DELETE FROM former WHERE name=(SELECT name FROM former ORDER BY uidvalidity LIMIT 1)");
}

static result release(void *ctx, uint64_t box, const struct entry *e)
{
	(void)box;
	return work_release(ctx, e->row.content);
}

static result drop_rows(struct work *w, uint64_t box)
{
	const struct place p = work_place(w, box);
	TRY(list_drop_box(&p));
	TRY(db_run(w->db, "DELETE FROM vanished WHERE mailbox=?1", DB_INT(box)));
	TRY(db_run(w->db, "DELETE FROM keyword WHERE mailbox=?1", DB_INT(box)));
	return box_drop(w->db, box);
}

static result delete_body(struct work *w, void *arg)
{
	struct naming *n = arg;
	struct box_row row;
	TRY(box_find(w->db, n->name, &row));
	const struct place p = work_place(w, row.id);
	TRY(list_read(&p, &(struct list_reader){.take = release, .ctx = w}));
	TRY(drop_rows(w, row.id));
	TRY(work_former(w, n->name, row.uidvalidity));
	w->account.messages -= row.messages;
	w->account.octets -= row.octets;
	(void)work_modseq(w);
	return effect_box(&w->effects, BOX_DROPPED, &row, n->name);
}

result mailbox_delete(const struct actor *a, str given)
{
	TRY(store_may(a, OP_DELETE));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2);
	struct naming n = {0};
	TRY(mailbox_name(&m, given, &n.name));
	if (str_eq(n.name, STR("INBOX")))
		return failure(FAIL_INPUT, "INBOX cannot be deleted; new mail arrives there");
	struct work w = work_new(a->store, delete_body, &n);
	w.frees = true;
	return work_do(&w);
}

/* ---- subscribe ---- */

static result subscribe_body(struct work *w, void *arg)
{
	struct naming *n = arg;
	int64_t count;
	if (!n->on) {
		TRY(db_run(w->db, "DELETE FROM subscription WHERE name=?1", DB_TEXT(n->name)));
		return effect_box(&w->effects, NAME_UNSUBSCRIBED, NULL, n->name);
	}
	TRY(db_get(w->db, &count, "SELECT count(*) FROM subscription"));
	if (count >= STORE_SUBSCRIPTIONS_MAX)
		return failure(FAIL_LIMIT, "the account has as many subscriptions as it can hold");
	TRY(db_run(w->db, "INSERT OR IGNORE INTO subscription(name) VALUES(?1)", DB_TEXT(n->name)));
	return effect_box(&w->effects, NAME_SUBSCRIBED, NULL, n->name);
}

result mailbox_subscribe(const struct actor *a, str given, bool on)
{
	TRY(store_may(a, OP_SUBSCRIBE));
	AUTO_ARENA arena m = arena_new(STORE_NAME_MAX * 2);
	struct naming n = {.on = on};
	TRY(mailbox_name(&m, given, &n.name));
	if (catalog_subscribed(&a->store->catalog, n.name, NULL) == on)
		return OK;
	struct work w = work_new(a->store, subscribe_body, &n);
	return work_do(&w);
}
