/* App passwords: rows of directory.db, each a secret of one device or program.
 *
 * If a row exists, its verifiers were made from a secret of app_secret.h with
 * the salt that app_salt_of gives for its account's address, and with
 * SCRAM_ITERATIONS. The salt of a name follows from the name under a key of this
 * directory, for names that exist and those that do not alike, so that a SCRAM
 * exchange tells nobody which is which. The last use is noted in memory and
 * written down with others every APP_USES_FLUSH_MS; no login waits for it, and a
 * crash forgets at most that much. A client certificate is a row of the same
 * kind, with a fingerprint instead of verifiers (app_certificates.h). Calls
 * suspend unless they say otherwise. */
#ifndef AUTH_APP_PASSWORDS_H
#define AUTH_APP_PASSWORDS_H

#include "auth/directory.h"
#include "auth/scope.h"
#include "auth/scram.h"
#include "base/list.h"

enum app_password_limits {
	APP_PASSWORDS_MAX = 50, /* of one account */
	APP_NAME_MAX = 100,     /* octets */
	APP_USES = 10000,       /* in memory, unless more are not written down yet */
	APP_USES_FLUSH_MS = 5000,
	APP_USE_CLIENT = 64,
	APP_SERIAL = 16,
	APP_FINGERPRINT = 32, /* SHA-256 of the whole certificate */
	APP_CLEAR_MAX = 200, /* devices without TLS, of all accounts */
};

struct opener;

struct app_use {
	int64_t at; /* seconds since 1970, 0: never */
	enum edge_auth_protocol protocol;
	str client;
};

struct app_password {
	uint64_t id;
	str name;
	struct scope scope;
	int64_t expires, created; /* seconds since 1970; expires 0: never */
	struct app_use used;
	str serial, fingerprint; /* of a certificate; empty: it is an app password */
	bool clear; /* good without TLS too: its scope is one address, by SMTP */
	struct scram_verifier plain, grouped; /* of the letters alone, and with hyphens */
	const struct opener *openers;         /* of a new one: kept with it */
	size_t openers_n;
};

struct app_passwords {
	struct app_password *v;
	size_t n;
};

/* Oldest first; the arena's. Wipe it. Without account there are none. */
result app_passwords_read(struct directory *d, uint64_t account, arena *a, struct app_passwords *out) NODISCARD;
void app_passwords_wipe(struct app_passwords *p);
/* Has anybody one? */
result app_passwords_any(struct directory *d, bool *any) NODISCARD;
/* The addresses of devices without TLS, as they are written; the arena's. */
result app_passwords_clear(struct directory *d, arena *a, str **out, size_t *n) NODISCARD;
/* EXISTS, LIMIT, ABSENT with a sentence. `created` and `id` are set here. */
result app_password_keep(struct directory *d, uint64_t account, struct app_password *n) NODISCARD;
result app_password_revoke(struct directory *d, uint64_t account, str name, uint64_t *id) NODISCARD;
/* All of an account's, and its certificates. */
result app_passwords_revoke_all(struct directory *d, uint64_t account) NODISCARD;

/* app_uses.c */
struct app_uses {
	struct directory *directory;
	hash table;         /* by id */
	struct list oldest; /* by use */
	bool flushing, closed;
};
void app_uses_open(struct app_uses *u, struct directory *d);
void app_uses_close(struct app_uses *u);          /* without writing; does not suspend */
result app_uses_flush(struct app_uses *u) NODISCARD;
void app_used(struct app_uses *u, uint64_t id, const struct app_use *use); /* does not suspend */
struct app_use app_last_use(const struct app_uses *u, const struct app_password *p); /* does not suspend */

/* app_salt.c */
struct app_salts {
	unsigned char key[SCRAM_KEY];
};
result app_salts_open(struct app_salts *s, struct directory *d) NODISCARD;
/* Of an account's key, or of any name that somebody tries. Does not suspend. */
void app_salt_of(const struct app_salts *s, str name, unsigned char out[SCRAM_SALT]);

#endif
