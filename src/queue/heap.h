/* What is due first: a binary heap in which each entry knows its place, so that
 * its time can be changed. Entries are their owners'; the heap owns the array.
 * Errors: MEMORY. Nothing suspends. */
#ifndef QUEUE_HEAP_H
#define QUEUE_HEAP_H

#include "base/fail.h"

#include <stdint.h>

#define DUE_NEVER UINT64_MAX

struct due {
	uint64_t at;
	size_t place;
};

struct heap {
	struct due **p;
	size_t n, cap;
};

result heap_add(struct heap *h, struct due *d, uint64_t at) NODISCARD;
void heap_set(struct heap *h, struct due *d, uint64_t at);
void heap_remove(struct heap *h, struct due *d);
struct due *heap_first(const struct heap *h); /* NULL: none is ever due */
void heap_free(struct heap *h);

#endif
