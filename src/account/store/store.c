#include "engine/ballast.h"
#include "account/store/content.h"
#include "base/mem.h"
#include "grammar/imap/imap_flags.h"

#include <malloc.h>

_Static_assert(STORE_ANSWERED == IMAP_ANSWERED && STORE_FLAGGED == IMAP_FLAGGED && STORE_DELETED == IMAP_DELETED &&
	STORE_SEEN == IMAP_SEEN && STORE_DRAFT == IMAP_DRAFT && STORE_RECENT == IMAP_RECENT, "one set of bits");

enum { SCRATCH_MAX = 80 << 20 };

/* ---- a new account ---- */

static const struct {
	const char *name;
	unsigned use;
} first_boxes[] = {
	{"INBOX", 0},
	{"Drafts", IMAP_USE_DRAFTS},
	{"Sent", IMAP_USE_SENT},
	{"Junk", IMAP_USE_JUNK},
	{"Trash", IMAP_USE_TRASH},
	{"Archive", IMAP_USE_ARCHIVE},
};

static result make_account_body(struct work *w, void *arg)
{
	const uint64_t *quota = arg;
	w->account.quota = *quota;
	for (size_t i = 0; i < sizeof first_boxes / sizeof *first_boxes; i++) {
		struct box_row row;
		str name = str_from(first_boxes[i].name);
		TRY(work_make_box(w, name, first_boxes[i].use, &row));
		TRY(db_run(w->db, "INSERT INTO subscription(name) VALUES(?1)", DB_TEXT(name)));
	}
	return OK;
}

static result make_account(struct store *s, struct db *db, uint64_t quota)
{
	struct work w = work_new(s, make_account_body, &quota);
	return work_now(&w, db);
}

/* ---- body files that nobody names ---- */

struct named {
	hash names;
	bool remove;
	uint64_t unnamed;
};

static bool is_named(void *ctx, str name)
{
	struct named *n = ctx;
	bool named = hash_get(&n->names, name) != NULL;
	n->unnamed += !named;
	return named || !n->remove;
}

static result name_all(struct db *db, struct named *n)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT blob FROM content WHERE blob IS NOT NULL"));
	for (;;) {
		struct blob_key key;
		struct blob_name name;
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (query_bytes(q, 0).n != sizeof key)
			continue; /* names no file; store_check tells */
		memcpy(&key, query_bytes(q, 0).p, sizeof key);
		blob_name_of(&key, &name);
		TRY(hash_put(&n->names, str_from(name.text), n));
	}
}

result store_sweep(struct store *s, struct db *db, bool remove, uint64_t *unnamed)
{
	struct named n = {.names = hash_new(SIZE_MAX / 64), .remove = remove};
	result r = name_all(db, &n);
	if (!failed(r))
		r = engine_sweep_bodies(s->engine, is_named, &n);
	hash_free(&n.names);
	*unnamed = n.unnamed;
	return r;
}

/* ---- open and close ---- */

/* Without it the account takes no more. */
static result make_room(struct files *f, struct db *db, struct room *out)
{
	result r = room_make(f, db, 0, out);
	return r.kind == FAIL_FULL ? OK : r;
}

/* In memory alone: a full disk stops no opening. */
static result count_unlisted(struct store *s, struct db *db)
{
	TRY(lists_begin(&s->lists, db));
	unlisted_count_in_account(&s->lists.unlisted, &s->account);
	for (size_t i = 0; i < s->catalog.n; i++)
		unlisted_count_in_box(&s->lists.unlisted, &s->catalog.v[i]->row);
	return OK;
}

static result prepare(struct store *s, struct db *db, uint64_t quota)
{
	struct account_row row;
	uint64_t unnamed;
	result r = account_get(db, &row);
	if (r.kind == FAIL_ABSENT)
		r = make_account(s, db, quota);
	TRY(r);
	TRY(account_get(db, &s->account));
	TRY(delivered_open(&s->delivered, db, s->account.content));
	TRY(store_sweep(s, db, true, &unnamed));
	TRY(make_room(s->files, db, &s->room));
	TRY(catalog_load(&s->catalog, db));
	TRY(count_unlisted(s, db));
	room_is_for(s, &s->room);
	return kept_load(s, db);
}

static void store_free(struct store *s)
{
	kept_free(&s->kept);
	catalog_free(&s->catalog);
	engine_release(&s->engine);
	buf_free(&s->scratch);
	mem_free(s);
}

static result open_into(struct store *s, const struct store_options *o)
{
	struct db *db = NULL;
	struct db_options options = {.path = "mail.db", .key = o->key, .id = o->id, .schema = &store_schema,
		.log_frames = STORE_LOG_FRAMES, .mirror = true};
	TRY(engine_hold(o->files, &s->engine));
	result r = engine_open_db(s->engine, &options, &db);
	/* A disk that copies what is written over may lack even that room: the owner has to get in to make some. */
	if (r.kind == FAIL_FULL && !failed(ballast_drop(o->files)))
		r = engine_open_db(s->engine, &options, &db);
	TRY(r);
	r = prepare(s, db, o->quota);
	if (failed(r)) {
		db_close(&db);
		return r;
	}
	return committer_open(&db, NULL, &s->committer);
}

