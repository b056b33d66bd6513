/* A locked account's owner key, and what opens it.
 *
 * 32 random octets that exist nowhere but in the memory of who opened them, and
 * sealed (libsodium's sealed box: X25519, XSalsa20-Poly1305) once for each
 * opener: a pair of keys that follows from a secret's seed. The account's
 * database opens by the owner's key and the vault's together; letters that
 * arrive while the owner is away are sealed to its public half. Callers wipe
 * what they opened. Nothing suspends. */
#ifndef TALK_OWNER_KEY_H
#define TALK_OWNER_KEY_H

#include <stdbool.h>

enum { OWNER_KEY = 32, OWNER_PUBLIC = 32, OWNER_SEALED = OWNER_KEY + 48 };

struct owner_key {
	unsigned char b[OWNER_KEY];
};
struct owner_public {
	unsigned char b[OWNER_PUBLIC];
};
/* What an opener's pair follows from: a password's second Argon2id, a ClientKey, a recovery key. */
struct opener_seed {
	unsigned char b[OWNER_KEY];
};

struct owner_key owner_key_new(void);
struct owner_public owner_key_public(const struct owner_key *k);

struct owner_public opener_public(const struct opener_seed *s);
void owner_key_seal(const struct owner_key *k, const struct owner_public *opener, unsigned char out[OWNER_SEALED]);
bool owner_key_open(const unsigned char sealed[OWNER_SEALED], const struct opener_seed *s, struct owner_key *out);

/* What the account's database is sealed by, from both keys. */
void owner_key_database(const struct owner_key *k, const unsigned char vault[OWNER_KEY], unsigned char out[OWNER_KEY]);

/* Something sealed to the public half: n octets and 48 more. */
enum { OWNER_BOX_MORE = 48 };
void owner_box_seal(const struct owner_public *to, const unsigned char *p, unsigned n, unsigned char *out);
bool owner_box_open(const struct owner_key *k, const unsigned char *sealed, unsigned sealed_n, unsigned char *out);

#endif
