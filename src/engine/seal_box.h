/* Sealed units: a run of bytes that authenticates itself, in place.
 *
 * A unit of n bytes is n-40 bytes of ciphertext, a 24-byte random nonce and a
 * 16-byte tag (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha). It is bound to
 * its database, kind, number and generation, so that it opens nowhere else.
 * The box owns a copy of the key; box_wipe forgets it.
 *
 * Nonces are drawn many at a time and each is taken out before it is used. So
 * a box has one thread at a time, is never copied once it has sealed, and must
 * not be used on both sides of a fork: rooms do not fork. */
#ifndef ENGINE_SEAL_BOX_H
#define ENGINE_SEAL_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/aead.h"

enum {
	BOX_KEY = AEAD_KEY,
	BOX_ID = 16,
	BOX_NONCE = AEAD_NONCE,
	BOX_TAG = AEAD_TAG,
	BOX_SPARE = BOX_NONCE + BOX_TAG, /* what a unit is larger than its content */
	BOX_DRAWN = 64,                  /* nonces drawn at once */
};

struct box {
	unsigned char key[BOX_KEY];
	unsigned char id[BOX_ID];
	unsigned char drawn[BOX_DRAWN][BOX_NONCE]; /* the first `left` are unused */
	size_t left;
};

enum box_kind { BOX_PAGE = 1, BOX_FRAME = 2, BOX_HEADER = 3, BOX_KEPT = 4 };

struct box_name {
	enum box_kind kind;
	uint64_t number;     /* page, frame, slot or block */
	uint64_t generation; /* of the log; 0 for pages and slots */
};

void box_wipe(struct box *b);
void box_nonce(struct box *b, unsigned char out[BOX_NONCE]); /* random bytes that are given out once */
void box_seal(struct box *b, const struct box_name *name, unsigned char *unit, size_t n);
/* True when the unit is authentic; the last 40 bytes are then zero. Otherwise
 * the unit's content is lost: who wants to try twice keeps a copy. */
bool box_open(const struct box *b, const struct box_name *name, unsigned char *unit, size_t n);

/* Little-endian numbers in sealed headers. */
void box_put_u32(unsigned char *p, uint32_t v);
void box_put_u64(unsigned char *p, uint64_t v);
uint32_t box_get_u32(const unsigned char *p);
uint64_t box_get_u64(const unsigned char *p);

#endif
