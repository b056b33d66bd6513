/* Mail for other servers: a row for each message, one for each recipient.
 *
 * A recipient waits (for its `next`), is held (until the message's hold_until,
 * or an administrator lets it go), is stopped (by an administrator, or with its
 * account: contain.h), is in quarantine (a relay ended with it
 * QUEUE_DEATHS times) or is gone: it is delivered or failed, and stays only
 * until the report of that is kept. That a recipient is under way is known in
 * memory alone: after a restart it waits, as it did. `tell` says what is to be
 * reported. What changes is durable before a call returns, and shows in the
 * traffic only then. All calls suspend but mail_load, which blocks before work
 * begins. Errors as in queue/items.h. */
#ifndef QUEUE_MAIL_H
#define QUEUE_MAIL_H

#include "queue/items.h"
#include "talk/queue_relay.h"

enum mail_state { MAIL_WAITING = 0, MAIL_HELD = 1, MAIL_QUARANTINE = 2, MAIL_GONE = 3, MAIL_STOPPED = 4 };
enum mail_tell { TELL_NOTHING = 0, TELL_FAILED = 1, TELL_DELAYED = 2, TELL_DELIVERED = 3, TELL_RELAYED = 4 };
enum mail_notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

result mail_load(struct db *db, struct queue *q) NODISCARD; /* the traffic, and when the first alarm is */

result mail_refresh(struct queue *q) NODISCARD; /* after rows were changed by hand */

/* Kept once, however often the delivery id comes. */
result mail_post(struct queue *q, struct edge_queue_post *m, arena *a) NODISCARD;

struct addressee {
	uint64_t id;
	str address, orcpt;
	uint8_t notify;
	uint32_t attempts;
};

/* A message for one destination, with the recipients of one transaction. */
struct parcel {
	struct list node; /* of queue.out.parcels */
	struct turn *turn;
	arena arena;
	uint64_t message, account, octets;
	trace_id delivery;
	str sender, envid;
	uint8_t ret;
	uint32_t flags, deaths;
	int64_t deliver_by, arrived, began; /* deliver_by seconds; `began`: what its longest time is counted from, ms */
	bool by_return;
	struct addressee to[QUEUE_TOGETHER];
	size_t n;
	struct item_content content;
	bool in_file;
	struct blob_key body;
};

void parcel_new(struct parcel *p);
/* The turn's next message; n 0: nothing of it is due. *at: when more is, on the
 * monotonic clock. Into a parcel_new. */
result mail_take(struct queue *q, struct turn *t, struct parcel *p, uint64_t *at) NODISCARD;
result mail_fetch(struct queue *q, struct parcel *p) NODISCARD; /* the content that lies in a file */
void parcel_free(struct parcel *p);

/* Before an attempt: when the routes are others than those the rows go by, all of them are given their way anew.
 * *moved: so it was, and the parcel is to be taken anew. */
result mail_follow_routes(struct queue *q, const struct parcel *p, bool *moved) NODISCARD;

struct mail_end {
	const struct queue_relay_outcome *outcomes; /* as many as the parcel's recipients; NULL: nothing was heard */
	str host;
	str why;   /* where nothing was heard */
	bool died; /* the relay ended with it */
};
/* Goes on trying while the disk is full. */
result mail_settle(struct queue *q, struct parcel *p, const struct mail_end *end) NODISCARD;

#endif
