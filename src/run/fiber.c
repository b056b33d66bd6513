#include "run/fiber.h"

#include <malloc.h>
#include <uv.h>

#include "run/clock.h"
#include "run/fiber_core.h"

enum {
	POOL_MAX = 128,       /* stacks kept for the next fibers */
	REST_MS = 5000,       /* waiting for this long, a fiber is trimmed; an unused stack goes */
	SWEEP_BATCH = 512,    /* at once; the others follow after SWEEP_PAUSE_MS */
	SWEEP_PAUSE_MS = 10,
	TRIM_HEAP_AFTER = 64, /* fibers that fell asleep or ended, or fewer when nobody else is left to trim */
	TRIM_HEAP_MS = 1000,  /* not more often while others come and go */
	ROUNDS_MAX = 64,      /* fibers that keep waking each other let the loop poll after so many */
};

static struct {
	uv_loop_t *loop;
	uv_prepare_t prepare;
	uv_idle_t busy;      /* active while somebody is ready: the loop then polls without waiting */
	uv_timer_t alarm;    /* the earliest deadline */
	uint64_t alarm_at;   /* clock_mono_ms; FIBER_FOREVER when it is stopped */
	uv_timer_t sweep;    /* runs only while something is left to give back */
	struct list ready;
	struct list yielded; /* ready, after the next poll */
	struct list resting; /* waiting and not trimmed yet, longest first */
	struct list pool;    /* ended ones with their stacks, last used first */
	struct list all;
	struct list round_ends;
	size_t pooled;
	size_t left_holes;     /* fibers that fell asleep or ended since the heap was trimmed */
	uint64_t heap_trimmed; /* when */
	size_t count;
	struct fiber *self;
	struct context own;
	void (*errand)(void *arg); /* what the running fiber wants done on the loop's stack */
	void *errand_arg;
	bool refuse;
} sys;

struct fiber *fiber_self(void)
{
	return sys.self;
}

bool fiber_cancelled(void)
{
	return sys.self && sys.self->cancelled;
}

size_t fiber_count(void)
{
	return sys.count;
}

static void on_busy(uv_idle_t *handle)
{
	(void)handle; /* it only keeps the poll from waiting */
}

uint64_t fiber_test_due(void)
{
	return fiber_heap_next();
}

/* ---- life ---- */

static void enter(void)
{
	struct fiber *f = sys.self;
	context_arrived(&f->context, &sys.own);
	for (;;) { /* an ended fiber stays here with its stack until it is used again */
		f->fn(f->arg);
		f->state = FIBER_DONE;
		context_switch(&f->context, &sys.own, NULL);
	}
}

static void destroy(struct fiber *f)
{
	struct context c = f->context;
	context_unmap(&c); /* and f with it */
}

static result take_or_make(struct fiber **out)
{
	if (!list_empty(&sys.pool)) {
		*out = LIST_OWNER(sys.pool.next, struct fiber, place);
		list_remove(&(*out)->place);
		sys.pooled--;
		return OK;
	}
	struct context c;
	TRY(context_map(&c, sizeof(struct fiber)));
	*out = (struct fiber *)(void *)(c.stack + c.size);
	(*out)->context = c;
	return OK;
}

static void end(struct fiber *f)
{
	sys.count--;
	sys.left_holes++;
	list_remove(&f->all);
	fiber_heap_remove(f);
	if (sys.pooled == POOL_MAX) {
		destroy(f);
		return;
	}
	sys.pooled++;
	f->since = uv_now(sys.loop);
	list_insert(sys.pool.next, &f->place);
}

static void make_ready(struct list *queue, struct fiber *f)
{
	list_remove(&f->place);
	f->state = FIBER_READY;
	list_insert(queue, &f->place);
	if (!sys.self) /* a running fiber is in on_prepare, which sees to it */
		uv_idle_start(&sys.busy, on_busy);
}

result fiber_start(void (*fn)(void *arg), void *arg, const char *name, struct fiber **out)
{
	if (sys.refuse)
		return failure(FAIL_CANCELLED, "The process is ending.");
	if (sys.count == FIBERS_MAX)
		return failure(FAIL_LIMIT, "Too many sessions at once in this process.");
	TRY(fiber_heap_reserve(sys.count + 1));
	struct fiber *f = NULL;
	TRY(take_or_make(&f));
	*f = (struct fiber){.context = f->context, .fn = fn, .arg = arg, .name = name};
	list_init(&f->place);
	list_init(&f->all);
	list_insert(&sys.all, &f->all);
	sys.count++;
	make_ready(&sys.ready, f);
	if (out)
		*out = f;
	return OK;
}

/* ---- waiting and waking ---- */

static void leave(struct fiber *f)
{
	context_switch(&f->context, &sys.own, NULL);
}

