/* Statements with typed arguments and rows.
 *
 *     struct query AUTO_QUERY *q = NULL;
 *     bool row;
 *     TRY(db_ask(db, &q, "SELECT uid, body FROM message WHERE box = ?1", DB_INT(box)));
 *     for (;;) {
 *             TRY(query_next(q, &row));
 *             if (!row) break;
 *             use(query_int(q, 0), query_bytes(q, 1));
 *     }
 *
 * Statements are prepared once per text and kept (DB_QUERIES_MAX, the one used
 * longest ago goes first). Arguments are not copied: they live until
 * query_end. A row's views live until the next step. A query is ended before
 * its db is closed; query_end accepts NULL. SQL is ours, never a client's. */
#ifndef ENGINE_QUERY_H
#define ENGINE_QUERY_H

#include "engine/db.h"

struct query;

struct db_arg {
	enum { DB_END, DB_A_INT, DB_A_BLOB, DB_A_TEXT, DB_A_NULL } type;
	int64_t number;
	str bytes;
};

#define DB_INT(N) ((struct db_arg){.type = DB_A_INT, .number = (int64_t)(N)})
#define DB_BLOB(S) ((struct db_arg){.type = DB_A_BLOB, .bytes = (S)})
#define DB_TEXT(S) ((struct db_arg){.type = DB_A_TEXT, .bytes = (S)})
#define DB_NULL ((struct db_arg){.type = DB_A_NULL})
#define DB_ARGS(...) ((const struct db_arg[]){__VA_ARGS__ __VA_OPT__(,)(struct db_arg){.type = DB_END}})

/* Starts a statement; its rows come by query_next. */
#define db_ask(DB, OUT, SQL, ...) db_ask_args((DB), (OUT), (SQL), DB_ARGS(__VA_ARGS__))
/* Runs a statement that gives no rows. */
#define db_run(DB, SQL, ...) db_run_args((DB), (SQL), DB_ARGS(__VA_ARGS__))
/* The first column of the first row as a number; ABSENT without a row. */
#define db_get(DB, OUT, SQL, ...) db_get_args((DB), (OUT), (SQL), DB_ARGS(__VA_ARGS__))

result db_ask_args(struct db *db, struct query **out, const char *sql, const struct db_arg *args) NODISCARD;
result db_run_args(struct db *db, const char *sql, const struct db_arg *args) NODISCARD;
result db_get_args(struct db *db, int64_t *out, const char *sql, const struct db_arg *args) NODISCARD;

result query_next(struct query *q, bool *row) NODISCARD;
void query_end(struct query **q);

int64_t query_int(const struct query *q, int column);
str query_bytes(const struct query *q, int column); /* blob or text; p is NULL for NULL */
bool query_is_null(const struct query *q, int column);

#define AUTO_QUERY __attribute__((cleanup(query_end)))

#endif
