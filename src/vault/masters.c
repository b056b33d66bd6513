#include "vault/masters.h"
#include "run/files.h"
#include "vault/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	SEALED = MASTER_SIZE + MASTER_SEALED_MORE,
	BOUND_MAX = 64,
};

/* Hard enough for a passphrase that a person types once in months. */
enum { PHRASE_PASSES = 3, PHRASE_MEMORY_MIB = 128, PHRASE_MOST_MIB = 1024, PHRASE_MOST_PASSES = 100 };

struct masters {
	unsigned char ring[MASTERS_MAX][MASTER_SIZE]; /* the current one last */
	size_t n;                                     /* 0: locked */
	enum masters_source source;
	bool unfinished;
};

static const char check_text[] = "postern";
#define CHECK STR("postern master check 1:")

/* ---- sealing ---- */

static void seal_by(const unsigned char *key, str bound, str plain, unsigned char *out)
{
	unsigned long long n;
	randombytes_buf(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, &n, (const unsigned char *)plain.p, plain.n,
		(const unsigned char *)bound.p, bound.n, NULL, out, key);
}

static bool unseal_by(const unsigned char *key, str bound, str sealed, unsigned char *out)
{
	unsigned long long n;
	const unsigned char *from = (const unsigned char *)sealed.p;
	return sealed.n >= MASTER_SEALED_MORE &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(out, &n, NULL, from + NONCE, sealed.n - NONCE,
		       (const unsigned char *)bound.p, bound.n, from, key) == 0;
}

static result locked(void)
{
	return failure(FAIL_BUSY, "the vault waits for its passphrase; `postern unlock` takes it");
}

result masters_seal(const struct masters *m, str bound, str plain, unsigned char *out)
{
	if (!m->n)
		return locked();
	seal_by(m->ring[m->n - 1], bound, plain, out);
	return OK;
}

result masters_unseal(const struct masters *m, str bound, str sealed, unsigned char *out)
{
	if (!m->n)
		return locked();
	for (size_t i = m->n; i-- > 0;)
		if (unseal_by(m->ring[i], bound, sealed, out))
			return OK;
	return failure(FAIL_DAMAGE, "a wrapped key does not open: it was made for another principal, or it is damaged");
}

/* ---- files ---- */

static bool there_is(const char *name)
{
	struct stat st;
	return fstatat(AT_FDCWD, name, &st, 0) == 0 || errno != ENOENT;
}

static result write_bytes(const char *name, const unsigned char *p, size_t n)
{
	return file_write_at(AT_FDCWD, name, str_of((const char *)p, n), 0600);
}

static result destroy(const char *name)
{
	result r = folder_destroy(AT_FDCWD, name);
	return r.kind == FAIL_ABSENT ? OK : r;
}

/* ---- those before ---- */

struct place {
	char path[32];
	char bound[BOUND_MAX];
};

static struct place former(size_t number)
{
	struct place p;
	snprintf(p.path, sizeof p.path, "former/%zu", number);
	snprintf(p.bound, sizeof p.bound, "postern former master 1:%zu", number);
	return p;
}

static size_t count_former(void)
{
	size_t n = 0;
	while (n < MASTERS_MAX - 1 && there_is(former(n + 1).path))
		n++;
	return n;
}

/* The one before ring[number]. */
static bool open_former(struct masters *m, size_t number)
{
	unsigned char sealed[SEALED];
	struct place p = former(number);
	return !failed(folder_read(AT_FDCWD, p.path, sealed, sizeof sealed)) &&
	       unseal_by(m->ring[number], str_from(p.bound), str_of((char *)sealed, sizeof sealed), m->ring[number - 1]);
}

static result keep_former(const struct masters *m, const unsigned char next[MASTER_SIZE])
{
	unsigned char sealed[SEALED];
	struct place p = former(m->n);
	if (m->n >= MASTERS_MAX)
		return failure(FAIL_LIMIT, "the master key has been replaced as often as the vault can remember");
	TRY(dir_make_at(AT_FDCWD, "former", 0700));
	TRY(write_bytes("unfinished", NULL, 0));
	seal_by(next, str_from(p.bound), str_of((const char *)m->ring[m->n - 1], MASTER_SIZE), sealed);
	return write_bytes(p.path, sealed, sizeof sealed);
}