static void rest(struct fiber *f)
{
	f->state = FIBER_WAITING;
	f->since = uv_now(sys.loop);
	list_insert(&sys.resting, &f->place);
	leave(f);
}

enum wake fiber_suspend(uint64_t timeout_ms)
{
	struct fiber *f = sys.self;
	must(f);
	if (f->cancelled)
		return WAKE_CANCEL;
	f->deadline = FIBER_FOREVER;
	if (timeout_ms != FIBER_FOREVER) {
		if (__builtin_add_overflow(clock_mono_ms(), timeout_ms, &f->deadline))
			f->deadline = FIBER_FOREVER - 1;
		fiber_heap_want(f);
	}
	rest(f);
	return f->wake;
}

void fiber_suspend_hard(void)
{
	struct fiber *f = sys.self;
	must(f);
	f->deadline = FIBER_FOREVER;
	f->holds_out = true;
	rest(f);
	f->holds_out = false;
}

static bool wake_with(struct fiber *f, enum wake w)
{
	if (f->state != FIBER_WAITING)
		return false;
	f->wake = w;
	make_ready(&sys.ready, f);
	return true;
}

bool fiber_wake(struct fiber *f)
{
	return wake_with(f, WAKE_EVENT);
}

void fiber_cancel(struct fiber *f)
{
	f->cancelled = true;
	if (!f->holds_out)
		wake_with(f, WAKE_CANCEL);
}

void fiber_cancel_all(bool refuse)
{
	sys.refuse = refuse;
	LIST_EACH(node, &sys.all)
		fiber_cancel(LIST_OWNER(node, struct fiber, all));
}

result fiber_result(enum wake w)
{
	if (w == WAKE_CANCEL)
		return failure(FAIL_CANCELLED, "The process is ending or the session was ended.");
	if (w == WAKE_TIMEOUT)
		return failure(FAIL_TIMEOUT, "Nothing arrived in time.");
	return OK;
}

result fiber_sleep(uint64_t ms)
{
	enum wake w = fiber_suspend(ms);
	return w == WAKE_TIMEOUT ? OK : fiber_result(w);
}

void fiber_yield(void)
{
	struct fiber *f = sys.self;
	must(f);
	make_ready(&sys.yielded, f);
	leave(f);
}

void fiber_on_loop_stack(void (*fn)(void *arg), void *arg)
{
	struct fiber *f = sys.self;
	must(f);
	sys.errand = fn;
	sys.errand_arg = arg;
	leave(f);
}

void fiber_list(void (*tell)(void *ctx, const char *name), void *ctx)
{
	LIST_EACH(node, &sys.all)
		tell(ctx, LIST_OWNER(node, struct fiber, all)->name);
}

/* ---- giving memory back ---- */

static void on_sweep(uv_timer_t *timer);

static uint64_t oldest(void)
{
	uint64_t since = UINT64_MAX;
	if (!list_empty(&sys.resting))
		since = LIST_OWNER(sys.resting.next, struct fiber, place)->since;
	if (!list_empty(&sys.pool)) {
		uint64_t pooled = LIST_OWNER(sys.pool.prev, struct fiber, place)->since;
		since = pooled < since ? pooled : since;
	}
	return since;
}

static void plan_sweep(void)
{
	uint64_t since = oldest();
	if (since == UINT64_MAX || uv_is_active((uv_handle_t *)&sys.sweep))
		return;
	uint64_t age = uv_now(sys.loop) - since;
	uv_timer_start(&sys.sweep, on_sweep, age < REST_MS ? REST_MS - age : SWEEP_PAUSE_MS, 0);
	uv_unref((uv_handle_t *)&sys.sweep);
}

/* What fell asleep left holes in the heap (TLS handshakes above all), what ended all that it had. */
static void trim_heap(uint64_t now)
{
	bool many = sys.left_holes >= TRIM_HEAP_AFTER && now - sys.heap_trimmed >= TRIM_HEAP_MS;
	if (!many && !(sys.left_holes && oldest() == UINT64_MAX))
		return;
	sys.left_holes = 0;
	sys.heap_trimmed = now;
	malloc_trim(0);
}

static void on_sweep(uv_timer_t *timer)
{
	(void)timer;
	uint64_t now = uv_now(sys.loop);
	for (int n = 0; n < SWEEP_BATCH && oldest() != UINT64_MAX && now - oldest() >= REST_MS; n++) {
		if (!list_empty(&sys.pool) && LIST_OWNER(sys.pool.prev, struct fiber, place)->since == oldest()) {
			struct fiber *unused = LIST_OWNER(sys.pool.prev, struct fiber, place);
			list_remove(&unused->place);
			sys.pooled--;
			destroy(unused);
			continue;
		}
		struct fiber *f = LIST_OWNER(sys.resting.next, struct fiber, place);
		list_remove(&f->place);
		context_trim(&f->context);
		sys.left_holes++;
	}
	trim_heap(now);
	plan_sweep();
}

