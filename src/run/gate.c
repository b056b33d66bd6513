#include "run/fiber_core.h"

struct gate_seat {
	struct list node;
	struct fiber *fiber;
};

void gate_init(struct gate *g)
{
	list_init(&g->waiting);
}

result gate_wait(struct gate *g, uint64_t timeout_ms)
{
	struct gate_seat seat = {.fiber = fiber_self()};
	list_insert(&g->waiting, &seat.node);
	enum wake w = fiber_suspend(timeout_ms);
	list_remove(&seat.node);
	return fiber_result(w);
}

void gate_hold(struct gate *g)
{
	struct gate_seat seat = {.fiber = fiber_self()};
	list_insert(&g->waiting, &seat.node);
	fiber_suspend_hard();
	list_remove(&seat.node);
}

void gate_wake_one(struct gate *g)
{
	while (!list_empty(&g->waiting)) {
		struct gate_seat *seat = LIST_OWNER(g->waiting.next, struct gate_seat, node);
		list_remove(&seat->node);
		if (fiber_wake(seat->fiber))
			return; /* otherwise its time was up or it is cancelled: the wake is the next one's */
	}
}

void gate_wake_all(struct gate *g)
{
	while (!list_empty(&g->waiting)) {
		struct gate_seat *seat = LIST_OWNER(g->waiting.next, struct gate_seat, node);
		list_remove(&seat->node);
		fiber_wake(seat->fiber);
	}
}