static void succeed(struct masters *m, const unsigned char next[MASTER_SIZE])
{
	memcpy(m->ring[m->n++], next, MASTER_SIZE);
	m->unfinished = true;
}

/* ---- is it the right one ---- */

static result write_check(const struct masters *m)
{
	unsigned char sealed[sizeof check_text + MASTER_SEALED_MORE];
	TRY(masters_seal(m, CHECK, str_of(check_text, sizeof check_text), sealed));
	return write_bytes("check", sealed, sizeof sealed);
}

enum verdict { RIGHT, WRONG, UNCHECKED };

static result judge(const unsigned char key[MASTER_SIZE], enum verdict *out)
{
	unsigned char plain[sizeof check_text], sealed[sizeof check_text + MASTER_SEALED_MORE];
	result r = folder_read(AT_FDCWD, "check", sealed, sizeof sealed);
	*out = UNCHECKED;
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	*out = unseal_by(key, CHECK, str_of((char *)sealed, sizeof sealed), plain) ? RIGHT : WRONG;
	return OK;
}

/* A folder from before there was a check has one made, by the key that lay in it. */
static result unchecked(const struct masters *m)
{
	if (there_is("wrapped") && m->source != MASTERS_FILE)
		return failure(FAIL_CONFLICT, "these keys were sealed by keys/master.key; start once with `master-key = file`");
	return OK;
}

/* Replacing a key writes the former one, then the new one, then the check: cut off before the second, the last
 * former key opens by nothing and is written over another time; before the third, the check opens by it. */
static result take(struct masters *m, const unsigned char key[MASTER_SIZE])
{
	enum verdict verdict, of_last = WRONG;
	size_t n = count_former();
	memcpy(m->ring[n], key, MASTER_SIZE);
	TRY(judge(key, &verdict));
	bool last = n > 0 && open_former(m, n);
	if (verdict == WRONG && last)
		TRY(judge(m->ring[n - 1], &of_last));
	if (verdict == WRONG && of_last == WRONG)
		return failure(FAIL_DENIED, "this is not the master key that keys/ was sealed with; put the right one back");
	if (verdict == UNCHECKED)
		TRY(unchecked(m));
	if (n > 0 && !last)
		memcpy(m->ring[--n], key, MASTER_SIZE);
	for (size_t i = n; i > 0; i--)
		if (!open_former(m, i))
			return failure(FAIL_DAMAGE, "keys/former holds a key that does not open; restore the keys folder");
	m->n = n + 1;
	return verdict == RIGHT ? OK : write_check(m);
}

/* ---- the three sources ---- */

static result from_file(bool fresh, unsigned char key[MASTER_SIZE])
{
	result r = folder_read(AT_FDCWD, "master.key", key, MASTER_SIZE);
	if (r.kind != FAIL_ABSENT)
		return r;
	/* Beside wrapped keys a missing master key is a loss that must be seen, not papered over. */
	if (!fresh)
		return failure(FAIL_ABSENT,
			"keys/master.key is missing while wrapped keys exist; put it back from your backup");
	randombytes_buf(key, MASTER_SIZE);
	return write_bytes("master.key", key, MASTER_SIZE);
}

static bool credential_key(str text, unsigned char key[MASTER_SIZE])
{
	size_t n = 0;
	if (text.n == MASTER_SIZE) {
		memcpy(key, text.p, MASTER_SIZE);
		return true;
	}
	text = str_trim(text);
	return text.n == (size_t)2 * MASTER_SIZE &&
	       sodium_hex2bin(key, MASTER_SIZE, text.p, text.n, NULL, &n, NULL) == 0 && n == MASTER_SIZE;
}

