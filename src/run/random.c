#include "run/random.h"

#include <sodium.h>

#include "base/hash.h"

result random_open(void)
{
	/* The internal generator asks the kernel once; the default asks at each call. */
	if (sodium_init() == 0)
		must(randombytes_set_implementation(&randombytes_internal_implementation) == 0);
	randombytes_stir();
	random_seed_hash();
	return OK;
}

void random_fill(void *out, size_t n)
{
	randombytes_buf(out, n);
}

uint32_t random_below(uint32_t bound)
{
	return bound ? randombytes_uniform(bound) : 0;
}

uint64_t random_u64(void)
{
	uint64_t v;
	random_fill(&v, sizeof(v));
	return v;
}

void random_seed_hash(void)
{
	unsigned char key[16];
	random_fill(key, sizeof(key));
	hash_seed(key);
	sodium_memzero(key, sizeof(key));
}
