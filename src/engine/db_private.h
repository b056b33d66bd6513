/* What db.c and query.c share. */
#ifndef ENGINE_DB_PRIVATE_H
#define ENGINE_DB_PRIVATE_H

#include "base/hash.h"
#include "base/list.h"
#include "engine/query.h"

struct query {
	struct list idle; /* in db.idle while nobody uses it */
	struct db *db;
	sqlite3_stmt *statement;
	char *sql;  /* the key in db.queries; NULL: not kept */
};

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
};

result db_result(struct db *db, int code);
void db_forget_idle(struct db *db, size_t keep); /* finalizes idle statements down to `keep` */

#endif
