#include "base/mem.h"
#include "run/fiber_core.h"

static struct {
	struct fiber **at; /* at[1] is the earliest */
	size_t n;
	size_t cap;
} heap;

static void place(size_t i, struct fiber *f)
{
	heap.at[i] = f;
	f->heap_index = i;
}

static void sift_up(struct fiber *f, size_t i)
{
	while (i > 1 && heap.at[i / 2]->alarm > f->alarm) {
		place(i, heap.at[i / 2]);
		i /= 2;
	}
	place(i, f);
}

static void sift_down(struct fiber *f, size_t i)
{
	for (size_t child; (child = 2 * i) <= heap.n; i = child) {
		if (child < heap.n && heap.at[child + 1]->alarm < heap.at[child]->alarm)
			child++;
		if (heap.at[child]->alarm >= f->alarm)
			break;
		place(i, heap.at[child]);
	}
	place(i, f);
}

result fiber_heap_reserve(size_t fibers)
{
	if (fibers < heap.cap)
		return OK;
	size_t cap = heap.cap ? 2 * heap.cap : 64;
	struct fiber **at = mem_grow(heap.at, cap * sizeof(*at));
	if (!at)
		return failure(FAIL_MEMORY, "There is no memory for another session's timer.");
	heap.at = at;
	heap.cap = cap;
	return OK;
}

void fiber_heap_free(void)
{
	must(heap.n == 0);
	mem_free(heap.at);
	heap.at = NULL;
	heap.cap = 0;
}

void fiber_heap_want(struct fiber *f)
{
	if (f->heap_index && f->alarm <= f->deadline)
		return;
	f->alarm = f->deadline;
	sift_up(f, f->heap_index ? f->heap_index : ++heap.n);
}

void fiber_heap_remove(struct fiber *f)
{
	size_t i = f->heap_index;
	if (!i)
		return;
	f->heap_index = 0;
	struct fiber *last = heap.at[heap.n--];
	if (last == f)
		return;
	if (i > 1 && heap.at[i / 2]->alarm > last->alarm)
		sift_up(last, i);
	else
		sift_down(last, i);
}

uint64_t fiber_heap_next(void)
{
	return heap.n ? heap.at[1]->alarm : FIBER_FOREVER;
}

struct fiber *fiber_heap_due(uint64_t now)
{
	while (heap.n && heap.at[1]->alarm <= now) {
		struct fiber *f = heap.at[1];
		bool timed = f->state == FIBER_WAITING && f->deadline != FIBER_FOREVER;
		if (timed && f->alarm < f->deadline) {
			f->alarm = f->deadline; /* left by an earlier wait: others may be due before it */
			sift_down(f, 1);
			continue;
		}
		fiber_heap_remove(f);
		if (timed)
			return f;
	}
	return NULL;
}
