/* Fibers: straight-line procedures that wait by suspending.
 *
 * All fibers of a process run on its one loop thread; a fiber keeps the
 * processor until it waits. A suspended fiber is never destroyed: to end it,
 * fiber_cancel resumes it and every wait it makes from then on returns
 * CANCELLED at once, so that it unwinds by its own cleanup and returns.
 *
 * Stacks come from a pool (64 KiB, in which the fiber's own record lies too, and
 * a guard page); what an idle fiber no longer uses of its stack is given back to
 * the machine. Calls marked "suspends" may only be made on a fiber, never on the
 * loop's own stack.
 * Times are milliseconds on the monotonic clock; FIBER_FOREVER never ends. */
#ifndef RUN_FIBER_H
#define RUN_FIBER_H

#include <stdint.h>

#include "base/fail.h"
#include "base/list.h"

enum { FIBER_STACK = 64 * 1024, FIBERS_MAX = 40000 };
#define FIBER_FOREVER UINT64_MAX

struct fiber;

/* Queues a new fiber; it starts before the loop polls again, in the order of
 * the calls. `name` is static. LIMIT at FIBERS_MAX, MEMORY without a stack.
 * The fiber frees itself when fn returns; *out (may be NULL) is for
 * fiber_cancel and ends with it. */
result fiber_start(void (*fn)(void *arg), void *arg, const char *name, struct fiber **out) NODISCARD;
struct fiber *fiber_self(void); /* NULL on the loop's own stack */
void fiber_cancel(struct fiber *f);
bool fiber_cancelled(void);
size_t fiber_count(void);
/* Tests that hold the clock: when the next wait may end by time; FIBER_FOREVER: none does. */
uint64_t fiber_test_due(void);

result fiber_sleep(uint64_t ms) NODISCARD; /* suspends; OK or CANCELLED */
void fiber_yield(void);                    /* suspends until the other ready fibers ran and the loop polled */
/* Runs fn on the loop's own, large stack while nothing else runs: for foreign
 * code that needs more than FIBER_STACK. fn must not wait. */
void fiber_on_loop_stack(void (*fn)(void *arg), void *arg);

/* A place where fibers wait for something that another fiber or a callback
 * brings about. Wakes are not remembered: test the condition, wait, test again. */
struct gate {
	struct list waiting;
};

void gate_init(struct gate *g);
result gate_wait(struct gate *g, uint64_t timeout_ms) NODISCARD; /* suspends; OK, TIMEOUT or CANCELLED */
/* Suspends until a wake, also when cancelled: for a fiber whose stack other fibers use. */
void gate_hold(struct gate *g);
void gate_wake_one(struct gate *g);
void gate_wake_all(struct gate *g);

/* One descriptor that fibers wait on. The descriptor stays its owner's; close
 * the watch first. At most one fiber waits for reading and one for writing.
 * Interest is kept armed between waits, since arming costs two system calls. */
struct fd_watch;

enum { FD_READ = 1, FD_WRITE = 2 };

result fd_watch_open(int fd, struct fd_watch **out) NODISCARD;
void fd_watch_close(struct fd_watch **w); /* a fiber waiting on it gets CLOSED */
result fd_wait(struct fd_watch *w, int events, uint64_t timeout_ms) NODISCARD; /* suspends */
/* Waits until a is readable or b is readable or `also` on a is possible; *which
 * gets FD_A and/or FD_B. One fiber carries both directions of a session with it. */
struct fd_pair {
	struct fd_watch *a;
	int a_events;
	struct fd_watch *b;
	int b_events;
};
enum { FD_A = 1, FD_B = 2 };
result fd_wait_pair(const struct fd_pair *p, uint64_t timeout_ms, int *which) NODISCARD; /* suspends */

#endif