/* ---- the loop's part ---- */

static void resume(struct fiber *f)
{
	sys.self = f;
	f->state = FIBER_RUNNING;
	effort_lend(f->effort);
	do {
		sys.errand = NULL;
		context_switch(&sys.own, &f->context, enter);
		if (sys.errand)
			sys.errand(sys.errand_arg);
	} while (sys.errand);
	effort_lend(NULL);
	sys.self = NULL;
	if (f->state == FIBER_DONE)
		end(f);
}

static void move_all(struct list *from, struct list *to)
{
	while (!list_empty(from)) {
		struct list *node = from->next;
		list_remove(node);
		list_insert(to, node);
	}
}

static void run_ready(void)
{
	for (int round = 0; round < ROUNDS_MAX && !list_empty(&sys.ready); round++) {
		struct list batch;
		list_init(&batch);
		move_all(&sys.ready, &batch);
		while (!list_empty(&batch)) {
			struct fiber *f = LIST_OWNER(batch.next, struct fiber, place);
			list_remove(&f->place);
			resume(f);
		}
	}
}

void round_end_init(struct round_end *r, void (*fn)(struct round_end *r))
{
	list_init(&r->node);
	r->fn = fn;
}

void round_end_forget(struct round_end *r)
{
	list_remove(&r->node);
}

void fiber_at_round_end(struct round_end *r)
{
	list_remove(&r->node);
	list_insert(&sys.round_ends, &r->node);
}

static void end_round(void)
{
	struct list due; /* what is asked for meanwhile comes in the next round */
	list_init(&due);
	move_all(&sys.round_ends, &due);
	while (!list_empty(&due)) {
		struct round_end *r = LIST_OWNER(due.next, struct round_end, node);
		list_remove(&r->node);
		r->fn(r);
	}
}

static void on_alarm(uv_timer_t *timer)
{
	(void)timer; /* the deadlines are looked at before each poll */
	sys.alarm_at = FIBER_FOREVER;
}

static void plan_alarm(void)
{
	uint64_t next = fiber_heap_next();
	if (next >= sys.alarm_at)
		return;
	uint64_t now = clock_mono_ms();
	sys.alarm_at = next;
	uv_update_time(sys.loop);
	uv_timer_start(&sys.alarm, on_alarm, next > now ? next - now : 0, 0);
}

static void on_prepare(uv_prepare_t *handle)
{
	(void)handle;
	if (fiber_heap_next() != FIBER_FOREVER) {
		uint64_t now = clock_mono_ms();
		for (struct fiber *f; (f = fiber_heap_due(now)); )
			wake_with(f, WAKE_TIMEOUT);
	}
	move_all(&sys.yielded, &sys.ready);
	for (int turn = 0; turn < 2; turn++) { /* whom the round's end wakes goes on before the poll */
		run_ready();
		end_round();
	}
	if (list_empty(&sys.ready) && list_empty(&sys.yielded) && list_empty(&sys.round_ends))
		uv_idle_stop(&sys.busy);
	else
		uv_idle_start(&sys.busy, on_busy);
	plan_alarm();
	plan_sweep();
	if (!sys.count)
		uv_stop(sys.loop);
}

result fiber_system_open(struct uv_loop_s *loop)
{
	sys.loop = loop;
	sys.alarm_at = FIBER_FOREVER;
	sys.refuse = false;
	sys.own.entered = true;
	struct list *lists[] = {&sys.ready, &sys.yielded, &sys.resting, &sys.pool, &sys.all,
		&sys.round_ends};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		list_init(lists[i]);
	must(uv_prepare_init(loop, &sys.prepare) == 0 && uv_idle_init(loop, &sys.busy) == 0);
	must(uv_timer_init(loop, &sys.alarm) == 0 && uv_timer_init(loop, &sys.sweep) == 0);
	must(uv_prepare_start(&sys.prepare, on_prepare) == 0);
	uv_unref((uv_handle_t *)&sys.prepare);
	return OK;
}

void fiber_system_close(void)
{
	must(sys.count == 0);
	while (!list_empty(&sys.pool)) {
		struct fiber *f = LIST_OWNER(sys.pool.next, struct fiber, place);
		list_remove(&f->place);
		destroy(f);
	}
	sys.pooled = 0;
	fiber_heap_free();
	uv_close((uv_handle_t *)&sys.prepare, NULL);
	uv_close((uv_handle_t *)&sys.busy, NULL);
	uv_close((uv_handle_t *)&sys.alarm, NULL);
	uv_close((uv_handle_t *)&sys.sweep, NULL);
}
