#include "engine/db.h"
#include "base/buf.h"
#include "base/mem.h"
#include "engine/db_private.h"
#include "run/effort.h"

#include <stdio.h>

/* What a code of SQLite's means to the callers. */
static const struct {
	int code;
	enum fail_kind kind;
	const char *text;
} meanings[] = {
	{SQLITE_FULL, FAIL_FULL, "the disk is full"},
	{SQLITE_NOMEM, FAIL_MEMORY, "out of memory"},
	{SQLITE_BUSY, FAIL_BUSY, "another process has the database open"},
	{SQLITE_CORRUPT, FAIL_DAMAGE, "the database is damaged; restore from a backup"},
	{SQLITE_NOTADB, FAIL_DAMAGE, "the database is damaged; restore from a backup"},
	{SQLITE_CONSTRAINT, FAIL_EXISTS, "such a row is already there or breaks a rule of its table"},
	{SQLITE_TOOBIG, FAIL_LIMIT, "the value is too long for the database"},
	{SQLITE_CANTOPEN, FAIL_DISK, "the database can't be opened; look at the folder's owner and the disk"},
	{SQLITE_IOERR, FAIL_DISK, "the database can't be read or written; look at the disk"},
	{SQLITE_READONLY, FAIL_DISK, "the database can't be written"},
	{SQLITE_INTERRUPT, FAIL_LIMIT, EFFORT_SPENT}, /* nothing else interrupts */
};

static result meaning_of(int code)
{
	if (code == SQLITE_IOERR_DATA)
		return failure(FAIL_DAMAGE, "stored bytes do not authenticate; restore from a backup");
	if (code == SQLITE_IOERR_NOMEM)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].code == (code & 0xff))
			return failure(meanings[i].kind, meanings[i].text);
	return failure(FAIL_CONFLICT, "the statement is wrong for this schema");
}

/* The seal's own sentence is the better one where it speaks of the same thing. */
result db_result(struct db *db, int code)
{
	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		return OK;
	result r = meaning_of(code);
	enum fail_kind kind;
	const char *text = seal_trouble(db->seal, &kind);
	if (text && kind == r.kind)
		r.text = text;
	return r;
}

