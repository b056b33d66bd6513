#include "account/store/ahead.h"

void ahead_begin(struct ahead *a, struct view *v, const struct uids *which, unsigned want, size_t max)
{
	*a = (struct ahead){.view = v, .left = *which, .want = want, .effort = effort_current()};
	a->batch[0].arena = arena_new(max);
	a->batch[1].arena = arena_new(max);
	gate_init(&a->read);
}

static result read_some(struct ahead *a, struct ahead_batch *b, const struct uids *which)
{
	arena_clear(&b->arena);
	b->got = (struct fetched){NULL, 0};
	return fetch_rows(a->view, which, a->want, &b->arena, &b->got);
}

/* A message that cannot be read must not hide the others: it alone is left out. */
static void read_batch(struct ahead *a, struct ahead_batch *b)
{
	const struct uids one = {a->left.v, 1};
	b->r = read_some(a, b, &a->left);
	if (b->r.kind == FAIL_DAMAGE)
		b->r = read_some(a, b, &one);
	size_t n = b->r.kind == FAIL_DAMAGE ? 1 : b->got.n;
	a->left = (struct uids){a->left.v + n, a->left.n - n};
}

static void read_next(void *arg)
{
	struct ahead *a = arg;
	effort_take(a->effort);
	read_batch(a, &a->batch[a->turn]);
	effort_end();
	a->reading = false;
	gate_wake_all(&a->read);
}

/* The caller's stack is in use by the fiber that reads: it is waited for in any case. */
static void wait_for_reading(struct ahead *a)
{
	while (a->reading)
		gate_hold(&a->read);
}

/* Without a fiber the batch is read when it is asked for. */
static void begin_next(struct ahead *a)
{
	a->turn ^= 1;
	a->reading = a->left.n && !failed(fiber_start(read_next, a, "ahead", NULL));
	a->ready = a->reading;
}

result ahead_next(struct ahead *a, struct fetched *got, arena **m)
{
	*got = (struct fetched){NULL, 0};
	wait_for_reading(a);
	struct ahead_batch *b = &a->batch[a->turn];
	if (!a->ready && !a->left.n)
		return OK;
	if (!a->ready)
		read_batch(a, b);
	*got = b->got;
	*m = &b->arena;
	a->ready = false;
	if (!failed(b->r) || b->r.kind == FAIL_DAMAGE)
		begin_next(a);
	return b->r;
}

void ahead_end(struct ahead *a)
{
	wait_for_reading(a);
	arena_free(&a->batch[0].arena);
	arena_free(&a->batch[1].arena);
}
