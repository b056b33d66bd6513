#include "auth/password.h"

#include <sodium.h>

#include "auth/common.h"
#include "auth/hashes.h"

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "a hash text has room");

result password_hash(str password, uint64_t memory, char hash[PASSWORD_HASH_MAX])
{
	char text[crypto_pwhash_STRBYTES];
	if (password.n > PASSWORD_MAX)
		return failure(FAIL_INPUT, "the password is longer than 1024 octets");
	if (crypto_pwhash_str_alg(text, password.p, password.n, PASSWORD_PASSES, memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return failure(FAIL_MEMORY, "there is no memory for hashing a password now");
	memset(hash, 0, PASSWORD_HASH_MAX);
	memcpy(hash, text, strlen(text));
	return OK;
}

result password_seed(str password, const struct password_cost *cost, unsigned char seed[PASSWORD_SEED])
{
	if (password.n > PASSWORD_MAX)
		return failure(FAIL_DENIED, "the password is wrong");
	if (crypto_pwhash(seed, PASSWORD_SEED, password.p, password.n, cost->salt, cost->passes, cost->memory,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return failure(FAIL_MEMORY, "there is no memory for hashing a password now");
	return OK;
}

static bool is_argon2id(str hash)
{
	return hash.n < crypto_pwhash_STRBYTES && str_starts(hash, STR("$argon2id$v=19$m=")) &&
	       str_chr(hash, '\0') == STR_NONE;
}

bool password_is_hash(str hash)
{
	return is_argon2id(hash) || hashes_is_foreign(hash);
}

/* "$argon2id$v=19$m=65536,t=2,p=1$..." */
static uint64_t parameter(str hash, str name)
{
	uint64_t n = 0;
	str rest = str_skip(hash, str_find(hash, name) + name.n);
	size_t end = 0;
	while (end < rest.n && ascii_digit(str_at(rest, end)))
		end++;
	return str_to_u64(str_sub(rest, 0, end), &n) ? n : 0;
}

bool password_is_weak(str hash, uint64_t memory)
{
	if (!is_argon2id(hash))
		return true;
	return parameter(hash, STR("$m=")) < memory / 1024 || parameter(hash, STR(",t=")) < PASSWORD_PASSES;
}

result password_verify(str hash, str password)
{
	char text[crypto_pwhash_STRBYTES] = {0};
	if (password.n > PASSWORD_MAX)
		return failure(FAIL_DENIED, "the password is wrong");
	if (!is_argon2id(hash))
		return hashes_verify(hash, password);
	memcpy(text, hash.p, hash.n);
	if (crypto_pwhash_str_verify(text, password.p, password.n) != 0)
		return failure(FAIL_DENIED, "the password is wrong");
	return OK;
}

result password_acceptable(str password, str address)
{
	if (password.n < PASSWORD_MIN)
		return failure(FAIL_INPUT, "the password is too short: take at least 10 characters; four words are easy to "
			"keep");
	if (password.n > PASSWORD_MAX)
		return failure(FAIL_INPUT, "the password is longer than 1024 octets");
	if (str_ifind(password, address) != STR_NONE || str_ieq(password, str_sub(address, 0, str_chr(address, '@'))))
		return failure(FAIL_INPUT, "the password holds the address: take something nobody can guess");
	if (common_password(password))
		return failure(FAIL_INPUT, "this password is on every attacker's list: take another");
	return OK;
}
