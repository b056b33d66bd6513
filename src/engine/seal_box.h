/* Sealed units: a run of bytes that authenticates itself, in place.
 *
 * A unit of n bytes is n-40 bytes of ciphertext, a 24-byte random nonce and a
 * 16-byte tag (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha). It is bound to
 * its database, kind, number and generation, so that it opens nowhere else.
 * The box owns a copy of the key; box_wipe forgets it. */
#ifndef ENGINE_SEAL_BOX_H
#define ENGINE_SEAL_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BOX_KEY = 32,
	BOX_ID = 16,
	BOX_NONCE = 24,
	BOX_TAG = 16,
	BOX_SPARE = BOX_NONCE + BOX_TAG, /* what a unit is larger than its content */
};

struct box {
	unsigned char key[BOX_KEY];
	unsigned char id[BOX_ID];
};

enum box_kind { BOX_PAGE = 1, BOX_FRAME = 2, BOX_HEADER = 3 };

struct box_name {
	enum box_kind kind;
	uint64_t number;     /* page, frame or slot */
	uint64_t generation; /* of the log; 0 for pages and slots */
};

void box_wipe(struct box *b);
/* Draws nonces into `count` units of n bytes that lie behind one another. */
void box_nonces(unsigned char *units, size_t n, size_t count);
/* Seals over the nonce that lies in the unit. */
void box_seal(const struct box *b, const struct box_name *name, unsigned char *unit, size_t n);
/* True when the unit is authentic; the last 40 bytes are then zero. Otherwise
 * the unit's content is lost: who wants to try twice keeps a copy. */
bool box_open(const struct box *b, const struct box_name *name, unsigned char *unit, size_t n);

/* Little-endian numbers in sealed headers. */
void box_put_u32(unsigned char *p, uint32_t v);
void box_put_u64(unsigned char *p, uint64_t v);
uint32_t box_get_u32(const unsigned char *p);
uint64_t box_get_u64(const unsigned char *p);

#endif
