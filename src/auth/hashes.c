#include "auth/hashes.h"

#include <crypt.h>
#include <sodium.h>

#include "base/buf.h"
#include "base/mem.h"
#include "grammar/text/base64.h"
#include "run/secret.h"

static const result wrong = {FAIL_DENIED, "the password is wrong"};

str hashes_plain(str hash)
{
	size_t end = str_chr(hash, '}');
	return hash.n > 0 && hash.p[0] == '{' && end != STR_NONE ? str_skip(hash, end + 1) : hash;
}

/* The number up to the next '$', which is taken too. */
static bool number_of(str *rest, uint32_t *out)
{
	size_t end = str_chr(*rest, '$');
	bool good = end != STR_NONE && str_to_u32(str_sub(*rest, 0, end), out);
	*rest = end == STR_NONE ? (str){NULL, 0} : str_skip(*rest, end + 1);
	return good;
}

/* ---- crypt(3) ---- */

static bool is_bcrypt(str hash)
{
	uint32_t cost;
	str rest = str_skip(hash, 4);
	bool known = str_starts(hash, STR("$2a$")) || str_starts(hash, STR("$2b$")) || str_starts(hash, STR("$2y$"));
	return known && hash.n == 60 && number_of(&rest, &cost) && cost >= 4 && cost <= HASHES_BCRYPT_COST;
}

static bool is_sha512_crypt(str hash)
{
	uint32_t rounds = 5000;
	str rest = str_skip(hash, 3);
	if (!str_starts(hash, STR("$6$")))
		return false;
	if (str_starts(rest, STR("rounds="))) {
		rest = str_skip(rest, 7);
		if (!number_of(&rest, &rounds))
			return false;
	}
	size_t end = str_chr(rest, '$');
	return rounds <= HASHES_CRYPT_ROUNDS && end != STR_NONE && rest.n - end - 1 == 86;
}

static result verify_crypt(str hash, str password)
{
	char setting[HASHES_TEXT] = {0};
	struct crypt_data *d = mem_alloc(sizeof *d);
	char *phrase = mem_alloc(password.n + 1);
	result r = failure(FAIL_MEMORY, "there is no memory for checking a password now");
	if (d && phrase) {
		memcpy(setting, hash.p, hash.n);
		if (password.n)
			memcpy(phrase, password.p, password.n);
		/* Not crypt_r: AddressSanitizer puts itself in that one's place, and then the library is not even loaded. */
		const char *made = crypt_rn(phrase, setting, d, sizeof *d);
		r = made && strlen(made) == hash.n && sodium_memcmp(made, hash.p, hash.n) == 0 ? OK : wrong;
		secret_wipe(d, sizeof *d);
		secret_wipe(phrase, password.n);
	}
	mem_free(d);
	mem_free(phrase);
	return r;
}

/* ---- PBKDF2 ---- */

struct pbkdf2 {
	bool long_digest; /* SHA-512 */
	uint32_t rounds;
	buf salt, key;
};

/* passlib's alphabet has '.' for '+', and no padding. */
static bool decode(str text, buf *out)
{
	AUTO_BUF buf whole = buf_new(HASHES_TEXT + 4);
	for (size_t i = 0; i < text.n; i++)
		buf_putc(&whole, text.p[i] == '.' ? '+' : text.p[i]);
	while (whole.n % 4)
		buf_putc(&whole, '=');
	return !whole.broken && !failed(base64_decode(out, buf_str(&whole)));
}

static bool parse(str hash, struct pbkdf2 *out)
{
	str rest;
	out->long_digest = str_starts(hash, STR("$pbkdf2-sha512$"));
	if (!out->long_digest && !str_starts(hash, STR("$pbkdf2-sha256$")))
		return false;
	rest = str_skip(hash, STR("$pbkdf2-sha512$").n);
	if (!number_of(&rest, &out->rounds) || out->rounds == 0 || out->rounds > HASHES_PBKDF2_ROUNDS)
		return false;
	size_t end = str_chr(rest, '$');
	if (end == STR_NONE || !decode(str_sub(rest, 0, end), &out->salt) || !decode(str_skip(rest, end + 1), &out->key))
		return false;
	return out->key.n == (out->long_digest ? (size_t)crypto_auth_hmacsha512_BYTES : crypto_auth_hmacsha256_BYTES);
}

static void mix(unsigned char *into, const unsigned char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		into[i] ^= from[i];
}

/* One block, as both are as long as their digest. */
#define PBKDF2(NAME, HMAC) \
	static void NAME(const struct pbkdf2 *p, str password, unsigned char *out) \
	{ \
		static const unsigned char one[4] = {0, 0, 0, 1}; \
		HMAC##_state keyed, s; \
		unsigned char u[HMAC##_BYTES]; \
		HMAC##_init(&keyed, (const unsigned char *)password.p, password.n); \
		s = keyed; \
		HMAC##_update(&s, (const unsigned char *)p->salt.p, p->salt.n); \
		HMAC##_update(&s, one, sizeof one); \
		HMAC##_final(&s, u); \
		memcpy(out, u, sizeof u); \
		for (uint32_t i = 1; i < p->rounds; i++) { \
			s = keyed; \
			HMAC##_update(&s, u, sizeof u); \
			HMAC##_final(&s, u); \
			mix(out, u, sizeof u); \
		} \
		sodium_memzero(&keyed, sizeof keyed); \
		sodium_memzero(&s, sizeof s); \
	}
PBKDF2(by_sha256, crypto_auth_hmacsha256)
PBKDF2(by_sha512, crypto_auth_hmacsha512)

static bool with_pbkdf2(str hash, const str *password)
{
	struct pbkdf2 p = {.salt = buf_new(HASHES_TEXT), .key = buf_new(HASHES_TEXT)};
	unsigned char made[crypto_auth_hmacsha512_BYTES];
	bool good = parse(hash, &p);
	if (good && password) {
		if (p.long_digest)
			by_sha512(&p, *password, made);
		else
			by_sha256(&p, *password, made);
		good = sodium_memcmp(made, p.key.p, p.key.n) == 0;
	}
	buf_free(&p.salt);
	buf_free(&p.key);
	return good;
}

/* ---- any ---- */

bool hashes_is_foreign(str hash)
{
	if (hash.n >= HASHES_TEXT || str_chr(hash, '\0') != STR_NONE)
		return false;
	return is_bcrypt(hash) || is_sha512_crypt(hash) || with_pbkdf2(hash, NULL);
}

result hashes_verify(str hash, str password)
{
	if (!hashes_is_foreign(hash) || str_chr(password, '\0') != STR_NONE)
		return wrong;
	if (is_bcrypt(hash) || is_sha512_crypt(hash))
		return verify_crypt(hash, password);
	return with_pbkdf2(hash, &password) ? OK : wrong;
}
