#include <uv.h>

#include "base/mem.h"
#include "run/fiber_core.h"
#include "run/loop.h"

/* A wait, on the waiting fiber's stack. */
struct fd_waiter {
	struct fiber *fiber;
	int got;    /* FD_A, FD_B: what came true */
	int closed; /* whose watch was closed meanwhile and is gone */
};

struct seat {
	struct fd_waiter *waiter;
	int bit;
};

/* libuv arms with two system calls, so interest stays armed when a wait ends,
 * and is dropped when it fires and nobody waits. */
struct fd_watch {
	uv_poll_t poll;
	struct seat read;
	struct seat write;
	int armed;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct fd_watch *w, int events)
{
	if (events == w->armed)
		return;
	w->armed = events;
	if (events) {
		int uv_events = (events & FD_READ ? UV_READABLE : 0) | (events & FD_WRITE ? UV_WRITABLE : 0);
		must(uv_poll_start(&w->poll, uv_events, on_poll) == 0);
	} else {
		uv_poll_stop(&w->poll);
	}
}

static bool tell(struct seat *s)
{
	struct fd_waiter *waiter = s->waiter;
	if (!waiter)
		return false;
	s->waiter = NULL;
	waiter->got |= s->bit;
	fiber_wake(waiter->fiber);
	return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct fd_watch *w = LIST_OWNER(poll, struct fd_watch, poll);
	int fired = (events & UV_READABLE ? FD_READ : 0) | (events & UV_WRITABLE ? FD_WRITE : 0);
	if (status < 0) { /* an error on the descriptor: libuv stopped; reading or writing will name it */
		fired = w->armed;
		w->armed = 0;
	}
	int unwanted = 0;
	if (fired & FD_READ && !tell(&w->read))
		unwanted |= FD_READ;
	if (fired & FD_WRITE && !tell(&w->write))
		unwanted |= FD_WRITE;
	arm(w, w->armed & ~unwanted);
}

result fd_watch_open(int fd, struct fd_watch **out)
{
	struct fd_watch *w = mem_alloc(sizeof(*w));
	if (!w)
		return failure(FAIL_MEMORY, "There is no memory for another connection.");
	if (uv_poll_init(loop_uv(), &w->poll, fd) != 0) {
		mem_free(w);
		return failure(FAIL_NETWORK, "This descriptor cannot be waited on.");
	}
	*out = w;
	return OK;
}

static void on_closed(uv_handle_t *handle)
{
	mem_free(LIST_OWNER(handle, struct fd_watch, poll));
}

void fd_watch_close(struct fd_watch **wp)
{
	struct fd_watch *w = *wp;
	if (!w)
		return;
	*wp = NULL;
	struct seat *seats[] = {&w->read, &w->write};
	for (int i = 0; i < 2; i++) {
		if (seats[i]->waiter)
			seats[i]->waiter->closed |= seats[i]->bit;
		tell(seats[i]);
	}
	uv_close((uv_handle_t *)&w->poll, on_closed);
}

static void sit(struct fd_watch *w, int events, struct seat seat)
{
	if (events & FD_READ) {
		must(!w->read.waiter);
		w->read = seat;
	}
	if (events & FD_WRITE) {
		must(!w->write.waiter);
		w->write = seat;
	}
	arm(w, w->armed | events);
}

static void stand_up(struct fd_watch *w, const struct fd_waiter *waiter)
{
	if (w->read.waiter == waiter)
		w->read.waiter = NULL;
	if (w->write.waiter == waiter)
		w->write.waiter = NULL;
}

result fd_wait_pair(const struct fd_pair *p, uint64_t timeout_ms, int *which)
{
	struct fd_waiter waiter = {.fiber = fiber_self()};
	if (fiber_cancelled())
		return fiber_result(WAKE_CANCEL);
	sit(p->a, p->a_events, (struct seat){&waiter, FD_A});
	if (p->b)
		sit(p->b, p->b_events, (struct seat){&waiter, FD_B});
	enum wake w = fiber_suspend(timeout_ms);
	if (!(waiter.closed & FD_A))
		stand_up(p->a, &waiter);
	if (p->b && !(waiter.closed & FD_B))
		stand_up(p->b, &waiter);
	if (waiter.closed)
		return failure(FAIL_CLOSED, "The connection was closed on this side.");
	TRY(fiber_result(w));
	*which = waiter.got;
	return OK;
}

result fd_wait(struct fd_watch *w, int events, uint64_t timeout_ms)
{
	int which = 0;
	return fd_wait_pair(&(struct fd_pair){.a = w, .a_events = events}, timeout_ms, &which);
}
