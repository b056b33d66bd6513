#include "base/mem.h"
#include "base/fail.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16 }; /* elements */

/* The store thread allocates too, so the counters are atomic. */
static _Atomic uint64_t counted;
static _Atomic uint64_t fail_at;

bool mem_refused(void)
{
	uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
	if (at == 0)
		return false;
	uint64_t n = atomic_fetch_add(&counted, 1) + 1;
	return n == at;
}

void *mem_alloc(size_t size)
{
	must(size > 0);
	return mem_refused() ? NULL : calloc(1, size);
}

void *mem_array(size_t count, size_t size)
{
	must(count > 0 && size > 0);
	return mem_refused() ? NULL : calloc(count, size);
}

/* Once for the process, before its first thread. */
static bool forgets;

void mem_forget(void)
{
	forgets = true;
}

void mem_wipe(void *p, size_t n)
{
	if (forgets && n > 0)
		explicit_bzero(p, n);
}

/* realloc, which leaves the old place as it was, only where it stays there. */
static void *grow_forgetting(void *p, size_t size)
{
	size_t had = malloc_usable_size(p);
	if (size <= had)
		return p;
	void *q = malloc(size);
	if (!q)
		return NULL;
	memcpy(q, p, had);
	mem_free(p);
	return q;
}

void *mem_grow(void *p, size_t size)
{
	must(size > 0);
	if (mem_refused())
		return NULL;
	return forgets && p ? grow_forgetting(p, size) : realloc(p, size);
}

void mem_free(void *p)
{
	if (forgets && p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void mem_free_used(void *p, size_t n)
{
	mem_wipe(p, n);
	free(p);
}

bool mem_room(void *array, size_t *cap, size_t n, size_t size)
{
	size_t more, bytes;
	if (n < *cap)
		return true;
	if (__builtin_mul_overflow(*cap ? *cap : FIRST_ROOM / 2, 2, &more) || __builtin_mul_overflow(more, size, &bytes))
		return false;
	void *grown = mem_grow(*(void **)array, bytes);
	if (!grown)
		return false;
	*(void **)array = grown;
	*cap = more;
	return true;
}

void mem_fail_at(uint64_t n)
{
	atomic_store(&counted, 0);
	atomic_store(&fail_at, n);
}

uint64_t mem_count(void)
{
	return atomic_load(&counted);
}
