/* Sealed SQLite: a VFS under one database that seals every page and every
 * frame of its write-ahead log.
 *
 * What it promises: without the key nothing in either file can be read; a
 * page or frame that was flipped, moved, torn or taken from another database
 * does not open (SQLite sees SQLITE_IOERR_DATA, callers see DAMAGE). A log
 * frame that does not open, or whose SQLite checksum fails, ends the log, as
 * it does in SQLite. If frames of a later transaction follow it, or a
 * checkpoint had begun to carry it over, it can't be a torn write: the open
 * is refused as DAMAGE and nothing is cut off, unless the caller asks for
 * salvage (it keeps the transactions before the damage; check the result).
 *
 * What it can't promise: damage in the last transaction looks like a write
 * that a crash tore, so it is dropped silently; a log whose end was cut off
 * after a whole transaction looks like one that ended there; an older copy of
 * the same page, or of both files, opens.
 *
 * Only WAL with an exclusive lock is served: no rollback journal, no shared
 * memory, no temporary file, no second connection (the database file is
 * locked by flock). A new database is made by its owner with the journal in
 * memory under a temporary name (db.h does it). The file's page size is 4096
 * with 40 bytes reserved in each.
 *
 * One thread at a time uses a database; the seal owns its copy of the key and
 * wipes it. The path must outlive the seal. Nothing suspends. */
#ifndef ENGINE_SEAL_H
#define ENGINE_SEAL_H

#include "engine/files.h"
#include "engine/seal_box.h"

#include <sqlite3.h>

enum {
	SEAL_PAGE = 4096,
	SEAL_RESERVED = BOX_SPARE,
	SEAL_GATHER_MAX = 64,       /* frames held back until the commit is flushed */
	SEAL_LOG_KEEP = 1100,       /* frames of room a log keeps when it starts anew */
	SEAL_LOG_REST = 1792 << 10, /* bytes that it keeps when the database is trimmed: a whole log of an account's */
	SEAL_STEP_MIN = 128 << 10,  /* bytes by which the log's file grows: as many as it has, */
	SEAL_STEP_MAX = 256 << 10,  /* within these */
};

struct seal;

struct seal_options {
	struct files *files;
	const char *path;         /* the database; the log is path-wal */
	const unsigned char *key; /* BOX_KEY bytes */
	const unsigned char *id;  /* BOX_ID bytes, drawn once for each database */
	bool salvage;             /* open in spite of a damaged log */
	uint32_t mirror;          /* frames of the log that memory keeps until the next trim, to be written past the
	                           * system's cache: for a log that is flushed often; 0: none */
};

/* Once in each process, before its jail: sets SQLite up and draws its randomness. */
result seal_start(void) NODISCARD;

result seal_new(const struct seal_options *options, struct seal **out) NODISCARD;
void seal_free(struct seal **seal); /* after sqlite3_close */

/* Opens a connection over the seal, for this thread; `flags` are
 * sqlite3_open_v2's. SQLite touches the file only at the first statement. */
int seal_connect(struct seal *seal, int flags, sqlite3 **out);

/* The sentence of the first damage or failure that was met, or NULL; `kind` says which it was. */
const char *seal_trouble(const struct seal *seal, enum fail_kind *kind);
uint32_t seal_log_frames(const struct seal *seal); /* frames in the log, read or written */
/* Gives buffers back (the log's bases too, some 130 KiB), and an empty log's room above SEAL_LOG_REST. */
void seal_trim(struct seal *seal);

#endif
