/* A process-wide budget of bytes: for messages in transit, of which a flood
 * must not take all memory.
 *
 * Taking what does not fit is an ordinary LIMIT (452 4.3.1 to a client).
 * Whoever took gives back the same count. Nothing suspends. */
#ifndef RUN_BUDGET_H
#define RUN_BUDGET_H

#include <stdint.h>

#include "base/fail.h"

struct budget {
	uint64_t max;
	uint64_t taken;
	uint64_t refused; /* times, since the start */
	uint64_t peak;
};

static inline struct budget budget_new(uint64_t max)
{
	return (struct budget){.max = max};
}

result budget_take(struct budget *b, uint64_t n) NODISCARD; /* LIMIT */
void budget_give(struct budget *b, uint64_t n);
/* A share of the machine's memory in bytes, e.g. 1 of 4; the container's limit counts. */
uint64_t budget_of_memory(unsigned share, unsigned of);

#endif