const char *db_trouble(struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

result db_exec(struct db *db, const char *sql)
{
	return db_result(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static result set_limits(struct db *db)
{
	static const struct {
		int option, value;
	} switches[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	};
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		TRY(db_result(db, sqlite3_db_config(db->handle, switches[i].option, switches[i].value, NULL)));
	sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, DB_VALUE_MAX);
	sqlite3_limit(db->handle, SQLITE_LIMIT_SQL_LENGTH, DB_SQL_MAX);
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM's, in memory */
	sqlite3_limit(db->handle, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_limit(db->handle, SQLITE_LIMIT_VARIABLE_NUMBER, 64);
	return OK;
}

/* The lock comes before everything that reads, so that SQLite keeps the
 * log's index in its own memory. Deleted content needs no overwriting: it is
 * sealed. */
static result set_pragmas(struct db *db)
{
	char sql[512];
	snprintf(sql, sizeof sql,
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
		"PRAGMA synchronous=FULL;"
		"PRAGMA secure_delete=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-%d;"
		"PRAGMA journal_size_limit=%d",
		DB_CACHE_KIB, SEAL_LOG_KEEP * (SEAL_PAGE + 24));
	return db_exec(db, sql);
}

/* A single statement may be long too. */
static int is_spent(void *ctx)
{
	(void)ctx;
	return failed(effort_check());
}

static result connect(struct db *db, const struct db_options *o, const char *path, int flags)
{
	uint32_t frames = o->log_frames ? o->log_frames : DB_LOG_FRAMES;
	struct seal_options options = {o->files, path, o->key, o->id, o->salvage,
		.mirror = o->mirror ? frames + SEAL_GATHER_MAX : 0};
	TRY(seal_new(&options, &db->seal));
	int code = seal_connect(db->seal, flags, &db->handle);
	TRY(db_result(db, code));
	TRY(set_limits(db));
	sqlite3_progress_handler(db->handle, DB_STEPS_ASK, is_spent, NULL);
	TRY(db_result(db, sqlite3_prepare_v3(db->handle, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT, &db->undo, NULL)));
	return set_pragmas(db);
}

static void disconnect(struct db *db)
{
	kept_close(db);
	sqlite3_finalize(db->undo);
	db->undo = NULL;
	int code = sqlite3_close(db->handle);
	must(code == SQLITE_OK); /* a query was not ended */
	db->handle = NULL;
	seal_free(&db->seal);
}

/* A new database is made whole under another name: until it is WAL its
 * journal is in memory, so a crash here leaves only a file that is made anew. */
static result make(struct db *db, const struct db_options *o, const char *path)
{
	TRY(connect(db, o, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
	int reserve = SEAL_RESERVED;
	TRY(db_result(db, sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve)));
	TRY(db_exec(db, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
			"PRAGMA application_id=1347637326; PRAGMA journal_mode=WAL"));
	return OK;
}

static result create(const struct db_options *o)
{
	AUTO_BUF buf path = buf_new(1024), log = buf_new(1024), old = buf_new(1024),
		    kept = buf_new(1024);
	buf_printf(&path, "%s.new%c", o->path, 0);
	buf_printf(&log, "%s.new-wal%c", o->path, 0);
	buf_printf(&old, "%s-wal%c", o->path, 0);
	buf_printf(&kept, "%s" KEPT_SUFFIX "%c", o->path, 0);
	TRY(buf_result(&path));
	TRY(buf_result(&log));
	TRY(buf_result(&old));
	TRY(buf_result(&kept));
	TRY(files_unlink_if_there(o->files, path.p));
	TRY(files_unlink_if_there(o->files, log.p));
	TRY(files_unlink_if_there(o->files, old.p)); /* of a database that is no more */
	TRY(files_unlink_if_there(o->files, kept.p));
	struct db db = {0};
	result r = make(&db, o, path.p);
	disconnect(&db);
	TRY(r);
	TRY(files_unlink_if_there(o->files, log.p));
	TRY(files_rename(o->files, path.p, o->path));
	return files_sync_folder(o->files);
}

static result read_version(struct db *db)
{
	int64_t version;
	TRY(db_get(db, &version, "PRAGMA user_version"));
	db->version = (uint32_t)version;
	return OK;
}

/* One transaction; `behind` may be NULL. */
static result step_to(struct db *db, uint32_t version, const char *tables, result (*behind)(struct db *, uint32_t))
{
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA user_version=%u", version);
	TRY(db_begin(db));
	result r = db_exec(db, tables);
	if (!failed(r) && behind)
		r = behind(db, version);
	if (!failed(r))
		r = db_exec(db, sql);
	if (failed(r)) {
		db_rollback(db);
		return r;
	}
	TRY(db_commit(db));
	db->version = version;
	return OK;
}

static result migrate(struct db *db, const struct db_schema *schema, uint32_t version)
{
	TRY(read_version(db));
	if (db->version > schema->count)
		return failure(FAIL_CONFLICT, "the database was written by a newer version of Postern; "
					      "install that or a newer one");
	if (db->version == 0 && version == schema->count && schema->newest)
		return step_to(db, version, schema->newest, NULL);
	while (db->version < version)
		TRY(step_to(db, db->version + 1, schema->steps[db->version], schema->behind));
	return OK;
}

/* What a crash left in the log goes into the database before anything else,
 * so that work starts with an empty log; on a full disk it starts all the same. */
static result begin_work(struct db *db, const struct db_options *o)
{
	db->log_frames = o->log_frames ? o->log_frames : DB_LOG_FRAMES;
	TRY(db_exec(db, "PRAGMA journal_mode=WAL; SELECT count(*) FROM sqlite_schema"));
	TRY(db_result(db, sqlite3_wal_autocheckpoint(db->handle, (int)db->log_frames)));
	result r = seal_log_frames(db->seal) > 0 ? db_checkpoint(db) : OK;
	return r.kind == FAIL_FULL ? OK : r;
}

static result open_at(struct db *db, const struct db_options *o, uint32_t version)
{
	AUTO_BUF buf path = buf_new(1024);
	buf_printf(&path, "%s%c", o->path, 0);
	TRY(buf_result(&path));
	bool there;
	TRY(files_exists(o->files, path.p, &there));
	if (!there && o->must_exist)
		return failure(FAIL_ABSENT, "there is no such database");
	if (!there)
		TRY(create(o));
	db->path = path.p;
	path = buf_new(0);
	TRY(connect(db, o, db->path, SQLITE_OPEN_READWRITE));
	TRY(begin_work(db, o));
	TRY(migrate(db, o->schema, version));
	return kept_open(db, o);
}

result db_open_at(const struct db_options *o, uint32_t version, struct db **out)
{
	must(version <= o->schema->count);
	struct db *db = mem_alloc(sizeof *db);
	if (!db)
		return failure(FAIL_MEMORY, "out of memory");
	list_init(&db->idle);
	db->queries = hash_new(DB_QUERIES_MAX);
	result r = open_at(db, o, version);
	if (failed(r))
		db_close(&db);
	else
		*out = db;
	return r;
}

result db_open(const struct db_options *o, struct db **out)
{
	return db_open_at(o, o->schema->count, out);
}

void db_close(struct db **at)
{
	struct db *db = *at;
	*at = NULL;
	if (!db)
		return;
	db_forget_idle(db, 0);
	hash_free(&db->queries);
	disconnect(db);
	mem_free(db->path);
	mem_free(db);
}

uint32_t db_version(struct db *db)
{
	return db->version;
}

sqlite3 *db_handle(struct db *db)
{
	return db->handle;
}

bool db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

result db_begin(struct db *db)
{
	db->parts = 0;
	return db_run(db, "BEGIN IMMEDIATE");
}

result db_commit(struct db *db)
{
	result r = db_run(db, "COMMIT");
	if (failed(r)) {
		db->kept.doubtful |= db->kept.taken_in > 0; /* it may hold all the same */
		db_rollback(db);
	} else
		kept_committed(db);
	db->parts = 0;
	return r;
}

/* SQLite may have rolled back by itself; a rollback that fails leaves nothing to do either. */
void db_rollback(struct db *db)
{
	db->parts = 0;
	db->undone++;
	if (db_in_transaction(db)) {
		sqlite3_step(db->undo);
		sqlite3_reset(db->undo);
		must(!db_in_transaction(db));
	}
	kept_undone(db);
}

static result part(struct db *db, const char *verb, unsigned number)
{
	char sql[48];
	snprintf(sql, sizeof sql, "%s part%u", verb, number);
	return db_run(db, sql);
}

result db_part_begin(struct db *db)
{
	must(db_in_transaction(db));
	TRY(part(db, "SAVEPOINT", db->parts));
	db->parts++;
	return OK;
}

result db_part_keep(struct db *db)
{
	must(db->parts > 0);
	TRY(part(db, "RELEASE", db->parts - 1));
	db->parts--;
	kept_part_kept(db);
	return OK;
}

void db_part_undo(struct db *db)
{
	db->undone++;
	if (!db_in_transaction(db) || db->parts == 0) {
		kept_undone(db);
		return; /* an error of the disk has undone the whole transaction */
	}
	db->parts--;
	kept_undone(db);
	result r = part(db, "ROLLBACK TO", db->parts);
	if (!failed(r))
		r = part(db, "RELEASE", db->parts);
	if (failed(r))
		db_rollback(db);
}

int64_t db_last_row(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

uint64_t db_changed(const struct db *db)
{
	return (uint64_t)sqlite3_changes64(db->handle);
}

/* Both only grow, so their sum stands still only when they do. */
uint64_t db_stamp(const struct db *db)
{
	return (uint64_t)sqlite3_total_changes64(db->handle) + db->undone;
}

result db_checkpoint(struct db *db)
{
	return db_result(db, sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

bool db_unsettled(const struct db *db)
{
	return seal_log_frames(db->seal) >= db->log_frames - db->log_frames / 4;
}

result db_give_back(struct db *db, uint32_t pages)
{
	char sql[48];
	snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", pages);
	return db_exec(db, sql);
}

result db_check(struct db *db)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "PRAGMA integrity_check(1)"));
	TRY(query_next(q, &row));
	if (!row || !str_eq(query_bytes(q, 0), STR("ok")))
		return failure(FAIL_DAMAGE, "the database's tables and indexes do not agree; restore from a backup");
	return OK;
}

void db_trim(struct db *db)
{
	db_forget_idle(db, 0);
	if (db->kept.log)
		kept_log_trim(db->kept.log);
	sqlite3_db_release_memory(db->handle);
	seal_trim(db->seal);
}
