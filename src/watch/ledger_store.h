/* The ledger's database: what the store thread does.
 *
 * Entries lie packed, many to a row. Marks lead from a trace id or an address to
 * an entry. Trace ids are random, so one tree of marks would touch a page for
 * each; therefore marks are kept in epochs of at most LEDGER_EPOCH_MARKS, each a
 * part of the tree small enough that a commit's marks share pages. A search asks
 * every epoch; forgetting removes whole epochs, the oldest first.
 *
 * These calls block; the committer's thread makes them (engine/committer.h). */
#ifndef WATCH_LEDGER_STORE_H
#define WATCH_LEDGER_STORE_H

#include "engine/query.h"
#include "watch/entry.h"

enum {
	LEDGER_EPOCH_MARKS = 32768,
	LEDGER_ROW_MAX = 256 << 10,  /* octets of entries in one row, before packing */
	LEDGER_FOUND_MAX = 30,       /* entries one search gives */
	LEDGER_MORE_MAX = 10000,     /* further ones are counted up to here */
};

extern const struct db_schema ledger_schema;

struct mark {
	int64_t key;
	uint32_t row; /* of the batch, from 0 */
	uint32_t at;  /* offset in the row */
	enum lane lane;
};

/* Some entries on their way into the database. */
struct ledger_batch {
	buf entries;
	size_t *cuts; /* where each row starts */
	size_t rows, rows_cap;
	struct mark *marks;
	size_t n, cap;
	uint64_t count;
};

struct ledger_writing {
	struct ledger_batch *batch;
	int64_t now;        /* milliseconds since 1970 */
	int64_t keep_ms;    /* older epochs are forgotten */
	uint64_t octets_max; /* of the database; beyond, the oldest epoch is forgotten */
};
result ledger_write(struct db *db, void *writing) NODISCARD;

struct ledger_search {
	str address;               /* n is 0: by trace */
	struct trace_prefix trace;
	const unsigned char *secret;
	buf found;                 /* entries, one behind the other, newest first */
	size_t offsets[LEDGER_FOUND_MAX];
	size_t n;
	uint64_t more;
};
result ledger_search(struct db *db, void *search) NODISCARD;

#endif
