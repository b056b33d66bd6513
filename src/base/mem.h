/* The one seam for memory: every allocation of ours passes here, so that a
 * test can make the N-th one fail.
 *
 * The caller owns what it gets and gives it to mem_free. NULL means refused;
 * the caller answers FAIL_MEMORY. A size of 0 is an error of ours. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size);             /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed; NULL when count*size overflows */
void *mem_grow(void *p, size_t size);     /* like realloc; p stays valid on NULL */
void mem_free(void *p);                   /* NULL is fine */
void mem_free_used(void *p, size_t n);    /* the same, of which only the first n octets were ever written */
/* Room behind the `n` elements that an array has: `array` is the address of the pointer to it, which grows by doubling.
 * False: refused, and nothing has changed. */
bool mem_room(void *array, size_t *cap, size_t n, size_t size);

/* For a process that mail and passwords only pass through, at its start: memory
 * is wiped when it is given back, also what growing leaves behind. mem_wipe, for
 * what is used again instead, does nothing in others. */
void mem_forget(void);
void mem_wipe(void *p, size_t n); /* n 0 with p NULL is fine */

/* Test seam: the N-th allocation from now (1 = the next) fails, once; 0 turns
 * it off. mem_count() counts allocations since the last call of this. mem_refused
 * is for memory that comes by mmap: it counts as one, true: do without. */
void mem_fail_at(uint64_t n);
bool mem_refused(void);
uint64_t mem_count(void);

/* Cleanup attribute for pointers owned by a block. */
static inline void mem_free_at(void *pp)
{
	mem_free(*(void **)pp);
}
#define AUTO_MEM __attribute__((cleanup(mem_free_at)))

#endif
