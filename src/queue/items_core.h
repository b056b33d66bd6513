/* What the files of the items share, and nobody else. */
#ifndef QUEUE_ITEMS_CORE_H
#define QUEUE_ITEMS_CORE_H

#include "queue/items.h"

result items_write(struct queue *q, result (*run)(struct db *db, void *arg), void (*kept)(void *arg),
	void *arg) NODISCARD;
result items_commit(struct queue *q, const struct commit_job *job) NODISCARD; /* the same, in one's own words */
result items_read(struct queue *q, result (*run)(struct db *db, void *arg), void *arg) NODISCARD;

/* An item on its way into the queue: prepared (a large one goes into a file),
 * inserted within a transaction, shown to the schedule. */
struct keeping {
	struct queue *q;
	const struct edge_queue_keep *m;
	struct blob_key body;
	bool in_file;
	int64_t now, next;
	uint64_t id; /* 0: it was there already */
	enum item_state state;
};
result keeping_prepare(struct keeping *k) NODISCARD;
result keeping_insert(struct db *db, struct keeping *k) NODISCARD;
void keeping_kept(struct keeping *k);

/* A body file's content, in a memfd. */
result items_load_file(struct queue *q, const struct blob_key *key, uint64_t octets, struct body *out) NODISCARD;

/* The body file that an item's row names; false when it has none. */
result items_body_of(struct db *db, uint64_t id, struct blob_key *key, bool *there) NODISCARD;
/* After the row has gone; a failure leaves a file that the next start sweeps. */
void items_delete_body(struct queue *q, const struct blob_key *key);
/* After a write that did not need it or failed. Where the disk failed a commit a row may name it all the same: then it
 * stays, and the start that comes next sweeps it if none does. */
void items_drop_body(struct queue *q, const struct blob_key *key, result write);

/* The wait before an account is looked for once more. */
uint64_t items_soon(const struct queue *q, unsigned unreached);

/* Milliseconds; a time beyond all calendars is none, 0. */
int64_t items_ms_of(int64_t seconds);

/* A wall clock time of a row, on the monotonic clock. What lies further ahead
 * than any wait was written by a clock that has been set back since: now. */
uint64_t items_when(int64_t wall_ms);

#endif
