#include "queue/heap.h"

#include "base/mem.h"

enum { FIRST_CAP = 16 };

static void put(struct heap *h, struct due *d, size_t place)
{
	h->p[place] = d;
	d->place = place;
}

static void rise(struct heap *h, struct due *d)
{
	size_t i = d->place;
	while (i > 0 && h->p[(i - 1) / 2]->at > d->at) {
		put(h, h->p[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	put(h, d, i);
}

static void sink(struct heap *h, struct due *d)
{
	size_t i = d->place;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= h->n)
			break;
		if (child + 1 < h->n && h->p[child + 1]->at < h->p[child]->at)
			child++;
		if (h->p[child]->at >= d->at)
			break;
		put(h, h->p[child], i);
		i = child;
	}
	put(h, d, i);
}

static result widen(struct heap *h)
{
	size_t cap = h->cap ? h->cap * 2 : FIRST_CAP;
	struct due **p = mem_grow(h->p, cap * sizeof(struct due *));
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	h->p = p;
	h->cap = cap;
	return OK;
}

result heap_add(struct heap *h, struct due *d, uint64_t at)
{
	if (h->n == h->cap)
		TRY(widen(h));
	d->at = at;
	put(h, d, h->n++);
	rise(h, d);
	return OK;
}

void heap_set(struct heap *h, struct due *d, uint64_t at)
{
	d->at = at;
	rise(h, d);
	sink(h, d);
}

void heap_remove(struct heap *h, struct due *d)
{
	struct due *last = h->p[--h->n];
	if (last != d) {
		put(h, last, d->place);
		heap_set(h, last, last->at);
	}
}

struct due *heap_first(const struct heap *h)
{
	return h->n > 0 && h->p[0]->at != DUE_NEVER ? h->p[0] : NULL;
}

void heap_free(struct heap *h)
{
	mem_free(h->p);
	*h = (struct heap){0};
}
