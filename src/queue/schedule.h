/* When which account is tried again: one line for each account that something
 * waits for, the most urgent line first.
 *
 * Times are milliseconds on the monotonic clock; SCHEDULE_NEVER is a line that
 * waits for an event alone. Lines belong to the schedule; schedule_drop frees
 * one that nobody works on. Errors: MEMORY, LIMIT. Nothing suspends. */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "base/hash.h"
#include "base/list.h"
#include "queue/heap.h"

#define SCHEDULE_NEVER DUE_NEVER

enum {
	SCHEDULE_LINES = 10000000,
	SCHEDULE_WAIT_MOST = 3600 * 1000, /* between two tries */
};

struct line {
	uint64_t account;
	struct due due;      /* when to look for work, SCHEDULE_NEVER: not by the clock */
	uint64_t not_before; /* the account as a whole could not be reached */
	unsigned running;    /* couriers under way */
	unsigned unreached;  /* how often in a row */
	bool blocked;        /* something waits until no courier is under way */
	bool exclusive;      /* what is under way has ended the account's process before */
};

struct schedule {
	hash lines;
	struct heap heap;
};

void schedule_init(struct schedule *s);
void schedule_free(struct schedule *s);

/* The account's line, made when there is none (then never due). */
result schedule_line(struct schedule *s, uint64_t account, struct line **out) NODISCARD;
struct line *schedule_find(const struct schedule *s, uint64_t account);
void schedule_set(struct schedule *s, struct line *l, uint64_t at);
/* Not later than `at`, yet not before the account may be tried. */
void schedule_hasten(struct schedule *s, struct line *l, uint64_t at);
struct line *schedule_first(const struct schedule *s); /* NULL: no line is ever due */
void schedule_drop(struct schedule *s, struct line *l);

struct backoff {
	uint64_t first, most;
};

/* The wait after so many attempts: doubling from the first, at most the most,
 * then up to a quarter less by `random`, so that what failed together does not
 * come back together. */
uint64_t schedule_backoff(const struct backoff *b, uint32_t attempts, uint32_t random);

#endif
