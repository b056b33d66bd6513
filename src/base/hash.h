/* Hash tables from bytes or from a 64-bit number to a pointer.
 *
 * The table copies byte keys and owns the copies, never the values. Hashing is
 * keyed (SipHash-1-3) so that a client cannot choose collisions; hash_seed is
 * called once at start with 16 random bytes. `max` bounds the entries. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/fail.h"
#include "base/str.h"

struct hash_slot;

typedef struct hash {
	struct hash_slot *slots;
	size_t cap; /* a power of two, or 0 */
	size_t n;
	size_t max;
} hash;

void hash_seed(const unsigned char key[16]);
uint64_t hash_bytes(str s); /* SipHash-1-3 under the seed */

static inline hash hash_new(size_t max)
{
	return (hash){.max = max};
}

void hash_free(hash *h);
void hash_free_values(hash *h); /* the same, and each value, which mem.h gave */
void *hash_get(const hash *h, str key);            /* NULL when absent */
result hash_put(hash *h, str key, void *value) NODISCARD; /* replaces; LIMIT or MEMORY */
void *hash_remove(hash *h, str key);               /* the value that was there, or NULL */

void *hash_get_u64(const hash *h, uint64_t key);
result hash_put_u64(hash *h, uint64_t key, void *value) NODISCARD;
void *hash_remove_u64(hash *h, uint64_t key);

/* Walks all entries: start with *at = 0; false at the end. The table must not
 * change meanwhile. */
bool hash_each(const hash *h, size_t *at, str *key, void **value);

#endif
