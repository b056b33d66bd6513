/* XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, RFC 8439 section 2.8), in place.
 *
 * The key for one nonce comes from libsodium's HChaCha20, and what follows is
 * libgcrypt's, which does both halves at once with the processor's widest
 * registers: a page takes half as long as with libsodium alone, a body's piece
 * less than half. Where libgcrypt can't (aead_start was not called, there is no
 * memory, the machine permits FIPS ciphers only) libsodium does it all, with the
 * same octets.
 *
 * Any thread; each has a context of its own, which keeps the key of its last use
 * until the next or the thread's end. Nothing suspends and nothing fails but
 * what does not authenticate. */
#ifndef ENGINE_AEAD_H
#define ENGINE_AEAD_H

#include "base/fail.h"
#include "base/str.h"

enum { AEAD_KEY = 32, AEAD_NONCE = 24, AEAD_TAG = 16 };

struct aead_use {
	const unsigned char *key;   /* AEAD_KEY octets */
	const unsigned char *nonce; /* AEAD_NONCE octets: never twice with one key */
	str bound;                  /* what the tag also covers */
};

/* Once, before the jail: libgcrypt looks at the processor and at the machine's settings. */
result aead_start(void) NODISCARD;

void aead_seal(const struct aead_use *u, unsigned char *p, size_t n, unsigned char tag[AEAD_TAG]);
/* False when it does not authenticate: the content is zeros then. */
bool aead_open(const struct aead_use *u, unsigned char *p, size_t n, const unsigned char tag[AEAD_TAG]) NODISCARD;

/* Whether it is libgcrypt that does it for this thread. */
bool aead_is_quick(void) NODISCARD;

#endif
