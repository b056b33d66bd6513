#include "vault/audit_key.h"

#include <fcntl.h>
#include <sodium.h>

#include "run/files.h"
#include "run/secret.h"

enum { SEED = crypto_sign_SEEDBYTES, FILE_MAX = 256, HEAD = 8 + AUDIT_HASH };

static const char key_file[] = "audit.key";
static const char head_file[] = "audit.head";
static const char key_purpose[] = "postern audit key 1";
static const char head_purpose[] = "postern audit head 1";

static result load(const struct keys *k, const char *file, const char *purpose, buf *plain)
{
	AUTO_BUF buf sealed = buf_new(FILE_MAX);
	if (!buf_reserve(plain, FILE_MAX))
		return buf_result(plain);
	TRY(file_read_at(AT_FDCWD, file, &sealed));
	return keys_unseal(k, str_from(purpose), buf_str(&sealed), plain);
}

static result store(const struct keys *k, const char *file, const char *purpose, str plain)
{
	AUTO_BUF buf sealed = buf_new(FILE_MAX);
	TRY(keys_seal(k, str_from(purpose), plain, &sealed));
	return file_write_at(AT_FDCWD, file, buf_str(&sealed), 0600);
}

/* ---- the head ---- */

static result read_head(const struct keys *k, uint64_t *seq, struct audit_hash *hash)
{
	SECRET_BUF buf plain = buf_new(FILE_MAX);
	TRY(load(k, head_file, head_purpose, &plain));
	cursor c = cursor_on(buf_str(&plain));
	*seq = cursor_u64(&c);
	str h = cursor_take(&c, sizeof hash->b);
	if (c.bad || !cursor_done(&c))
		return failure(FAIL_DAMAGE, "keys/audit.head holds no head");
	memcpy(hash->b, h.p, h.n);
	return OK;
}

static result write_head(const struct keys *k, uint64_t seq, const struct audit_hash *hash)
{
	char plain[HEAD];
	for (size_t i = 0; i < 8; i++)
		plain[i] = (char)(seq >> (8 * i) & 0xff);
	memcpy(plain + 8, hash->b, sizeof hash->b);
	return store(k, head_file, head_purpose, str_of(plain, sizeof plain));
}

/* ---- the key ---- */

struct pair {
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

static result read_pair(const struct keys *k, struct pair *out)
{
	SECRET_BUF buf plain = buf_new(FILE_MAX);
	result r = load(k, key_file, key_purpose, &plain);
	if (!failed(r) && plain.n != SEED)
		r = failure(FAIL_DAMAGE, "keys/audit.key holds no key");
	if (!failed(r))
		crypto_sign_seed_keypair(out->public, out->secret, (const unsigned char *)plain.p);
	return r;
}

/* The head comes first: a key beside which there is none was robbed of it. */
static result make(const struct keys *k)
{
	static const struct audit_hash none;
	unsigned char seed[SEED];
	TRY(write_head(k, 0, &none));
	randombytes_buf(seed, sizeof seed);
	result r = store(k, key_file, key_purpose, str_of((const char *)seed, sizeof seed));
	sodium_memzero(seed, sizeof seed);
	return r;
}

result audit_key_get(struct keys *k, struct audit_key_is *out)
{
	struct pair pair;
	struct audit_key_is is = {.seq = 0};
	result r = read_pair(k, &pair);
	if (r.kind == FAIL_ABSENT) {
		r = read_head(k, &is.seq, &is.hash);
		if (r.kind == FAIL_ABSENT || (!failed(r) && is.seq == 0))
			r = make(k);
		else if (!failed(r))
			r = failure(FAIL_DAMAGE, "keys/audit.key is missing although it has signed; put it back from a backup");
		TRY(r);
		r = read_pair(k, &pair);
	}
	if (!failed(r))
		r = read_head(k, &is.seq, &is.hash);
	if (!failed(r)) {
		memcpy(is.public, pair.public, sizeof is.public);
		*out = is;
	}
	sodium_memzero(&pair, sizeof pair);
	return r;
}

static result check_follows(const struct keys *k, const struct audit_head *h)
{
	uint64_t seq;
	struct audit_hash hash;
	TRY(read_head(k, &seq, &hash));
	bool again = h->seq == seq && memcmp(h->hash.b, hash.b, sizeof hash.b) == 0;
	if (h->seq > seq || again)
		return OK;
	return failure(FAIL_DENIED, "a later head of the audit log was signed already; an earlier one never is again");
}

result audit_key_sign(struct keys *k, const struct audit_head *h, unsigned char signature[AUDIT_SIGNATURE])
{
	struct pair pair;
	_Static_assert(crypto_sign_BYTES == AUDIT_SIGNATURE, "Ed25519's length");
	if (h->time.n != AUDIT_TIME)
		return failure(FAIL_INPUT, "a head is signed with its time");
	TRY(check_follows(k, h));
	TRY(read_pair(k, &pair));
	struct audit_statement s = audit_statement_of(h->seq, h->time.p, &h->hash);
	result r = write_head(k, h->seq, &h->hash);
	if (!failed(r))
		crypto_sign_detached(signature, NULL, (const unsigned char *)s.p, s.n, pair.secret);
	sodium_memzero(&pair, sizeof pair);
	return r;
}

static result rewrap(const struct keys *k, const char *file, const char *purpose)
{
	SECRET_BUF buf plain = buf_new(FILE_MAX);
	result r = load(k, file, purpose, &plain);
	if (r.kind == FAIL_ABSENT)
		return OK;
	if (!failed(r))
		r = store(k, file, purpose, buf_str(&plain));
	return r;
}

result audit_key_rewrap(struct keys *k)
{
	TRY(rewrap(k, key_file, key_purpose));
	return rewrap(k, head_file, head_purpose);
}
