/* A room's own key from the vault, for the database that only this room opens.
 *
 * `fresh`: nothing is sealed with it yet, so it may be made; a key that was
 * made just before a crash is taken again. Otherwise a missing key is an error
 * (ABSENT): what is on the disk could not be opened with another. The caller
 * wipes the key. Suspends. Errors: those of room_connect and of the vault. */
#ifndef TALK_OWN_KEY_H
#define TALK_OWN_KEY_H

#include "base/fail.h"

enum { OWN_KEY = 32, OWN_KEY_MS = 30000 };

result own_key(bool fresh, unsigned char key[OWN_KEY]) NODISCARD;

/* For who seals all it has anew: the key that is to follow (ABSENT without `make` while none was made), and that
 * everything is sealed by it, so that the one before is destroyed. */
result own_key_next(bool make, unsigned char key[OWN_KEY]) NODISCARD;
result own_key_follow(void) NODISCARD;

#endif
