#include "run/random.h"

#include "run/clock.h"

#include <sodium.h>
#include <string.h>

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

/* ---- tests ---- */

static struct {
	uint64_t seed, drawn;
} seeded;

static const char *seeded_name(void)
{
	return "seeded";
}

static void seeded_fill(void *const out, const size_t n)
{
	unsigned char key[randombytes_SEEDBYTES] = {0};
	memcpy(key, &seeded.seed, sizeof(seeded.seed));
	memcpy(key + sizeof(seeded.seed), &seeded.drawn, sizeof(seeded.drawn));
	seeded.drawn++;
	randombytes_buf_deterministic(out, n, key);
}

static uint32_t seeded_number(void)
{
	uint32_t n;
	seeded_fill(&n, sizeof(n));
	return n;
}

void random_test_seed(uint64_t seed)
{
	static randombytes_implementation all = {.implementation_name = seeded_name, .random = seeded_number,
		.buf = seeded_fill};
	seeded.seed = seed;
	seeded.drawn = 0;
	must(sodium_init() >= 0 && randombytes_set_implementation(&all) == 0);
	random_seed_hash();
}

trace_id trace_new(void)
{
	trace_id t;
	uint64_t ms = (uint64_t)clock_wall_ms();
	random_fill(t.b, sizeof t.b);
	for (int i = 0; i < 6; i++)
		t.b[i] = (unsigned char)(ms >> (8 * (5 - i)) & 0xff);
	return t;
}
