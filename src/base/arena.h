/* A bounded arena: memory for one command or one session, freed at once.
 *
 * The ceiling is the budget against abuse: reaching it is an ordinary LIMIT
 * answer, not an accident. arena_alloc gives zeroed, 16-byte aligned memory
 * or NULL; arena_result tells whether the ceiling or the machine said no.
 * The arena owns all it gave; nothing suspends. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/fail.h"
#include "base/str.h"

struct arena_chunk;

typedef struct arena {
	struct arena_chunk *chunks;
	size_t used; /* bytes given out, headers included */
	size_t max;
	enum fail_kind broken;
} arena;

static inline arena arena_new(size_t max)
{
	return (arena){.max = max};
}

void *arena_alloc(arena *a, size_t size);
void *arena_array(arena *a, size_t count, size_t size); /* NULL when the product overflows */
str arena_dup(arena *a, str s);         /* a copy; p is NULL when refused */
char *arena_cstr(arena *a, str s);      /* a copy with a terminator, NULL when refused */
void arena_clear(arena *a);             /* forgets all, keeps one small chunk, clears the error */
void arena_free(arena *a);
result arena_result(const arena *a) NODISCARD;

#define AUTO_ARENA __attribute__((cleanup(arena_free)))

#endif
