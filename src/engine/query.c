#include "engine/query.h"
#include "base/mem.h"
#include "engine/db_private.h"

static void finalize(struct query *q)
{
	list_remove(&q->idle);
	if (q->sql)
		(void)hash_remove(&q->db->queries, str_from(q->sql));
	sqlite3_finalize(q->statement);
	mem_free(q->sql);
	mem_free(q);
}

void db_forget_idle(struct db *db, size_t keep)
{
	while (db->queries.n > keep && !list_empty(&db->idle))
		finalize(LIST_OWNER(db->idle.next, struct query, idle));
}

/* Remembered by its text, unless memory is short: then it lives for one use. */
static void remember(struct query *q, str sql)
{
	db_forget_idle(q->db, DB_QUERIES_MAX - 1);
	if (q->db->queries.n >= DB_QUERIES_MAX || hash_get(&q->db->queries, sql))
		return;
	q->sql = mem_alloc(sql.n + 1);
	if (!q->sql)
		return;
	memcpy(q->sql, sql.p, sql.n);
	if (failed(hash_put(&q->db->queries, sql, q))) {
		mem_free(q->sql);
		q->sql = NULL;
	}
}

static result prepare(struct db *db, struct query **out, str sql)
{
	struct query *q = mem_alloc(sizeof *q);
	if (!q)
		return failure(FAIL_MEMORY, "out of memory");
	list_init(&q->idle);
	q->db = db;
	if (sql.n > DB_SQL_MAX) {
		mem_free(q);
		return failure(FAIL_LIMIT, "the statement is too long");
	}
	int code = sqlite3_prepare_v3(db->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, &q->statement, NULL);
	if (code != SQLITE_OK) {
		mem_free(q);
		return db_result(db, code);
	}
	remember(q, sql);
	*out = q;
	return OK;
}

/* A kept statement that is in use (the same text within its own loop) is not taken twice. */
static result take(struct db *db, struct query **out, str sql)
{
	struct query *kept = hash_get(&db->queries, sql);
	if (!kept || list_empty(&kept->idle))
		return prepare(db, out, sql);
	list_remove(&kept->idle);
	*out = kept;
	return OK;
}

static int bind_one(sqlite3_stmt *s, int at, const struct db_arg *arg)
{
	static const char none[1] = "";
	const char *p = arg->bytes.p ? arg->bytes.p : none;
	switch (arg->type) {
	case DB_A_INT:
		return sqlite3_bind_int64(s, at, arg->number);
	case DB_A_BLOB:
		return sqlite3_bind_blob64(s, at, p, arg->bytes.n, SQLITE_STATIC);
	case DB_A_TEXT:
		return sqlite3_bind_text64(s, at, p, arg->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
	default:
		return sqlite3_bind_null(s, at);
	}
}

result db_ask_args(struct db *db, struct query **out, const char *sql, const struct db_arg *args)
{
	struct query *q;
	TRY(take(db, &q, str_from(sql)));
	for (int i = 0; args[i].type != DB_END; i++) {
		int code = bind_one(q->statement, i + 1, &args[i]);
		if (code != SQLITE_OK) {
			result r = db_result(db, code);
			query_end(&q);
			return r;
		}
	}
	*out = q;
	return OK;
}

result query_next(struct query *q, bool *row)
{
	int code = sqlite3_step(q->statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return db_result(q->db, code);
	*row = code == SQLITE_ROW;
	return OK;
}

void query_end(struct query **at)
{
	struct query *q = *at;
	*at = NULL;
	if (!q)
		return;
	if (!q->sql) {
		finalize(q);
		return;
	}
	sqlite3_reset(q->statement);
	sqlite3_clear_bindings(q->statement);
	list_insert(&q->db->idle, &q->idle);
}

result db_run_args(struct db *db, const char *sql, const struct db_arg *args)
{
	struct query AUTO_QUERY *q = NULL;
	bool row = true;
	TRY(db_ask_args(db, &q, sql, args));
	while (row)
		TRY(query_next(q, &row));
	return OK;
}

result db_get_args(struct db *db, int64_t *out, const char *sql, const struct db_arg *args)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask_args(db, &q, sql, args));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such row");
	*out = query_int(q, 0);
	return OK;
}

int64_t query_int(const struct query *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

str query_bytes(const struct query *q, int column)
{
	const char *p = sqlite3_column_blob(q->statement, column);
	size_t n = (size_t)sqlite3_column_bytes(q->statement, column);
	if (!p && n == 0 && !query_is_null(q, column))
		p = "";
	return str_of(p, n);
}

bool query_is_null(const struct query *q, int column)
{
	return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}
