/* Item keys in hand for a moment, so that a run of letters for the relay takes
 * one question to the vault at either end: an edge seals up to ITEM_KEY_LETTERS
 * with the key that it was given last, the relay opens them with what it had
 * unwrapped for the first of them.
 *
 * They lie in secret memory and are wiped ITEM_KEY_MS after they came, or when
 * ITEM_KEYS others have come since. Without memory none is kept. Begin with
 * zeros; item_keys_close wipes all and ends the fiber that waits to do so.
 * Nothing suspends. */
#ifndef TALK_ITEM_KEYS_H
#define TALK_ITEM_KEYS_H

#include "run/fiber.h"
#include "run/secret.h"
#include "talk/item.h"

enum item_keys_limits { ITEM_KEYS = 8, ITEM_KEY_MS = 1000, ITEM_KEY_LETTERS = 200, ITEM_WRAPPED_MAX = 256 };

struct item_key_kept {
	uint64_t until; /* 0: none */
	unsigned letters;
	size_t wrapped_n;
	char wrapped[ITEM_WRAPPED_MAX];
};

struct item_keys {
	struct secret *keys; /* ITEM_KEYS of them */
	struct item_key_kept of[ITEM_KEYS];
	size_t newest;
	struct gate closing;
	bool forgetting, ready, closed;
};

void item_keys_keep(struct item_keys *k, str wrapped, const unsigned char key[ITEM_KEY]);
/* The newest one, if it may seal one letter more; *wrapped is valid until the next call. */
bool item_keys_newest(struct item_keys *k, unsigned char key[ITEM_KEY], str *wrapped);
bool item_keys_find(struct item_keys *k, str wrapped, unsigned char key[ITEM_KEY]);
void item_keys_close(struct item_keys *k);

#endif
