/* DKIM's private keys: made here, used here, destroyed here, never given away.
 *
 *   dkim/NAME   sealed by the master key, bound to NAME: algorithm, the domain
 *               it was made for, PKCS #8
 *
 * NAME is whatever auth calls it (letters, digits, hyphens). A key is made
 * once; asked again for the same domain and algorithm its public half is told
 * again, for another EXISTS. RSA has 2048 bits (RFC 8301: at least 1024, and what
 * fits a UDP answer), and signs PKCS #1 v1.5 over the digest; Ed25519 signs the
 * digest as its message (RFC 8463 section 3).
 *
 * Making and signing compute on threads, so that nobody waits who only wants
 * a key unwrapped: both suspend. The keys used last stay unsealed in memory.
 * Files are synced before an answer. Errors: ABSENT, EXISTS, LIMIT, INPUT,
 * DAMAGE, DISK, BUSY, MEMORY. */
#ifndef VAULT_SIGNING_H
#define VAULT_SIGNING_H

#include "base/arena.h"
#include "talk/principal_vault.h"
#include "vault/keys.h"

enum {
	SIGNING_KEYS_MAX = 600000, /* a working, a coming and a going pair for 100,000 domains */
	SIGNING_KEPT_MAX = 256,    /* unsealed in memory */
	SIGNING_THREADS = 2,
	SIGNING_WAITING = 1024,    /* signatures that wait for a thread; one more is BUSY */
	SIGNING_RSA_BITS = 2048,
	SIGNING_DIGEST = 32,
	SIGNING_NAME_MAX = 64,
	SIGNING_DOMAIN_MAX = 255,
};

struct signing;

/* Loads what OpenSSL reads lazily; before the jail. */
result signing_prepare(void) NODISCARD;
/* keys_max: SIGNING_KEYS_MAX outside of tests. `keys` outlives it. */
result signing_open(struct keys *keys, size_t keys_max, struct signing **out) NODISCARD;
void signing_close(struct signing **s); /* no call is under way */

struct signing_wanted {
	str name;
	str domain;
	enum principal_vault_algorithm algorithm;
};
/* Appends what stands behind p= in DNS, base64. */
result signing_make(struct signing *s, const struct signing_wanted *w, buf *public) NODISCARD;
struct signing_wish {
	const struct principal_vault_to_sign *p;
	size_t n;
};
/* All or none; out has room for as many. The signatures live in the arena. */
result signing_sign(struct signing *s, const struct signing_wish *wish, arena *a, str *out) NODISCARD;
result signing_drop(struct signing *s, str name) NODISCARD; /* twice is fine */

/* Every key sealed anew by the master key in force. Suspends between files. */
result signing_rewrap(struct signing *s) NODISCARD;

size_t signing_count(const struct signing *s);

#endif
