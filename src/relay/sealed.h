/* Items of the queue: opened for the relay, sealed by it. Suspends (the vault).
 *
 * Views of the item point into `plain`, which the caller frees. DAMAGE when the
 * item was sealed for somebody else. */
#ifndef RELAY_SEALED_H
#define RELAY_SEALED_H

#include "base/arena.h"
#include "talk/item.h"

struct sealed_item {
	const trace_id *delivery; /* whose it is */
	str wrapped;
	str sealed;
};

result sealed_open(const struct sealed_item *s, buf *plain, struct item *out) NODISCARD;
/* For an account, or with 0 for the relay. `wrapped` is a copy in the arena; `out` takes the sealed octets. */
struct sealed_for {
	uint64_t account;
	const trace_id *delivery;
	arena *arena;
};
result sealed_make(const struct sealed_for *f, const struct item *i, str *wrapped, buf *out) NODISCARD;

#endif
