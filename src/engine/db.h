/* A sealed database: one connection with what the house always sets, its
 * schema's versions, transactions and prepared statements.
 *
 * db_open makes the database when it is missing (say must_exist where it has
 * to be there: a new one also removes the log of one that is gone), refuses one that is damaged
 * (DAMAGE; see seal.h), locked by another process (BUSY) or of a newer
 * version (CONFLICT), carries over what a crash left in the log, and brings
 * the schema forward. One thread at a time uses a db; every call may block on
 * the disk, so rooms call it on their store thread. Nothing suspends a fiber.
 *
 * Errors of all calls: FULL, DISK, DAMAGE, EXISTS (a constraint), MEMORY,
 * LIMIT (SQLite's length limits; or the command that it is done for has spent
 * its effort, run/effort.h). After FULL, DISK or that LIMIT the transaction is
 * rolled back, db_in_transaction is false, and the db goes on unless a flush
 * failed; then each write answers DISK until it is opened again. */
#ifndef ENGINE_DB_H
#define ENGINE_DB_H

#include "engine/seal.h"

enum {
	DB_CACHE_KIB = 2048,
	DB_LOG_FRAMES = 1000,      /* a checkpoint follows the commit that reaches it */
	DB_QUERIES_MAX = 128,      /* prepared statements kept */
	DB_VALUE_MAX = 64 << 20,   /* bytes of one value or row */
	DB_SQL_MAX = 64 << 10,
	DB_STEPS_ASK = 5000,      /* of SQLite's machine, some 0.2 ms, between two questions whether the effort is spent */
};

struct db;

struct db_schema {
	const char *const *steps; /* steps[n] takes version n to n + 1; each is one transaction */
	uint32_t count;           /* the version that this program works with */
	/* NULL, or what SQL alone cannot do: behind each step, in its transaction, with the version it made. */
	result (*behind)(struct db *db, uint32_t version);
	/* NULL, or what a new database begins with: the tables that all steps lead to, in one transaction. */
	const char *newest;
	/* Not 0: from this version on records may be kept ahead of their commit (db_keep), which asks for a table:
	 * CREATE TABLE kept(generation INTEGER NOT NULL), with one row. */
	uint32_t kept_since;
};

struct db_options {
	struct files *files;
	const char *path;         /* copied */
	const unsigned char *key; /* BOX_KEY bytes */
	const unsigned char *id;  /* BOX_ID bytes */
	const struct db_schema *schema;
	bool must_exist;          /* ABSENT instead of making it */
	bool salvage;
	uint32_t log_frames;      /* 0: DB_LOG_FRAMES */
	bool mirror;              /* memory keeps the log until the next trim (seal.h) */
};

result db_open(const struct db_options *options, struct db **out) NODISCARD;
void db_close(struct db **db); /* carries the log over; a failure of that is made good by the next open */

/* The sentence for a log: what SQLite or the seal said last. Valid until the next call. */
const char *db_trouble(struct db *db);

uint32_t db_version(struct db *db);
result db_exec(struct db *db, const char *sql) NODISCARD; /* statements without arguments or rows */

/* BEGIN IMMEDIATE, COMMIT, ROLLBACK. A commit that fails is rolled back. */
result db_begin(struct db *db) NODISCARD;
result db_commit(struct db *db) NODISCARD;
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* A part of a transaction that can be undone alone; they nest, last in first out. */
result db_part_begin(struct db *db) NODISCARD;
result db_part_keep(struct db *db) NODISCARD;
void db_part_undo(struct db *db);

/* Records that are durable ahead of the commit that takes them in (kept_log.h): cheaper than a commit, and nothing the
 * database itself knows of. Who keeps one remembers it, and puts what it says into the database before that is asked.
 *
 * Invariant: a record that was kept is given by db_kept_each at each opening until a transaction that called
 * db_take_kept is durable, and never after. */
/* LIMIT: no room before the next commit that takes. See kept_log_add. */
result db_keep(struct db *db, str record) NODISCARD;
result db_kept_each(struct db *db, result (*each)(void *ctx, str record), void *ctx) NODISCARD; /* in order */
/* In a transaction: its commit takes in all that is kept. Undone with the part or transaction that it is in. */
result db_take_kept(struct db *db) NODISCARD;
bool db_takes_kept(const struct db *db);           /* the transaction under way does */
bool db_kept_in_doubt(const struct db *db); /* nobody knows what is kept: the next commit had better take */
uint64_t db_kept_generation(const struct db *db);  /* moves with each commit that took */

int64_t db_last_row(const struct db *db); /* rowid of the last insert */
uint64_t db_changed(const struct db *db); /* rows changed by the last statement */
/* Moves whenever a row was changed or a change undone: while it stands, what was read holds. */
uint64_t db_stamp(const struct db *db);

result db_checkpoint(struct db *db) NODISCARD;            /* carries the whole log over and empties it */
bool db_unsettled(const struct db *db);                   /* the log is at three quarters of log_frames */
result db_give_back(struct db *db, uint32_t pages) NODISCARD; /* free pages to the disk; 0: all */
result db_check(struct db *db) NODISCARD;                 /* reads and checks everything: slow */
void db_trim(struct db *db);                              /* gives memory back */
sqlite3 *db_handle(struct db *db);                        /* for backup and tests */

/* Tests of migrations: opens at an earlier version of the schema. */
result db_open_at(const struct db_options *options, uint32_t version, struct db **out) NODISCARD;

#endif