static result from_credential(str text, unsigned char key[MASTER_SIZE])
{
	if (there_is("master.key"))
		return failure(FAIL_CONFLICT,
			"keys/master.key still lies there; keep it off this machine and remove it, or set `master-key = file`");
	if (!credential_key(text, key))
		return failure(FAIL_INPUT, "the credential postern.master-key is neither 32 octets nor 64 hexadecimal digits");
	return OK;
}

struct phrase_file {
	unsigned char passes, memory_mib[2]; /* of Argon2id; the memory's high octet first */
	unsigned char salt[crypto_pwhash_SALTBYTES];
	unsigned char sealed[SEALED];
};

static result stretch(str passphrase, const struct phrase_file *f, unsigned char out[MASTER_SIZE])
{
	size_t mib = (size_t)f->memory_mib[0] << 8 | f->memory_mib[1];
	if (f->passes > PHRASE_MOST_PASSES || mib > PHRASE_MOST_MIB)
		return failure(FAIL_DAMAGE, "keys/master.sealed is damaged; restore the keys folder from a backup");
	if (crypto_pwhash(out, MASTER_SIZE, passphrase.p, passphrase.n, f->salt, f->passes, mib << 20,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return failure(FAIL_MEMORY, "there is not enough memory to check the passphrase (128 MiB)");
	return OK;
}

#define PHRASE_BOUND STR("postern master by passphrase 1:")

static result seal_by_phrase(str passphrase, const unsigned char key[MASTER_SIZE])
{
	struct phrase_file f = {.passes = PHRASE_PASSES, .memory_mib = {0, PHRASE_MEMORY_MIB}};
	unsigned char by[MASTER_SIZE];
	if (passphrase.n < MASTERS_PHRASE_MIN || passphrase.n > MASTERS_PHRASE_MAX)
		return failure(FAIL_INPUT, "a passphrase has 12 to 1024 octets: take several words");
	randombytes_buf(f.salt, sizeof f.salt);
	TRY(stretch(passphrase, &f, by));
	seal_by(by, PHRASE_BOUND, str_of((const char *)key, MASTER_SIZE), f.sealed);
	sodium_memzero(by, sizeof by);
	return write_bytes("master.sealed", (const unsigned char *)&f, sizeof f);
}

static result open_by_phrase(str passphrase, unsigned char key[MASTER_SIZE])
{
	struct phrase_file f;
	unsigned char by[MASTER_SIZE];
	TRY(folder_read(AT_FDCWD, "master.sealed", (unsigned char *)&f, sizeof f));
	TRY(stretch(passphrase, &f, by));
	bool good = unseal_by(by, PHRASE_BOUND, str_of((char *)f.sealed, sizeof f.sealed), key);
	sodium_memzero(by, sizeof by);
	return good ? OK : failure(FAIL_DENIED, "the passphrase is wrong");
}

/* A folder that had its key in a file has it sealed from now on. */
static result from_phrase(str passphrase, bool fresh, unsigned char key[MASTER_SIZE])
{
	if (there_is("master.sealed")) {
		TRY(open_by_phrase(passphrase, key));
		return destroy("master.key");
	}
	if (fresh)
		randombytes_buf(key, MASTER_SIZE);
	else
		TRY(folder_read(AT_FDCWD, "master.key", key, MASTER_SIZE));
	TRY(seal_by_phrase(passphrase, key));
	return destroy("master.key");
}

static result find(const struct masters_told *told, bool fresh, unsigned char key[MASTER_SIZE])
{
	switch (told->source) {
	case MASTERS_FILE:
		return from_file(fresh, key);
	case MASTERS_CREDENTIAL:
		return from_credential(told->secret, key);
	case MASTERS_PASSPHRASE:
		return from_phrase(told->secret, fresh, key);
	}
	return failure(FAIL_INPUT, "the master key has no such source");
}

/* The credential was exchanged: the one before it is still in force, and is kept as former. */
static result exchange(struct masters *m, str before, const unsigned char next[MASTER_SIZE])
{
	unsigned char key[MASTER_SIZE];
	if (!credential_key(before, key))
		return failure(FAIL_INPUT,
			"the credential postern.master-key.former is neither 32 octets nor 64 hexadecimal digits");
	result r = take(m, key);
	sodium_memzero(key, sizeof key);
	TRY(r);
	TRY(keep_former(m, next));
	succeed(m, next);
	return write_check(m);
}

static result open_told(struct masters *m, const struct masters_told *told)
{
	unsigned char key[MASTER_SIZE];
	result r = find(told, !there_is("wrapped"), key);
	if (!failed(r))
		r = take(m, key);
	if (r.kind == FAIL_DENIED && told->source == MASTERS_CREDENTIAL && told->former.n > 0)
		r = exchange(m, told->former, key);
	sodium_memzero(key, sizeof key);
	if (failed(r))
		m->n = 0;
	return r;
}

result masters_open(const struct masters_told *told, struct masters **out)
{
	if (sodium_init() < 0)
		return failure(FAIL_MEMORY, "the crypto library cannot start");
	struct masters *m = sodium_malloc(sizeof *m);
	if (!m)
		return failure(FAIL_MEMORY, "no locked memory for the master key; raise the limit of locked memory");
	m->n = 0;
	m->source = told->source;
	m->unfinished = there_is("unfinished");
	bool waits = told->source == MASTERS_PASSPHRASE && told->secret.n == 0;
	result r = waits ? OK : open_told(m, told);
	if (failed(r))
		masters_close(&m);
	else
		*out = m;
	return r;
}

void masters_close(struct masters **m)
{
	sodium_free(*m); /* wipes */
	*m = NULL;
}

bool masters_locked(const struct masters *m)
{
	return m->n == 0;
}

result masters_rephrase(struct masters *m, str passphrase, str next)
{
	unsigned char now[MASTER_SIZE];
	if (m->source != MASTERS_PASSPHRASE)
		return failure(FAIL_CONFLICT, "the vault of this server needs no passphrase");
	TRY(open_by_phrase(passphrase, now));
	result r = seal_by_phrase(next, now);
	sodium_memzero(now, sizeof now);
	return r;
}

bool masters_unfinished(const struct masters *m)
{
	return m->unfinished;
}

result masters_finish(struct masters *m)
{
	if (unlinkat(AT_FDCWD, "unfinished", 0) < 0 && errno != ENOENT)
		return failure(FAIL_DISK, "a file of the vault cannot be removed");
	m->unfinished = false;
	return OK;
}

enum masters_source masters_source(const struct masters *m)
{
	return m->source;
}

size_t masters_count(const struct masters *m)
{
	return m->n;
}

result masters_unlock(struct masters *m, str passphrase)
{
	const struct masters_told told = {.source = MASTERS_PASSPHRASE, .secret = passphrase};
	if (m->source != MASTERS_PASSPHRASE)
		return failure(FAIL_CONFLICT, "the vault of this server needs no passphrase");
	return m->n ? OK : open_told(m, &told);
}

/* The old key is kept before the new one is in force. */
static result put_in_force(struct masters *m, const unsigned char next[MASTER_SIZE], str passphrase)
{
	unsigned char now[MASTER_SIZE];
	if (m->source == MASTERS_PASSPHRASE) {
		TRY(open_by_phrase(passphrase, now));
		sodium_memzero(now, sizeof now);
	}
	TRY(keep_former(m, next));
	if (m->source == MASTERS_PASSPHRASE)
		TRY(seal_by_phrase(passphrase, next));
	else
		TRY(write_bytes("master.key", next, MASTER_SIZE));
	succeed(m, next);
	return write_check(m);
}

result masters_rotate(struct masters *m, str passphrase)
{
	unsigned char next[MASTER_SIZE];
	if (!m->n)
		return locked();
	if (m->source == MASTERS_CREDENTIAL)
		return failure(FAIL_CONFLICT, "the master key is a credential: put a new one into postern.master-key, the one "
			"of now into postern.master-key.former, and restart");
	randombytes_buf(next, sizeof next);
	result r = put_in_force(m, next, passphrase);
	sodium_memzero(next, sizeof next);
	return r;
}
