#include "auth/scram.h"

#include <sodium.h>

_Static_assert((int)SCRAM_KEY == (int)crypto_auth_hmacsha256_BYTES, "SHA-256");
_Static_assert((int)SCRAM_KEY == (int)crypto_hash_sha256_BYTES, "SHA-256");

static struct scram_key hmac(str key, str text)
{
	crypto_auth_hmacsha256_state s;
	struct scram_key out;
	crypto_auth_hmacsha256_init(&s, (const unsigned char *)key.p, key.n);
	crypto_auth_hmacsha256_update(&s, (const unsigned char *)text.p, text.n);
	crypto_auth_hmacsha256_final(&s, out.b);
	sodium_memzero(&s, sizeof s);
	return out;
}

static str bytes_of(const struct scram_key *k)
{
	return str_of((const char *)k->b, sizeof k->b);
}

static struct scram_key hash_of(const struct scram_key *k)
{
	struct scram_key out;
	crypto_hash_sha256(out.b, k->b, sizeof k->b);
	return out;
}

static void mix(struct scram_key *into, const struct scram_key *from)
{
	for (size_t i = 0; i < sizeof into->b; i++)
		into->b[i] ^= from->b[i];
}

/* PBKDF2 with one block; the keyed state is made once and copied. */
struct scram_key scram_salted(str password, str salt, uint32_t iterations)
{
	static const unsigned char one[4] = {0, 0, 0, 1};
	crypto_auth_hmacsha256_state keyed, s;
	struct scram_key u, sum;
	crypto_auth_hmacsha256_init(&keyed, (const unsigned char *)password.p, password.n);
	s = keyed;
	crypto_auth_hmacsha256_update(&s, (const unsigned char *)salt.p, salt.n);
	crypto_auth_hmacsha256_update(&s, one, sizeof one);
	crypto_auth_hmacsha256_final(&s, u.b);
	sum = u;
	for (uint32_t i = 1; i < iterations; i++) {
		s = keyed;
		crypto_auth_hmacsha256_update(&s, u.b, sizeof u.b);
		crypto_auth_hmacsha256_final(&s, u.b);
		mix(&sum, &u);
	}
	sodium_memzero(&keyed, sizeof keyed);
	sodium_memzero(&s, sizeof s);
	sodium_memzero(&u, sizeof u);
	return sum;
}

struct scram_key scram_client_key(const struct scram_key *salted)
{
	return hmac(bytes_of(salted), STR("Client Key"));
}

struct scram_verifier scram_verifier(const struct scram_key *salted)
{
	struct scram_key client = scram_client_key(salted);
	struct scram_verifier v = {.stored = hash_of(&client), .server = hmac(bytes_of(salted), STR("Server Key"))};
	sodium_memzero(&client, sizeof client);
	return v;
}

bool scram_opens(const struct scram_verifier *v, const struct scram_key *client)
{
	struct scram_key stored = hash_of(client);
	return sodium_memcmp(stored.b, v->stored.b, sizeof stored.b) == 0;
}

struct scram_key scram_client_of_proof(const struct scram_verifier *v, str message, const struct scram_key *proof)
{
	struct scram_key client = hmac(bytes_of(&v->stored), message);
	mix(&client, proof);
	return client;
}

struct scram_key scram_proof(const struct scram_key *client, str message)
{
	struct scram_key stored = hash_of(client), proof = hmac(bytes_of(&stored), message);
	mix(&proof, client);
	return proof;
}

struct scram_key scram_server_signature(const struct scram_verifier *v, str message)
{
	return hmac(bytes_of(&v->server), message);
}
