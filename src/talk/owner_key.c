#include "talk/owner_key.h"

#include <sodium.h>
#include <string.h>

_Static_assert(OWNER_SEALED == OWNER_KEY + crypto_box_SEALBYTES && OWNER_BOX_MORE == crypto_box_SEALBYTES &&
	OWNER_PUBLIC == crypto_box_PUBLICKEYBYTES && OWNER_KEY == crypto_box_SEEDBYTES, "as libsodium's boxes");

struct pair {
	struct owner_public public;
	unsigned char secret[crypto_box_SECRETKEYBYTES];
};

/* The seed is hashed with what it is for, so that no two uses share a key. */
static struct pair pair_of(const unsigned char from[OWNER_KEY], const char *purpose)
{
	struct pair p;
	unsigned char seed[crypto_box_SEEDBYTES];
	crypto_generichash(seed, sizeof seed, (const unsigned char *)purpose, strlen(purpose), from, OWNER_KEY);
	crypto_box_seed_keypair(p.public.b, p.secret, seed);
	sodium_memzero(seed, sizeof seed);
	return p;
}

static struct pair pair_of_owner(const struct owner_key *k)
{
	return pair_of(k->b, "postern arrivals 1");
}

static struct pair pair_of_opener(const struct opener_seed *s)
{
	return pair_of(s->b, "postern opener 1");
}

static struct owner_public public_half(struct pair p)
{
	sodium_memzero(p.secret, sizeof p.secret);
	return p.public;
}

static bool box_open(struct pair *p, const unsigned char *sealed, unsigned sealed_n, unsigned char *out)
{
	bool good = crypto_box_seal_open(out, sealed, sealed_n, p->public.b, p->secret) == 0;
	sodium_memzero(p, sizeof *p);
	return good;
}

struct owner_key owner_key_new(void)
{
	struct owner_key k;
	randombytes_buf(k.b, sizeof k.b);
	return k;
}

struct owner_public owner_key_public(const struct owner_key *k)
{
	return public_half(pair_of_owner(k));
}

struct owner_public opener_public(const struct opener_seed *s)
{
	return public_half(pair_of_opener(s));
}

void owner_key_seal(const struct owner_key *k, const struct owner_public *opener, unsigned char out[OWNER_SEALED])
{
	owner_box_seal(opener, k->b, sizeof k->b, out);
}

bool owner_key_open(const unsigned char sealed[OWNER_SEALED], const struct opener_seed *s, struct owner_key *out)
{
	struct pair p = pair_of_opener(s);
	return box_open(&p, sealed, OWNER_SEALED, out->b);
}

void owner_key_database(const struct owner_key *k, const unsigned char vault[OWNER_KEY], unsigned char out[OWNER_KEY])
{
	static const unsigned char purpose[] = "postern locked database 1";
	crypto_generichash_state h;
	crypto_generichash_init(&h, k->b, sizeof k->b, OWNER_KEY);
	crypto_generichash_update(&h, purpose, sizeof purpose);
	crypto_generichash_update(&h, vault, OWNER_KEY);
	crypto_generichash_final(&h, out, OWNER_KEY);
	sodium_memzero(&h, sizeof h);
}

void owner_box_seal(const struct owner_public *to, const unsigned char *p, unsigned n, unsigned char *out)
{
	/* It fails only for a public key of small order, which is nobody's of ours. */
	if (crypto_box_seal(out, p, n, to->b) != 0)
		memset(out, 0, n + OWNER_BOX_MORE);
}

bool owner_box_open(const struct owner_key *k, const unsigned char *sealed, unsigned sealed_n, unsigned char *out)
{
	struct pair p = pair_of_owner(k);
	return box_open(&p, sealed, sealed_n, out);
}
