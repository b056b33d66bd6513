/* Which sender's mail goes next to which destination; in memory only, made from
 * the rows at start.
 *
 * A **turn** is what one sender has for one destination. Turns rest until
 * something of theirs is due, are ready, or are blocked because their
 * destination takes no more sessions now. Senders with ready turns take turns,
 * and so do a destination's blocked turns; so a run of 10,000 letters holds up
 * nobody's single one, to the same destination or to another.
 *
 * A **destination** begins with TRAFFIC_FIRST sessions. Each that succeeds
 * allows one more, up to `most`; an answer that asks for fewer halves them; one
 * that was not reached is left alone for a while, then tried with one.
 *
 * Times are milliseconds on the monotonic clock. Turns and destinations belong
 * to the traffic and go by themselves when nothing of theirs waits or runs.
 * Errors: MEMORY, LIMIT. Nothing suspends. */
#ifndef QUEUE_TRAFFIC_H
#define QUEUE_TRAFFIC_H

#include "base/hash.h"
#include "base/list.h"
#include "queue/schedule.h"

enum {
	TRAFFIC_FIRST = 2,
	TRAFFIC_TURNS = 10000000,
	TRAFFIC_NAME = 255,
	TRAFFIC_RESPITE_MS = 1000, /* after an answer that asks for fewer sessions */
};

struct way {
	uint64_t route;
	str destination;
	int64_t sender; /* an account, or a number below 0 made of a domain */
};

struct sender {
	int64_t key;
	struct list ready; /* of turns */
	struct list node;  /* among the senders that have ready turns */
	size_t turns;
};

struct destination {
	struct due due; /* when it may be tried again */
	struct list blocked;
	uint64_t route, not_before;
	unsigned running, window, fails;
	size_t turns;
	unsigned char name_n;
	char name[];
};

struct turn {
	struct due due; /* when something of it is due */
	struct list node;
	struct destination *to;
	struct sender *from;
	unsigned running; /* couriers that took of it and have not ended */
	bool queued;      /* in a list */
	bool unsettled;   /* of those under way one could not be written down: none is looked at again before a restart */
	struct list fresh; /* letters at hand (queue/fresh.h) */
	bool all_fresh;   /* nothing else of it waits */
	bool look;        /* rows may have been passed over: it looks from the first one on when nothing runs */
	int64_t seen_next; /* rows up to this one are under way */
	uint64_t seen_id;
};

struct traffic {
	hash turns, destinations, senders;
	struct heap due, off;
	struct list ready; /* of senders */
	struct backoff backoff;
	unsigned most; /* sessions to one destination */
};

void traffic_init(struct traffic *t, const struct backoff *b, unsigned most);
void traffic_free(struct traffic *t);

/* Something waits there, and is due at that time. */
result traffic_wait(struct traffic *t, const struct way *w, uint64_t at) NODISCARD;
/* The same for what came just now; the turn is all_fresh if nothing of it was known before. */
result traffic_arrived(struct traffic *t, const struct way *w, uint64_t at, struct turn **out) NODISCARD;
/* Rows of it changed otherwise than by coming and going: they are asked again. */
void turn_changed(struct turn *turn);
void traffic_changed(struct traffic *t); /* rows of any turn did */
/* Also forgets that the destination could not be reached. */
void traffic_retry(struct traffic *t, uint64_t now);

/* The turn that may go now; it counts as running until traffic_ended. NULL:
 * none, and *wait says how long nothing changes by itself. */
struct turn *traffic_next(struct traffic *t, uint64_t now, uint64_t *wait);
/* What was next has been taken; `at` says when more of the turn is due. */
void traffic_taken(struct traffic *t, struct turn *turn, uint64_t at);

enum traffic_answer {
	TRAFFIC_NOTHING, /* nothing was sent */
	TRAFFIC_WELL,
	TRAFFIC_SLOWER,
	TRAFFIC_UNREACHED,
};
struct traffic_end {
	enum traffic_answer answer;
	uint64_t now;
	uint32_t random;
	bool unsettled;
};
void traffic_ended(struct traffic *t, struct turn *turn, const struct traffic_end *e);

str destination_name(const struct destination *d);

#endif
