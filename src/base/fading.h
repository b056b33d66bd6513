/* A count that halves with time, in 256ths so that halving keeps fractions.
 *
 * Between two halvings it falls evenly. A clock that was set back counts as no
 * time. Any unit of time, the same in all calls. Zero is an empty one. */
#ifndef BASE_FADING_H
#define BASE_FADING_H

#include <stdint.h>

enum { FADING_ONE = 256 };

struct fading {
	uint32_t n;
	uint64_t at;
};

uint32_t fading_now(const struct fading *f, uint64_t now, uint64_t half_life);
/* Adds to what is left of it; stops at the top. Gives the new count. */
uint32_t fading_add(struct fading *f, uint32_t n, uint64_t now, uint64_t half_life);

#endif
