#include "queue/schedule.h"

#include "base/mem.h"

void schedule_init(struct schedule *s)
{
	*s = (struct schedule){.lines = hash_new(SCHEDULE_LINES)};
}

void schedule_free(struct schedule *s)
{
	hash_free_values(&s->lines);
	heap_free(&s->heap);
}

struct line *schedule_find(const struct schedule *s, uint64_t account)
{
	return hash_get_u64(&s->lines, account);
}

static result make(struct schedule *s, uint64_t account, struct line **out)
{
	struct line *l = mem_alloc(sizeof *l);
	if (!l)
		return failure(FAIL_MEMORY, "out of memory");
	l->account = account;
	result r = heap_add(&s->heap, &l->due, SCHEDULE_NEVER);
	if (!failed(r)) {
		r = hash_put_u64(&s->lines, account, l);
		if (failed(r))
			heap_remove(&s->heap, &l->due);
	}
	if (failed(r)) {
		mem_free(l);
		return r;
	}
	*out = l;
	return OK;
}

result schedule_line(struct schedule *s, uint64_t account, struct line **out)
{
	struct line *l = schedule_find(s, account);
	if (!l)
		return make(s, account, out);
	*out = l;
	return OK;
}

void schedule_set(struct schedule *s, struct line *l, uint64_t at)
{
	heap_set(&s->heap, &l->due, at);
}

void schedule_hasten(struct schedule *s, struct line *l, uint64_t at)
{
	if (at < l->not_before)
		at = l->not_before;
	if (at < l->due.at)
		schedule_set(s, l, at);
}

struct line *schedule_first(const struct schedule *s)
{
	struct due *d = heap_first(&s->heap);
	return d ? LIST_OWNER(d, struct line, due) : NULL;
}

void schedule_drop(struct schedule *s, struct line *l)
{
	must(l->running == 0);
	heap_remove(&s->heap, &l->due);
	hash_remove_u64(&s->lines, l->account);
	mem_free(l);
}

uint64_t schedule_backoff(const struct backoff *b, uint32_t attempts, uint32_t random)
{
	uint64_t wait = b->first;
	for (uint32_t i = 1; i < attempts && wait < b->most; i++)
		wait *= 2;
	if (wait > b->most)
		wait = b->most;
	return wait - wait / 4 * (random % 1024) / 1024;
}
