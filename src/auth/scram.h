/* The arithmetic of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677), and what is
 * stored of a secret so that it can be proved: neither the secret nor what
 * logs in with it.
 *
 * scram_salted takes milliseconds: it runs in a worker. Everything is pure;
 * callers wipe what they hold. Comparing takes the same time whatever differs. */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* An app password has 128 random bits, so that the least count of RFC 7677 is enough. */
enum { SCRAM_KEY = 32, SCRAM_SALT = 16, SCRAM_ITERATIONS = 4096 };

struct scram_key {
	unsigned char b[SCRAM_KEY];
};

struct scram_verifier {
	struct scram_key stored, server; /* StoredKey and ServerKey */
};

struct scram_key scram_salted(str password, str salt, uint32_t iterations); /* Hi() */
struct scram_key scram_client_key(const struct scram_key *salted);
struct scram_verifier scram_verifier(const struct scram_key *salted);
/* Does this ClientKey belong to it? */
bool scram_opens(const struct scram_verifier *v, const struct scram_key *client);
/* The ClientKey that a proof of this length carries, right or wrong. */
struct scram_key scram_client_of_proof(const struct scram_verifier *v, str message, const struct scram_key *proof);
/* What a client of this key sends; for tests. */
struct scram_key scram_proof(const struct scram_key *client, str message);
struct scram_key scram_server_signature(const struct scram_verifier *v, str message);

#endif
