/* The trace ledger: which room said what about a letter, by trace id and by
 * address, in the sealed ledger.db.
 *
 * Entries are gathered and committed together, every LEDGER_EVERY_MS at most:
 * a crash may lose so much. More than LEDGER_PENDING_MAX octets are not kept
 * waiting: further entries are dropped and counted, and the log says so. A
 * ledger that is damaged is set aside (ledger.db.damaged) and a new one begun,
 * because the log must go on. The ledger owns its memory and its database. */
#ifndef WATCH_LEDGER_H
#define WATCH_LEDGER_H

#include "base/arena.h"
#include "engine/committer.h"
#include "talk/web_watch.h"
#include "watch/entry.h"

enum {
	LEDGER_EVERY_MS = 200,
	LEDGER_PENDING_MAX = 8 << 20,
	LEDGER_KEY = 32,
};

struct ledger;

struct ledger_options {
	struct files *files;             /* outlives the ledger */
	const unsigned char *key;        /* LEDGER_KEY octets, copied */
	int64_t keep_ms;
	uint64_t octets_max;
};

/* After the jail, on a fiber. CONFLICT: written by a newer version. */
result ledger_open(const struct ledger_options *o, struct ledger **out) NODISCARD;
void ledger_add(struct ledger *l, const struct entry *e, const struct log_record *r); /* never waits */
uint64_t ledger_kept(const struct ledger *l);    /* entries committed since the start */
uint64_t ledger_dropped(const struct ledger *l);

/* A trace id or its first 8 digits or more: its events in order; an address: the
 * latest events that name it, in order. INPUT for anything else. Views of the
 * answer lie in the arena. Suspends. */
result ledger_find(struct ledger *l, str query, arena *a, struct web_watch_traces *out) NODISCARD;

/* What else watch remembers lies in the same database: a job of its own. Suspends. */
result ledger_do(struct ledger *l, const struct commit_job *job) NODISCARD;

void ledger_close(struct ledger **l); /* commits what waits; suspends */

#endif
