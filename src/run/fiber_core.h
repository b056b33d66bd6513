/* What the waits of run/ are built from: suspend the running fiber, wake one.
 *
 * Only files of run/ include this; everybody else waits through fiber.h. The
 * loop's own stack runs the callbacks; fibers run from its prepare phase,
 * until none is ready, then the loop polls. */
#ifndef RUN_FIBER_CORE_H
#define RUN_FIBER_CORE_H

#include "run/context.h"
#include "run/effort.h"
#include "run/fiber.h"

enum wake { WAKE_EVENT, WAKE_TIMEOUT, WAKE_CANCEL };
enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_WAITING, FIBER_DONE };

/* Lies above its own stack: one that rests holds a page of it anyway. */
struct fiber {
	struct list place; /* ready, resting or pooled; empty when it rested long and was trimmed */
	struct list all;
	struct context context;
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	enum fiber_state state;
	enum wake wake;
	bool cancelled;
	bool holds_out; /* the present wait does not end by fiber_cancel */
	uint64_t since;    /* when it began to wait or was pooled; loop time */
	uint64_t deadline; /* of the present wait */
	uint64_t alarm;    /* its key in the heap: never later than the deadline */
	size_t heap_index; /* 1-based; 0 when it is not in the heap */
	struct effort *effort; /* that it works for (effort.h); NULL: none */
};

/* Suspends. How it was woken; WAKE_CANCEL at once when cancelled already. */
enum wake fiber_suspend(uint64_t timeout_ms);
/* Suspends until fiber_wake even when cancelled: for a fiber whose stack holds
 * what another thread is using. */
void fiber_suspend_hard(void);
/* False when f does not wait or something else woke it first: pick another. */
bool fiber_wake(struct fiber *f);
result fiber_result(enum wake w) NODISCARD;

/* A call made once, on the loop's stack, when the fibers that are ready now
 * have run and before the loop polls: for what is worth gathering. */
struct round_end {
	struct list node;
	void (*fn)(struct round_end *r);
};
void round_end_init(struct round_end *r, void (*fn)(struct round_end *r));
void round_end_forget(struct round_end *r);
void fiber_at_round_end(struct round_end *r); /* asking twice is asking once */

struct uv_loop_s;
result fiber_system_open(struct uv_loop_s *loop) NODISCARD;
void fiber_system_close(void);       /* no fiber may be left */
void fiber_cancel_all(bool refuse);  /* refuse: no further fiber is started */
void fiber_list(void (*tell)(void *ctx, const char *name), void *ctx);

/* The waits' deadlines: a heap keyed by time, one slot reserved per fiber, so
 * that waiting never allocates. An entry stays when its wait ends early and is
 * put right when it comes up: most waits of a session never touch the heap. */
result fiber_heap_reserve(size_t fibers) NODISCARD;
void fiber_heap_free(void);
void fiber_heap_want(struct fiber *f); /* f->deadline was set */
void fiber_heap_remove(struct fiber *f);
uint64_t fiber_heap_next(void); /* FIBER_FOREVER when empty */
struct fiber *fiber_heap_due(uint64_t now); /* NULL when none is */

#endif
