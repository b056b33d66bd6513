/* What the queue room holds, and the rooms it asks. One process has one. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/log.h"
#include "engine/committer.h"
#include "engine/engine.h"
#include "queue/outward.h"
#include "talk/channel.h"

enum {
	QUEUE_KEY = 32,
	QUEUE_COURIERS = 16,        /* items under way at the same time */
	QUEUE_COURIERS_EACH = 4,    /* to one account */
	QUEUE_TURN = 16,            /* items that a courier takes before another account has its turn */
	QUEUE_OCTETS = 64 << 20,    /* of items under way; a larger one goes alone */
	QUEUE_DEATHS = 3,           /* ends of the account's process with the item, then quarantine */
	QUEUE_INLINE = 256 << 10,   /* sealed octets in a row; above that a file */
	QUEUE_ANSWER_MS = 120000,   /* for an account to keep an item */
	QUEUE_LOG_FRAMES = 400,     /* see DB_LOG_FRAMES; as an account's log */
	QUEUE_DISK_MS = 5000,       /* wait before what could not be written is tried again */
	QUEUE_SOON = 16,            /* the part of retry-time after which an account is first looked for */
	QUEUE_WHY_MAX = 200,
};

/* Waits for its next try; is with a courier; is held for an administrator. */
enum item_state { ITEM_WAITING = 0, ITEM_DELIVERING = 1, ITEM_QUARANTINE = 2 };

struct item {
	uint64_t id;
	trace_id delivery;
	uint64_t account;
	uint64_t octets; /* sealed */
	uint32_t attempts, deaths;
};

/* The other rooms, as calls, so that tests can stand in for them. */
struct queue_world {
	/* A channel that speaks courier-account; the room's. ABSENT: no such account. Suspends. */
	result (*account)(uint64_t account, struct channel **out);
	/* queue-relay, to any of the pool; queue-auth. DENIED, ABSENT: there is no such room. Suspends. */
	result (*relay)(struct channel **out);
	result (*auth)(struct channel **out);
	/* The disk failed: a new process opens the database again. */
	void (*give_up)(result why);
};
extern const struct queue_world queue_world_of_rooms;

struct queue {
	struct backoff retry;
	struct outward out;
	const struct queue_world *world;
	struct engine *engine;
	struct committer *store;
	struct schedule schedule;
	struct gate changed; /* the schedule, or a courier has ended */
	struct gate lighter; /* octets under way became fewer */
	size_t couriers;
	uint64_t octets;
	bool opened;
};

/* The room's one queue: what the handlers of its doors work on. */
extern struct queue queue;

/* retry, out's settings and world are set. Blocks on the disk, before work begins. */
result queue_open(struct queue *q, struct files *f, const unsigned char key[QUEUE_KEY]) NODISCARD;
void queue_close(struct queue *q); /* no courier is left */

/* Sends couriers until cancelled. Sleeps without a timer when nothing waits. */
void queue_run(struct queue *q);

#endif
