/* What the queue room holds, and the rooms it asks. One process has one. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/log.h"
#include "engine/committer.h"
#include "engine/engine.h"
#include "queue/schedule.h"
#include "queue/traffic.h"
#include "run/fiber.h"
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
	QUEUE_DISK_MS = 5000,       /* wait before what could not be written is tried again */
	QUEUE_WHY_MAX = 200,
	QUEUE_TOGETHER = 50,        /* recipients of one transaction with a server, rows of one report */
	QUEUE_ASK_MS = 20000,       /* for auth */
	QUEUE_SEND_MS = 3600000,    /* for the relay; it has its own, shorter times for each step (RFC 5321 4.5.3.2) */
	QUEUE_REPORT_MS = 120000,   /* for the relay to write a report */
	QUEUE_REPORT_WAIT_MS = 30000, /* before a report that could not be written is tried again */
	QUEUE_ALARMS = 64,          /* messages whose time is looked at in one transaction */
	QUEUE_ALARM_AGAIN_MS = 30000, /* for one that is under way when its time has come */
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

/* Mail for other servers (queue/mail.h): its settings and what is under way. */
struct outward {
	struct backoff retry;
	uint64_t expire_ms, warn_ms; /* warn_ms 0: nobody is warned */
	uint64_t suppress_ms;        /* 0: nobody is suppressed */
	unsigned sessions, sessions_each;
	struct traffic traffic;
	struct list parcels; /* under way: struct parcel */
	size_t carriers;
	uint64_t not_before; /* there is no relay now */
	uint32_t pauses;
	size_t sending;      /* what the relay has now */
	bool alone;          /* one of them has ended a relay before */
	struct gate changed; /* the traffic, or a carrier has ended */
	struct gate calmer;  /* sending became less */
	struct gate alarm, tell;
	int64_t alarm_at;    /* wall clock; INT64_MAX: none */
	uint64_t judged[QUEUE_ALARMS]; /* messages whose time is just looked at */
	size_t judged_n;
	bool to_tell;        /* a recipient's end was written down that is to be reported */
};

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
/* The same for mail to other servers; and its alarms and reports. */
void queue_run_outward(struct queue *q);
void queue_run_alarms(struct queue *q);
void queue_run_reports(struct queue *q);

#endif
