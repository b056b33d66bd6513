/* Rows of many messages one batch after the other: while the caller works on
 * one, the store thread reads the next.
 *
 * Zero-cost for a single batch. The caller owns the reader and the uids, which
 * outlive it; what ahead_next gives lives until the next call. At most two
 * batches are in memory, each under `max` octets. ahead_next suspends;
 * ahead_end does as well, until the reading under way has ended. */
#ifndef ACCOUNT_STORE_AHEAD_H
#define ACCOUNT_STORE_AHEAD_H

#include "account/store/fetch.h"
#include "run/effort.h"
#include "run/fiber.h"

struct ahead_batch {
	arena arena;
	struct fetched got;
	result r;
};

struct ahead {
	struct view *view;
	struct uids left; /* after the last batch that was begun */
	unsigned want;
	struct effort *effort; /* of the command that reads; the fiber that reads ahead works for it */
	struct ahead_batch batch[2];
	unsigned turn;   /* which of them comes next */
	bool ready;      /* it has been read, or is being read */
	bool reading;
	struct gate read;
};

void ahead_begin(struct ahead *a, struct view *v, const struct uids *which, unsigned want, size_t max);
/* got->n 0: that was all. DAMAGE: one message, which is left out, cannot be read;
 * the next call goes on behind it. `m` is for what else belongs to the batch. */
result ahead_next(struct ahead *a, struct fetched *got, arena **m) NODISCARD;
void ahead_end(struct ahead *a);

#endif
