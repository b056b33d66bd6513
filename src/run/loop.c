#include "run/loop.h"

#include <signal.h>
#include <uv.h>

#include "base/mem.h"
#include "run/fiber_core.h"

struct on_signal {
	struct list node;
	uv_signal_t handle;
	void (*fn)(void *ctx);
	void *ctx;
};

static struct {
	uv_loop_t uv;
	struct list signals;
	bool open;
	bool ending;
} loop;

struct uv_loop_s *loop_uv(void)
{
	must(loop.open);
	return &loop.uv;
}

result loop_open(void)
{
	must(!loop.open);
	if (uv_loop_init(&loop.uv) != 0)
		return failure(FAIL_LIMIT, "The event loop cannot be made: too few descriptors or too little memory.");
	signal(SIGPIPE, SIG_IGN); /* writing to what has gone is a result, not an end */
	loop.open = true;
	loop.ending = false;
	list_init(&loop.signals);
	return fiber_system_open(&loop.uv);
}

static void say_stuck(void *ctx, const char *name)
{
	*(const char **)ctx = name;
}

void loop_run(void)
{
	while (fiber_count()) {
		if (uv_run(&loop.uv, UV_RUN_DEFAULT) == 0 && fiber_count()) {
			const char *stuck = NULL;
			fiber_list(say_stuck, &stuck);
			must_failed("a fiber waits for what nothing can bring about", stuck, 0);
		}
	}
}

static void free_signal(uv_handle_t *handle)
{
	mem_free(LIST_OWNER(handle, struct on_signal, handle));
}

void loop_close(void)
{
	LIST_EACH_SAFE(node, &loop.signals) {
		struct on_signal *s = LIST_OWNER(node, struct on_signal, node);
		list_remove(&s->node);
		uv_close((uv_handle_t *)&s->handle, free_signal);
	}
	fiber_system_close();
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	must(uv_loop_close(&loop.uv) == 0);
	loop.open = false;
}

void loop_end(void)
{
	loop.ending = true;
	fiber_cancel_all(true);
}

bool loop_ending(void)
{
	return loop.ending;
}

static void signal_arrived(uv_signal_t *handle, int signo)
{
	(void)signo;
	struct on_signal *s = LIST_OWNER(handle, struct on_signal, handle);
	s->fn(s->ctx);
}

result loop_on_signal(int signo, void (*fn)(void *ctx), void *ctx)
{
	struct on_signal *s = mem_alloc(sizeof(*s));
	if (!s)
		return failure(FAIL_MEMORY, "There is no memory to watch a signal.");
	s->fn = fn;
	s->ctx = ctx;
	must(uv_signal_init(&loop.uv, &s->handle) == 0);
	list_insert(&loop.signals, &s->node);
	must(uv_signal_start(&s->handle, signal_arrived, signo) == 0);
	return OK;
}
