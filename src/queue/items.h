/* queue.db: what waits, in which state, and its sealed bytes.
 *
 * A change of an item is durable before the call returns, and only then shows
 * in the schedule. An item is one delivery to one account; keeping it twice is
 * keeping it once. All calls suspend but items_recover and items_load_lines,
 * which block before work begins. Errors: FULL, DISK, DAMAGE, MEMORY, LIMIT,
 * ABSENT, BUSY. */
#ifndef QUEUE_ITEMS_H
#define QUEUE_ITEMS_H

#include "queue/queue.h"
#include "talk/edge_queue.h"
#include "talk/web_queue.h"

extern const struct db_schema items_schema;

/* At start: what was with a courier waits again, with one more attempt counted. */
result items_recover(struct db *db) NODISCARD;
result items_load_lines(struct db *db, struct queue *q) NODISCARD;
result items_sweep(struct queue *q, struct db *db) NODISCARD; /* files that no item names */

/* *item 0: it was there already. */
result items_keep(struct queue *q, const struct edge_queue_keep *m, uint64_t *item) NODISCARD;

/* The account's next item that may go now; *found false: none, and the line
 * says when to look again. What has ended the process before goes alone. */
result items_take(struct queue *q, struct line *l, struct item *out, bool *found) NODISCARD;

enum { ITEM_WRAPPED = EDGE_QUEUE_POST_WRAPPED_MAX };
struct item_content {
	struct body sealed;
	buf bytes; /* where sealed points, for one kept in a row */
	char wrapped[ITEM_WRAPPED];
	size_t wrapped_n;
};
result items_load(struct queue *q, const struct item *i, struct item_content *out) NODISCARD;
void items_content_free(struct item_content *c);

/* How an attempt ended. */
enum item_end {
	ITEM_DONE,    /* the account keeps it: the row goes */
	ITEM_LATER,   /* not now */
	ITEM_UNREACHED, /* its process could not be reached: looked for soon, and no attempt */
	ITEM_DIED,    /* the account's process ended with it; at QUEUE_DEATHS it is held */
	ITEM_ORPHAN,  /* there is no such account any more: the row goes */
};
/* Goes on trying while the disk is full; any other failure leaves it for the next start. */
result items_settle(struct queue *q, struct item *i, enum item_end end, const char *why) NODISCARD;

#endif
