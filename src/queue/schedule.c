#include "queue/schedule.h"

#include "base/mem.h"

enum { FIRST_CAP = 16 };

void schedule_init(struct schedule *s)
{
	*s = (struct schedule){.lines = hash_new(SCHEDULE_LINES)};
}

void schedule_free(struct schedule *s)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&s->lines, &at, &key, &value))
		mem_free(value);
	hash_free(&s->lines);
	mem_free(s->heap);
	s->heap = NULL;
	s->n = s->cap = 0;
}

/* ---- a binary heap that knows each line's place ---- */

static void put(struct schedule *s, struct line *l, size_t place)
{
	s->heap[place] = l;
	l->place = place;
}

static void rise(struct schedule *s, struct line *l)
{
	size_t i = l->place;
	while (i > 0 && s->heap[(i - 1) / 2]->at > l->at) {
		put(s, s->heap[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	put(s, l, i);
}

static void sink(struct schedule *s, struct line *l)
{
	size_t i = l->place;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= s->n)
			break;
		if (child + 1 < s->n && s->heap[child + 1]->at < s->heap[child]->at)
			child++;
		if (s->heap[child]->at >= l->at)
			break;
		put(s, s->heap[child], i);
		i = child;
	}
	put(s, l, i);
}

static result widen(struct schedule *s)
{
	size_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
	struct line **heap = mem_grow(s->heap, cap * sizeof(struct line *));
	if (!heap)
		return failure(FAIL_MEMORY, "out of memory");
	s->heap = heap;
	s->cap = cap;
	return OK;
}

struct line *schedule_find(const struct schedule *s, uint64_t account)
{
	return hash_get_u64(&s->lines, account);
}

result schedule_line(struct schedule *s, uint64_t account, struct line **out)
{
	struct line *l = schedule_find(s, account);
	if (!l) {
		if (s->n == s->cap)
			TRY(widen(s));
		l = mem_alloc(sizeof *l);
		if (!l)
			return failure(FAIL_MEMORY, "out of memory");
		*l = (struct line){.account = account, .at = SCHEDULE_NEVER};
		result r = hash_put_u64(&s->lines, account, l);
		if (failed(r)) {
			mem_free(l);
			return r;
		}
		put(s, l, s->n++);
	}
	*out = l;
	return OK;
}

void schedule_set(struct schedule *s, struct line *l, uint64_t at)
{
	l->at = at;
	rise(s, l);
	sink(s, l);
}

void schedule_hasten(struct schedule *s, struct line *l, uint64_t at)
{
	if (at < l->not_before)
		at = l->not_before;
	if (at < l->at)
		schedule_set(s, l, at);
}

struct line *schedule_first(const struct schedule *s)
{
	return s->n > 0 && s->heap[0]->at != SCHEDULE_NEVER ? s->heap[0] : NULL;
}

void schedule_drop(struct schedule *s, struct line *l)
{
	struct line *last = s->heap[--s->n];
	must(l->running == 0);
	if (last != l) {
		put(s, last, l->place);
		schedule_set(s, last, last->at);
	}
	hash_remove_u64(&s->lines, l->account);
	mem_free(l);
}

uint64_t schedule_backoff(uint64_t first, uint32_t attempts, uint32_t random)
{
	uint64_t wait = first;
	for (uint32_t i = 1; i < attempts && wait < SCHEDULE_WAIT_MOST; i++)
		wait *= 2;
	if (wait > SCHEDULE_WAIT_MOST)
		wait = SCHEDULE_WAIT_MOST;
	return wait - wait / 4 * (random % 1024) / 1024;
}
