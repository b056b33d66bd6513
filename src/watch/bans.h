/* Bans: which networks are refused, or served slowly, until when, why and by whom.
 *
 * Rows of ledger.db, all of them in memory too, and on the page that every edge looks
 * at (talk/ban_page.h). A ban holds for edges when bans_set returns; it is on the disk
 * a moment later (bans_settle). While the disk refuses it, it holds all the same and
 * is tried again. What ends by its time ends at the edges by itself, and here within
 * BANS_SWEEP_MS. A detector's word neither weakens nor ends an administrator's, nor does
 * it weaken a detector's; a full table lets go of those detectors' bans that would end
 * first. Networks that lie in `never` are not banned.
 *
 * Owns its memory, the page and one fiber. Only what says so suspends. Times are
 * milliseconds since 1970. */
#ifndef WATCH_BANS_H
#define WATCH_BANS_H

#include "talk/ban_page.h"
#include "talk/settings.h"
#include "talk/web_watch.h"
#include "watch/ledger.h"

enum bans_limits {
	BANS_ROWS = BAN_PAGE_ROWS,
	BANS_ROOM = 512,         /* a full table lets go of so many at once */
	BANS_PENDING = 2 * BAN_PAGE_ROWS, /* changes that wait for the disk */
	BANS_SWEEP_MS = 10000,
	BANS_RETRY_MS = 1000,    /* after the disk refused */
	BANS_COUNT_MS = 60000,   /* how often the numbers of refused connections are written down */
};

struct bans;

struct bans_options {
	struct ledger *ledger; /* outlives it */
	int page;              /* of the supervisor, taken; -1: no edge reads */
	struct networks never; /* the caller's */
};

struct ban_wish {
	struct ban_row row;
	bool by_hand;
	str why; /* a sentence, with the evidence */
	str by;  /* a detector's name, "administrator" */
};

/* After the jail, on a fiber: reads the rows. Suspends. */
result bans_open(const struct bans_options *o, struct bans **out) NODISCARD;
void bans_close(struct bans **b); /* writes what waits; suspends */

/* DENIED: never banned. LIMIT. EXISTS: an administrator's stands there, or a stricter or longer one, which stays. */
result bans_set(struct bans *b, const struct ban_wish *w) NODISCARD;
/* ABSENT. LIMIT: too many changes wait for the disk; it goes on. */
result bans_remove(struct bans *b, const net_cidr *network, str by) NODISCARD;
/* OK: all that was changed so far is on the disk. Suspends. DISK, FULL: it is not yet. */
result bans_settle(struct bans *b) NODISCARD;
/* Edges have refused that many of its connections. */
void bans_refused(struct bans *b, str network, uint64_t connections);
size_t bans_count(const struct bans *b);

/* For people; views lie in the arena. Suspend. */
result bans_list(struct bans *b, str after, arena *a, struct web_watch_bans *out) NODISCARD;
result bans_why(struct bans *b, str address, arena *a, struct web_watch_ban_is *out) NODISCARD;

#endif
