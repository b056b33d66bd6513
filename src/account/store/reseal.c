#include "account/store/reseal.h"

#include "account/store/core.h"
#include "engine/reseal.h"

#define STORE_LOG STORE_FILE "-wal"
#define NEXT_LOG STORE_NEXT "-wal"
#define STORE_KEPT STORE_FILE "-kept"

enum { BODIES_AT_ONCE = 64 };

static result open_db(struct engine *e, const struct store_reseal *r, bool next, struct db **out)
{
	struct db_options o = {.path = next ? STORE_NEXT : STORE_FILE, .key = next ? r->next : r->key, .id = r->id,
		.schema = &store_schema, .log_frames = STORE_LOG_FRAMES, .must_exist = true};
	return engine_open_db(e, &o, out);
}

static result is_kept(void *ctx, str record)
{
	(void)ctx;
	(void)record;
	return failure(FAIL_BUSY, "letters wait until they can be put into the mailbox; make room on the disk, or have the "
				  "account checked");
}

/* The log's content goes into the database, which alone is sealed anew. */
static result settle(struct engine *e, const struct store_reseal *r)
{
	struct db *db;
	TRY(open_db(e, r, false, &db));
	result done = db_kept_each(db, is_kept, NULL);
	if (!failed(done))
		done = db_checkpoint(db);
	db_close(&db);
	return done;
}

/* ---- body files ---- */

struct bodies {
	int64_t ids[BODIES_AT_ONCE];
	struct blob_key keys[BODIES_AT_ONCE];
	size_t n;
};

static result next_bodies(struct db *db, int64_t after, struct bodies *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	out->n = 0;
	TRY(db_ask(db, &q, "SELECT id,blob FROM content WHERE blob IS NOT NULL AND id>?1 ORDER BY id LIMIT ?2",
		DB_INT(after), DB_INT(BODIES_AT_ONCE)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (query_bytes(q, 1).n != sizeof out->keys[0])
			return failure(FAIL_DAMAGE, "a message names no body file; run account check");
		out->ids[out->n] = query_int(q, 0);
		memcpy(&out->keys[out->n++], query_bytes(q, 1).p, sizeof out->keys[0]);
	}
}

static result copy_body(struct engine *e, const struct blob_key *was, struct blob_key *now)
{
	AUTO_BUF buf all = buf_new(STORE_BODY_MAX);
	AUTO_BLOB struct blob *b = NULL;
	TRY(engine_open_body(e, was, &b));
	TRY(blob_read(b, 0, blob_size(b), &all));
	return engine_put_body(e, buf_str(&all), now);
}

static result rename_bodies(struct db *db, const struct bodies *b)
{
	TRY(db_begin(db));
	for (size_t i = 0; i < b->n; i++) {
		result r = db_run(db, "UPDATE content SET blob=?2 WHERE id=?1", DB_INT(b->ids[i]),
			DB_BLOB(str_of((const char *)b->keys[i].b, sizeof b->keys[i].b)));
		if (failed(r)) {
			db_rollback(db);
			return r;
		}
	}
	return db_commit(db);
}

static result all_bodies(struct engine *e, struct db *db)
{
	struct bodies b = {.n = 0};
	int64_t after = -1;
	for (;;) {
		TRY(next_bodies(db, after, &b));
		if (b.n == 0)
			return OK;
		after = b.ids[b.n - 1];
		for (size_t i = 0; i < b.n; i++) {
			const struct blob_key was = b.keys[i];
			TRY(copy_body(e, &was, &b.keys[i]));
		}
		TRY(rename_bodies(db, &b));
	}
}

static result bodies_anew(struct engine *e, const struct store_reseal *r)
{
	struct db *db;
	TRY(open_db(e, r, true, &db));
	result done = all_bodies(e, db);
	if (!failed(done))
		done = db_checkpoint(db);
	db_close(&db);
	return done;
}

/* ---- all of it ---- */

static result make_next(struct engine *e, const struct store_reseal *r)
{
	const struct resealing pages = {
		.from = STORE_FILE, .to = STORE_NEXT, .key = r->key, .next = r->next, .id = r->id};
	TRY(settle(e, r));
	TRY(files_unlink_if_there(r->files, NEXT_LOG)); /* of one that a crash cut off */
	TRY(reseal(r->files, &pages));
	TRY(bodies_anew(e, r));
	TRY(files_unlink_if_there(r->files, NEXT_LOG));
	return files_sync_folder(r->files);
}

result store_reseal(const struct store_reseal *r)
{
	struct engine *e;
	TRY(engine_hold(r->files, &e));
	result done = make_next(e, r);
	engine_release(&e);
	return done;
}

result store_reseal_forget(struct files *f)
{
	TRY(files_unlink_if_there(f, STORE_NEXT));
	return files_unlink_if_there(f, NEXT_LOG);
}

result store_reseal_take(struct files *f)
{
	TRY(files_unlink_if_there(f, STORE_LOG));
	TRY(files_unlink_if_there(f, STORE_KEPT));
	TRY(files_rename(f, STORE_NEXT, STORE_FILE));
	return files_sync_folder(f);
}
