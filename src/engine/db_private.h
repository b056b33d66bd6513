/* What db.c and query.c share. */
#ifndef ENGINE_DB_PRIVATE_H
#define ENGINE_DB_PRIVATE_H

#include "base/hash.h"
#include "base/list.h"
#include "engine/kept_log.h"
#include "engine/query.h"

struct query {
	struct list idle; /* in db.idle while nobody uses it */
	struct db *db;
	sqlite3_stmt *statement;
	char *sql;  /* the key in db.queries; NULL: not kept */
};

struct kept {
	struct kept_log *log; /* NULL: this version of the schema has none */
	char *path;
	uint64_t generation;  /* that a commit took in last */
	bool doubtful;        /* a record, or that a commit took, may be there or not: no further one until one takes */
	unsigned taken_in;    /* 1 + the part in which the transaction took; 0: it did not */
};
#define KEPT_SUFFIX "-kept" /* the log is beside the database */

struct db {
	struct seal *seal;
	sqlite3 *handle;
	sqlite3_stmt *undo; /* ROLLBACK, prepared: it must not fail for want of memory */
	char *path;
	hash queries;     /* SQL text to struct query */
	struct list idle; /* kept statements, the one used longest ago first */
	uint32_t version;
	uint32_t log_frames;
	unsigned parts; /* open savepoints */
	uint64_t undone; /* times that something was rolled back */
	struct kept kept;
};

/* Does nothing before the schema's version that has one, or a second time. */
result kept_open(struct db *db, const struct db_options *o) NODISCARD;
void kept_close(struct db *db);
void kept_part_kept(struct db *db);
void kept_undone(struct db *db); /* a part or all; db->parts says what is left */
void kept_committed(struct db *db);

result db_result(struct db *db, int code);
void db_forget_idle(struct db *db, size_t keep); /* finalizes idle statements down to `keep` */

#endif
