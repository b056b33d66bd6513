#include "engine/seal_box.h"

#include <sodium.h>
#include <string.h>

enum { BOUND = BOX_ID + 24 };

void box_wipe(struct box *b)
{
	sodium_memzero(b, sizeof *b);
}

void box_put_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

void box_put_u64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

uint32_t box_get_u32(const unsigned char *p)
{
	uint32_t v = 0;
	for (int i = 3; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

uint64_t box_get_u64(const unsigned char *p)
{
	return (uint64_t)box_get_u32(p + 4) << 32 | box_get_u32(p);
}

static void bind(const struct box *b, const struct box_name *name, unsigned char out[BOUND])
{
	memcpy(out, b->id, BOX_ID);
	box_put_u64(out + BOX_ID, name->kind);
	box_put_u64(out + BOX_ID + 8, name->number);
	box_put_u64(out + BOX_ID + 16, name->generation);
}

/* libsodium's generator asks the kernel for the process's id at each call. */
void box_nonce(struct box *b, unsigned char out[BOX_NONCE])
{
	if (b->left == 0) {
		randombytes_buf(b->drawn, sizeof b->drawn);
		b->left = BOX_DRAWN;
	}
	unsigned char *next = b->drawn[--b->left];
	memcpy(out, next, BOX_NONCE);
	sodium_memzero(next, BOX_NONCE);
}

void box_seal(struct box *b, const struct box_name *name, unsigned char *unit, size_t n)
{
	unsigned char bound[BOUND], *nonce = unit + n - BOX_SPARE;
	bind(b, name, bound);
	box_nonce(b, nonce);
	struct aead_use use = {b->key, nonce, str_of((const char *)bound, sizeof bound)};
	aead_seal(&use, unit, n - BOX_SPARE, unit + n - BOX_TAG);
}

bool box_open(const struct box *b, const struct box_name *name, unsigned char *unit, size_t n)
{
	unsigned char bound[BOUND], *nonce = unit + n - BOX_SPARE;
	bind(b, name, bound);
	struct aead_use use = {b->key, nonce, str_of((const char *)bound, sizeof bound)};
	if (!aead_open(&use, unit, n - BOX_SPARE, unit + n - BOX_TAG))
		return false;
	memset(nonce, 0, BOX_SPARE);
	return true;
}
