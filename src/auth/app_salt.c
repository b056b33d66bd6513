/* The salts of SCRAM: see app_passwords.h. */
#include <sodium.h>

#include "auth/address.h"
#include "auth/app_passwords.h"
#include "auth/directory_core.h"
#include "run/random.h"

static result run_key(struct db *db, void *arg)
{
	struct app_salts *s = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT key FROM salt_key"));
	TRY(query_next(q, &row));
	if (!row)
		return db_run(db, "INSERT INTO salt_key (key) VALUES (?1)",
			      DB_BLOB(str_of((const char *)s->key, sizeof s->key)));
	str key = query_bytes(q, 0);
	if (key.n != sizeof s->key)
		return failure(FAIL_DAMAGE, "the key of salts in the directory has another length");
	memcpy(s->key, key.p, key.n);
	return OK;
}

result app_salts_open(struct app_salts *s, struct directory *d)
{
	random_fill(s->key, sizeof s->key);
	return edit_commit(d, run_key, NULL, s);
}

/* The name in the form in which the directory compares it; one that is no address, in lower case. */
void app_salt_of(const struct app_salts *s, str name, unsigned char out[SCRAM_SALT])
{
	AUTO_ARENA arena a = arena_new(16384);
	struct address address;
	crypto_auth_hmacsha256_state h;
	unsigned char digest[crypto_auth_hmacsha256_BYTES];
	if (!failed(address_parse(name, &a, &address)))
		name = address.key;
	crypto_auth_hmacsha256_init(&h, s->key, sizeof s->key);
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = ascii_lower(str_at(name, i));
		crypto_auth_hmacsha256_update(&h, &c, 1);
	}
	crypto_auth_hmacsha256_final(&h, digest);
	memcpy(out, digest, SCRAM_SALT);
	sodium_memzero(&h, sizeof h);
}
