#include "auth/throttle.h"
#include "base/fading.h"
#include "base/mem.h"

struct entry {
	struct list node;
	struct fading count;
	size_t n;
	char key[];
};

void throttle_init(struct throttle *t)
{
	t->table = hash_new(THROTTLE_ENTRIES);
	list_init(&t->oldest);
}

static void drop(struct throttle *t, struct entry *e)
{
	hash_remove(&t->table, str_of(e->key, e->n));
	list_remove(&e->node);
	mem_free(e);
}

void throttle_free(struct throttle *t)
{
	LIST_EACH_SAFE(n, &t->oldest)
		drop(t, LIST_OWNER(n, struct entry, node));
	hash_free(&t->table);
}

static uint32_t wait_for(uint32_t count)
{
	uint32_t failures = count / FADING_ONE + (count % FADING_ONE >= FADING_ONE / 2);
	if (failures <= THROTTLE_FREE)
		return 0;
	uint64_t ms = (uint64_t)(failures - THROTTLE_FREE) * THROTTLE_STEP;
	return ms < THROTTLE_MOST ? (uint32_t)ms : THROTTLE_MOST;
}

static struct entry *add(struct throttle *t, str key)
{
	if (t->table.n >= THROTTLE_ENTRIES)
		drop(t, LIST_OWNER(t->oldest.next, struct entry, node));
	struct entry *e = mem_alloc(sizeof *e + key.n + 1);
	if (!e)
		return NULL;
	e->n = key.n;
	if (key.n)
		memcpy(e->key, key.p, key.n);
	if (failed(hash_put(&t->table, key, e))) {
		mem_free(e);
		return NULL;
	}
	list_insert(&t->oldest, &e->node);
	return e;
}

uint32_t throttle_failed(struct throttle *t, str key, uint64_t now)
{
	struct entry *e = hash_get(&t->table, key);
	if (!e)
		e = add(t, key);
	if (!e)
		return THROTTLE_STEP; /* no memory to remember: slow everybody a little rather than nobody */
	list_remove(&e->node);
	list_insert(&t->oldest, &e->node);
	return wait_for(fading_add(&e->count, FADING_ONE, now, THROTTLE_HALF_LIFE));
}

uint32_t throttle_wait(const struct throttle *t, str key, uint64_t now)
{
	const struct entry *e = hash_get(&t->table, key);
	return e ? wait_for(fading_now(&e->count, now, THROTTLE_HALF_LIFE)) : 0;
}
