#include "base/hash.h"
#include "base/mem.h"

/* Open addressing with linear probing and backward-shift removal: no
 * tombstones, so a table that churns does not decay. */
struct hash_slot {
	char *key; /* NULL when the slot is free */
	size_t n;
	uint64_t code;
	void *value;
};

static uint64_t seed0 = 0x736f6d6570736575, seed1 = 0x646f72616e646f6d;

void hash_seed(const unsigned char key[16])
{
	memcpy(&seed0, key, 8);
	memcpy(&seed1, key + 8, 8);
}

static inline uint64_t rotate(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_bytes(str s)
{
	uint64_t v[4] = {seed0 ^ 0x736f6d6570736575, seed1 ^ 0x646f72616e646f6d, seed0 ^ 0x6c7967656e657261,
			 seed1 ^ 0x7465646279746573};
	size_t i = 0;
	for (; s.n - i >= 8; i += 8) {
		uint64_t m;
		memcpy(&m, s.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	uint64_t last = (uint64_t)s.n << 56;
	for (size_t k = 0; i + k < s.n; k++)
		last |= (uint64_t)str_at(s, i + k) << (8 * k);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int r = 0; r < 3; r++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void hash_free(hash *h)
{
	for (size_t i = 0; i < h->cap; i++)
		mem_free(h->slots[i].key);
	mem_free(h->slots);
	*h = hash_new(h->max);
}

void hash_free_values(hash *h)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(h, &at, &key, &value))
		mem_free(value);
	hash_free(h);
}

/* The slot that holds the key, or the free slot where it would go. */
static struct hash_slot *probe(const hash *h, str key, uint64_t code)
{
	size_t i = code & (h->cap - 1);
	for (;; i = (i + 1) & (h->cap - 1)) {
		struct hash_slot *s = &h->slots[i];
		if (!s->key || (s->code == code && str_eq(str_of(s->key, s->n), key)))
			return s;
	}
}

void *hash_get(const hash *h, str key)
{
	if (h->cap == 0)
		return NULL;
	return probe(h, key, hash_bytes(key))->value;
}

static result widen(hash *h)
{
	hash bigger = {.max = h->max, .n = h->n, .cap = h->cap ? h->cap * 2 : 16};
	bigger.slots = mem_array(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < h->cap; i++)
		if (h->slots[i].key)
			*probe(&bigger, str_of(h->slots[i].key, h->slots[i].n), h->slots[i].code) = h->slots[i];
	mem_free(h->slots);
	*h = bigger;
	return OK;
}

result hash_put(hash *h, str key, void *value)
{
	uint64_t code = hash_bytes(key);
	struct hash_slot *s = h->cap ? probe(h, key, code) : NULL;
	must(value);
	if (s && s->key) {
		s->value = value;
		return OK;
	}
	if (h->n >= h->max)
		return failure(FAIL_LIMIT, "the table is full");
	if (h->cap == 0 || h->n >= h->cap - h->cap / 4) {
		TRY(widen(h));
		s = probe(h, key, code);
	}
	char *copy = mem_alloc(key.n + 1);
	if (!copy)
		return failure(FAIL_MEMORY, "out of memory");
	if (key.n)
		memcpy(copy, key.p, key.n);
	*s = (struct hash_slot){copy, key.n, code, value};
	h->n++;
	return OK;
}

/* Closes the hole at i by moving later members of its run back. */
static void close_hole(hash *h, size_t hole)
{
	size_t mask = h->cap - 1;
	for (size_t i = (hole + 1) & mask; h->slots[i].key; i = (i + 1) & mask) {
		size_t home = h->slots[i].code & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			h->slots[hole] = h->slots[i];
			hole = i;
		}
	}
	h->slots[hole] = (struct hash_slot){0};
}

void *hash_remove(hash *h, str key)
{
	if (h->cap == 0)
		return NULL;
	struct hash_slot *s = probe(h, key, hash_bytes(key));
	if (!s->key)
		return NULL;
	void *value = s->value;
	mem_free(s->key);
	close_hole(h, (size_t)(s - h->slots));
	h->n--;
	return value;
}

void *hash_get_u64(const hash *h, uint64_t key)
{
	return hash_get(h, str_of((const char *)&key, sizeof key));
}

result hash_put_u64(hash *h, uint64_t key, void *value)
{
	return hash_put(h, str_of((const char *)&key, sizeof key), value);
}

void *hash_remove_u64(hash *h, uint64_t key)
{
	return hash_remove(h, str_of((const char *)&key, sizeof key));
}

bool hash_each(const hash *h, size_t *at, str *key, void **value)
{
	while (*at < h->cap) {
		const struct hash_slot *s = &h->slots[(*at)++];
		if (!s->key)
			continue;
		*key = str_of(s->key, s->n);
		*value = s->value;
		return true;
	}
	return false;
}
