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

static struct arena_chunk *add_chunk(arena *a, size_t size)
{
	size_t data = a->chunks ? CHUNK_LARGE : CHUNK_SMALL;
	if (data < size)
		data = size;
	struct arena_chunk *c = mem_alloc(sizeof *c + data);
	if (!c) {
		a->broken = FAIL_MEMORY;
		return NULL;
	}
	c->size = data;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(arena *a, size_t size)
{
	size_t rounded;
	if (__builtin_add_overflow(size ? size : 1, (size_t)(ALIGN - 1), &rounded))
		rounded = SIZE_MAX;
	rounded &= ~(size_t)(ALIGN - 1);
	if (rounded > a->max || a->used > a->max - rounded) {
		a->broken = FAIL_LIMIT;
		return NULL;
	}
	void *p = from_chunk(a->chunks, rounded);
	if (!p) {
		struct arena_chunk *c = add_chunk(a, rounded);
		p = c ? from_chunk(c, rounded) : NULL;
	}
	if (p)
		a->used += rounded;
	return p;
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
	char *p = arena_alloc(a, s.n);
	if (!p)
		return (str){NULL, 0};
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

char *arena_cstr(arena *a, str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
	if (p && s.n)
		memcpy(p, s.p, s.n);
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
		memset(keep->data, 0, keep->used);
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