result store_open(const struct store_options *o, struct store **out)
{
	struct store *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	kept_init(&s->kept);
	s->files = o->files;
	s->give_up = o->give_up;
	s->scratch = buf_new(SCRATCH_MAX);
	s->catalog.by_id = hash_new(STORE_MAILBOXES_MAX + 1);
	result r = open_into(s, o);
	if (failed(r))
		store_free(s);
	else
		*out = s;
	return r;
}

/* ---- \Recent is written when there is time ---- */

struct recents {
	struct {
		uint64_t box;
		uint32_t recent;
	} *v;
	size_t n;
};

static result recents_run(struct db *db, void *arg)
{
	struct recents *r = arg;
	for (size_t i = 0; i < r->n; i++)
		TRY(db_run(db, "UPDATE counts SET recent=max(recent,?2) WHERE id=?1", DB_INT(r->v[i].box),
			DB_INT(r->v[i].recent)));
	return OK;
}

static result write_recents(struct store *s)
{
	struct recents r = {0};
	r.v = mem_array(s->catalog.n, sizeof *r.v);
	if (!r.v)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < s->catalog.n; i++) {
		struct mbox *b = s->catalog.v[i];
		if (!b->recent_due)
			continue;
		r.v[r.n].box = b->row.id;
		r.v[r.n++].recent = b->row.recent;
		b->recent_due = false;
	}
	struct commit_job job = {recents_run, NULL, &r, true, true};
	result done = r.n ? committer_do(s->committer, &job) : OK;
	mem_free(r.v);
	return done;
}

void store_close(struct store **at)
{
	struct store *s = *at;
	*at = NULL;
	if (!s)
		return;
	result r = store_catch_up(s);
	(void)r.kind; /* it stays kept */
	r = write_recents(s);
	(void)r.kind; /* at worst messages are \Recent once more */
	committer_close(&s->committer);
	store_free(s);
}

/* ---- trim ---- */

struct lull {
	struct store *store;
	struct room room;
};

static result trim_run(struct db *db, void *arg)
{
	struct lull *l = arg;
	struct store *s = l->store;
	int64_t pages;
	kept_rest(s, db);
	engine_trim(s->engine);
	buf_free(&s->scratch);
	TRY(db_get(db, &pages, "PRAGMA freelist_count"));
	if (pages > ROOM_PAGES)
		TRY(db_give_back(db, ROOM_PAGES));
	TRY(db_checkpoint(db));
	TRY(make_room(s->files, db, &l->room));
	db_trim(db);
	return OK;
}

static result sweep_run(struct db *db, void *arg)
{
	uint64_t unnamed;
	return store_sweep(arg, db, true, &unnamed);
}

/* No letter is between its body file and its row: one that comes later is
 * queued behind the sweep. */
result store_sweep_if_due(struct store *s)
{
	if (!s->sweep_due || s->preparing || s->uncertain)
		return OK;
	s->sweep_due = false; /* it may be due once more when this one is over */
	result r = store_read(s, sweep_run, NULL, s);
	s->sweep_due |= failed(r);
	return r;
}

static result nothing(struct work *w, void *arg)
{
	(void)w;
	(void)arg;
	return OK;
}

/* So that an opening finds them in their lists. Where there is no room, or a list is damaged, they wait. */
static void settle(struct store *s)
{
	struct work w = work_new(s, nothing, NULL);
	result r = work_do(&w);
	(void)r.kind;
}

static void trim_kept(void *arg)
{
	struct lull *l = arg;
	room_is_for(l->store, &l->room);
}

result store_trim(const struct actor *a)
{
	TRY(store_may(a, OP_TRIM));
	struct store *s = a->store;
	for (size_t i = 0; i < s->catalog.n; i++)
		if (s->catalog.v[i]->holds == 0)
			loaded_free(s->catalog.v[i]);
	s->kept_rows = 0;
	TRY(write_recents(s));
	settle(s);
	TRY(store_sweep_if_due(s));
	struct lull l = {.store = s};
	result r = store_read(s, trim_run, trim_kept, &l);
	if (!failed(r) && s->kept.no_room && kept_has_room(s))
		settle(s);
	malloc_trim(0);
	return r;
}

/* ---- usage and quota ---- */

result store_usage_of(const struct actor *a, struct store_usage *out)
{
	TRY(store_may(a, OP_USAGE));
	const struct account_row *row = &a->store->account;
	const struct kept_letters *kept = &a->store->kept;
	uint64_t octets = row->octets + kept->octets, left = octets < row->quota ? row->quota - octets : 0;
	*out = (struct store_usage){
		.messages = row->messages + kept->count,
		.octets = octets,
		.quota = row->quota,
		.headroom = row->quota ? left : UINT64_MAX,
		.mailboxes = (uint32_t)a->store->catalog.n,
	};
	return OK;
}

static result quota_body(struct work *w, void *arg)
{
	const uint64_t *octets = arg;
	w->account.quota = *octets;
	return OK;
}

result store_quota_set(const struct actor *a, uint64_t octets)
{
	TRY(store_may(a, OP_QUOTA_SET));
	if (octets > INT64_MAX)
		return failure(FAIL_LIMIT, "the quota is larger than can be kept");
	struct work w = work_new(a->store, quota_body, &octets);
	return work_do(&w);
}
