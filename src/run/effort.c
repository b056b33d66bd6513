#include "run/effort.h"

#include "run/clock.h"
#include "run/fiber_core.h"

/* What the running fiber or thread is at: one of each thread. */
static _Thread_local struct {
	struct effort *effort;
	uint64_t since; /* by the clock that `exact` names: up to here it is charged */
	bool exact;
	uint64_t looked; /* clock_mono_ns */
	uint64_t turn;   /* the same: when the fiber was resumed */
} here;

static uint64_t test_cost;

enum { NS_MS = 1000000, NS_US = 1000 };

static void begin_slice(struct effort *e)
{
	here.effort = e;
	if (!e)
		return;
	here.looked = clock_mono_ns();
	here.exact = atomic_load_explicit(&e->used_ns, memory_order_relaxed) >= UINT64_C(1) * EFFORT_COARSE_MS * NS_MS;
	here.since = here.exact ? clock_cpu_ns() : here.looked;
}

static void end_slice(void)
{
	if (here.effort)
		effort_charge((here.exact ? clock_cpu_ns() : clock_mono_ns()) - here.since);
}

static void work_for(struct effort *e)
{
	end_slice();
	begin_slice(e);
}

void effort_lend(struct effort *e)
{
	if (!here.effort && !e)
		return;
	work_for(e);
	here.turn = here.looked;
}

void effort_take(struct effort *e)
{
	fiber_self()->effort = e;
	effort_lend(e);
}

void effort_begin(struct effort *e, uint64_t limit_ms)
{
	e->limit_ns = limit_ms && limit_ms < UINT64_MAX / NS_MS ? limit_ms * NS_MS : UINT64_MAX;
	atomic_init(&e->used_ns, 0);
	effort_take(e);
}

void effort_end(void)
{
	effort_take(NULL);
}

struct effort *effort_current(void)
{
	return here.effort;
}

void effort_charge(uint64_t ns)
{
	if (here.effort)
		atomic_fetch_add_explicit(&here.effort->used_ns, ns, memory_order_relaxed);
}

bool effort_spent(const struct effort *e)
{
	return atomic_load_explicit(&e->used_ns, memory_order_relaxed) > e->limit_ns;
}

void effort_test_cost(uint64_t ns)
{
	test_cost = ns;
}

result effort_check(void)
{
	if (!here.effort)
		return OK;
	effort_charge(test_cost);
	if (clock_mono_ns() - here.looked >= UINT64_C(1) * EFFORT_LOOK_US * NS_US)
		work_for(here.effort);
	return effort_spent(here.effort) ? failure(FAIL_LIMIT, EFFORT_SPENT) : OK;
}

result effort_go_on(void)
{
	TRY(effort_check());
	if (here.effort && here.looked - here.turn >= UINT64_C(1) * EFFORT_TURN_MS * NS_MS)
		fiber_yield();
	return OK;
}
