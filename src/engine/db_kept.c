#include "base/buf.h"
#include "base/mem.h"
#include "engine/db_private.h"

static result path_of(struct db *db)
{
	AUTO_BUF buf path = buf_new(1024);
	buf_printf(&path, "%s" KEPT_SUFFIX "%c", db->path, 0);
	TRY(buf_result(&path));
	db->kept.path = path.p;
	path = buf_new(0);
	return OK;
}

static result find(struct db *db)
{
	int64_t generation;
	TRY(db_get(db, &generation, "SELECT generation FROM kept"));
	db->kept.generation = (uint64_t)generation;
	result r = kept_log_find(db->kept.log, db->kept.generation + 1);
	return r.kind == FAIL_ABSENT ? OK : r;
}

result kept_open(struct db *db, const struct db_options *o)
{
	if (db->kept.log || !o->schema->kept_since || db->version < o->schema->kept_since)
		return OK;
	TRY(path_of(db));
	const struct kept_log_plan plan = {o->files, db->kept.path, o->key, o->id, o->salvage};
	TRY(kept_log_new(&plan, &db->kept.log));
	return find(db);
}

void kept_close(struct db *db)
{
	kept_log_free(&db->kept.log);
	mem_free(db->kept.path);
	db->kept.path = NULL;
}

result db_keep(struct db *db, str record)
{
	struct kept *k = &db->kept;
	if (!k->log || k->doubtful)
		return failure(FAIL_LIMIT, "nothing can be kept ahead of a commit now");
	result r = kept_log_add(k->log, record);
	k->doubtful = failed(r) && r.kind != FAIL_LIMIT && r.kind != FAIL_FULL && r.kind != FAIL_MEMORY;
	return r;
}

result db_kept_each(struct db *db, result (*each)(void *ctx, str record), void *ctx)
{
	return db->kept.log ? kept_log_read(db->kept.log, each, ctx) : OK;
}

bool db_kept_in_doubt(const struct db *db)
{
	return db->kept.doubtful;
}

uint64_t db_kept_generation(const struct db *db)
{
	return db->kept.generation;
}

/* ---- taken in ---- */

result db_take_kept(struct db *db)
{
	must(db_in_transaction(db) && db->kept.log);
	TRY(db_run(db, "UPDATE kept SET generation=?1", DB_INT(db->kept.generation + 1)));
	db->kept.taken_in = 1 + db->parts;
	return OK;
}

bool db_takes_kept(const struct db *db)
{
	return db->kept.taken_in > 0;
}

void kept_part_kept(struct db *db)
{
	if (db->kept.taken_in > 1 + db->parts)
		db->kept.taken_in = 1 + db->parts;
}

void kept_undone(struct db *db)
{
	if (!db_in_transaction(db) || db->kept.taken_in > 1 + db->parts)
		db->kept.taken_in = 0;
}

void kept_committed(struct db *db)
{
	struct kept *k = &db->kept;
	if (!k->taken_in)
		return;
	k->taken_in = 0;
	k->doubtful = false;
	kept_log_begin(k->log, ++k->generation + 1);
}
