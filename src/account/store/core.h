/* The store, and what its files share.
 *
 * Two threads: functions marked "store thread" run inside a job and see the
 * database and their work alone; all others run on the loop and see memory
 * alone. Memory is changed by effects_apply only, after the commit. */
#ifndef ACCOUNT_STORE_CORE_H
#define ACCOUNT_STORE_CORE_H

#include "account/store/catalog.h"
#include "account/store/delivered.h"
#include "account/store/kept.h"
#include "account/store/known.h"
#include "account/store/list.h"
#include "account/store/loaded.h"
#include "account/store/rights.h"
#include "account/store/room.h"
#include "account/store/work.h"
#include "engine/committer.h"
#include "engine/engine.h"

struct store {
	struct committer *committer;
	struct files *files; /* for the ballast */
	void (*give_up)(result why); /* or NULL */
	struct account_row account;
	struct catalog catalog;
	size_t kept_rows; /* of mailboxes in memory that nobody holds */
	uint32_t last_view;
	bool broken;          /* memory is behind the database */
	bool sweep_due;       /* a body file may have no row */
	bool uncertain;       /* a commit that the disk failed may hold, with body files that no row seems to name */
	struct room room;
	unsigned preparing;   /* letters whose body file may be there before its row */
	struct kept_letters kept;
	/* The store thread's: */
	struct engine *engine; /* opened and released on the loop, otherwise the store thread's */
	buf scratch;
	struct delivered delivered;
	struct known known;
	struct lists lists;
};

enum {
	STORE_LOG_FRAMES = 400,   /* see DB_LOG_FRAMES; ARCHITECTURE.md says why so few */
	STORE_ROWS_KEPT = 100000, /* rows kept of mailboxes nobody looks at, until store_trim */
};

/* Store thread: body files nobody names are counted, and go when `remove`. */
result store_sweep(struct store *s, struct db *db, bool remove, uint64_t *unnamed) NODISCARD;
result store_sweep_if_due(struct store *s) NODISCARD; /* suspends */

void store_object_id(char kind, uint64_t number, char out[MAILBOX_ID_SIZE]);
void box_status(const struct mbox *b, struct mailbox_status *out);

#endif
