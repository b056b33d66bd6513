/* How much processor time one command has taken, wherever it was spent.
 *
 * A session begins an effort for each command and ends it with the answer; it
 * owns the struct. What its fiber does in between is charged, and what another
 * fiber or a thread does while it has taken the effort on. Work that can be
 * long asks between its steps whether the limit is reached: LIMIT then, and at
 * every later question of this command. Nothing is ended by force.
 *
 * The first EFFORT_COARSE_MS are measured by the wall clock, which is the
 * cheaper by far and never shows less; from then on by the thread's own
 * (clock_cpu_ns). Without an effort every call here answers OK at once. */
#ifndef RUN_EFFORT_H
#define RUN_EFFORT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/fail.h"

enum effort_times {
	EFFORT_COARSE_MS = 1000,
	EFFORT_LOOK_US = 500, /* between two looks at the clock */
	EFFORT_TURN_MS = 10,  /* a fiber that has run for so long lets others run */
};

#define EFFORT_SPENT "this took more processor time than one command may; ask for less at a time"

struct effort {
	uint64_t limit_ns;
	_Atomic uint64_t used_ns;
};

/* On a fiber, which has none yet. limit_ms 0: no limit. */
void effort_begin(struct effort *e, uint64_t limit_ms);
void effort_end(void);
/* Whom the calling fiber or thread works for now; NULL: for none. */
struct effort *effort_current(void);
/* On a fiber: what it does from now on is charged to e (NULL: to nobody). */
void effort_take(struct effort *e);
/* On a thread, or on the loop outside of fibers: the same. */
void effort_lend(struct effort *e);
void effort_charge(uint64_t ns); /* what another process did for it */

result effort_check(void) NODISCARD; /* LIMIT when it is spent */
result effort_go_on(void) NODISCARD; /* the same; suspends first where this fiber has run for long */
bool effort_spent(const struct effort *e);

/* Tests: from now on each question costs so much besides, whatever the clocks say. */
void effort_test_cost(uint64_t ns);

#endif
