#include "base/arena.h"
#include "base/mem.h"

#include <stdalign.h>

enum { CHUNK_SMALL = 2048, CHUNK_LARGE = 32768, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the data behind the header */
	size_t used;
	alignas(ALIGN) char data[];
};

static void *from_chunk(struct arena_chunk *c, size_t size)
{
	if (!c || c->size - c->used < size)
		return NULL;
	void *p = c->data + c->used;
	c->used += size;
	return p;
}

/* Chunks are not zeroed, what is given out of them is: mostly a small part. But what has a chunk to itself
 * comes zeroed from the system for less. */
static struct arena_chunk *add_chunk(arena *a, size_t size, bool zeroed)
{
	size_t data = a->chunks ? CHUNK_LARGE : CHUNK_SMALL;
	if (data < size)
		data = size;
	struct arena_chunk *c = zeroed ? mem_alloc(sizeof *c + data) : mem_grow(NULL, sizeof *c + data);
	if (!c) {
		a->broken = FAIL_MEMORY;
		return NULL;
	}
	c->size = data;
	c->used = 0;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

static void *take(arena *a, size_t size, bool zeroed)
{
	size_t rounded;
	bool alone = zeroed && size > CHUNK_LARGE;
	if (__builtin_add_overflow(size ? size : 1, (size_t)(ALIGN - 1), &rounded))
		rounded = SIZE_MAX;
	rounded &= ~(size_t)(ALIGN - 1);
	if (rounded > a->max || a->used > a->max - rounded) {
		a->broken = FAIL_LIMIT;
		return NULL;
	}
	void *p = alone ? NULL : from_chunk(a->chunks, rounded);
	if (!p) {
		struct arena_chunk *c = add_chunk(a, rounded, alone);
		p = c ? from_chunk(c, rounded) : NULL;
	}
	if (!p)
		return NULL;
	a->used += rounded;
	if (zeroed && !alone)
		memset(p, 0, rounded);
	return p;
}

void *arena_alloc(arena *a, size_t size)
{
	return take(a, size, true);
}

void *arena_array(arena *a, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total)) {
		a->broken = FAIL_LIMIT;
		return NULL;
	}
	return arena_alloc(a, total);
}

str arena_dup(arena *a, str s)
{
	char *p = take(a, s.n, false);
	if (!p)
		return (str){NULL, 0};
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

char *arena_cstr(arena *a, str s)
{
	char *p = s.n < SIZE_MAX ? take(a, s.n + 1, false) : NULL;
	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

void arena_clear(arena *a)
{
	struct arena_chunk *keep = NULL;
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->next;
		if (!keep && c->size == CHUNK_SMALL)
			keep = c;
		else
			mem_free(c);
	}
	if (keep) {
		mem_wipe(keep->data, keep->used);
		keep->used = 0;
		keep->next = NULL;
	}
	a->chunks = keep;
	a->used = 0;
	a->broken = FAIL_NONE;
}

void arena_free(arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->next;
		mem_free(c);
	}
	*a = arena_new(a->max);
}

result arena_result(const arena *a)
{
	if (a->broken == FAIL_MEMORY)
		return failure(FAIL_MEMORY, "out of memory");
	if (a->broken)
		return failure(FAIL_LIMIT, "the request needs more memory than its limit allows");
	return OK;
}
