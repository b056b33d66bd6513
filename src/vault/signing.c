#include "vault/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "grammar/text/base64.h"
#include "run/files.h"
#include "run/secret.h"
#include "run/worker.h"
#include "vault/folder.h"

enum { PLAIN_MAX = 8192, SIGNATURE_MAX = 512, BOUND_MAX = 32 + SIGNING_NAME_MAX };

static const char purpose[] = "postern signing key 1:";

struct kept {
	struct list node; /* in `recent` */
	EVP_PKEY *key;
	enum principal_vault_algorithm algorithm;
	size_t name_n;
	char name[SIGNING_NAME_MAX];
};

struct signing {
	struct keys *keys;
	int folder;
	size_t n, max;
	hash kept;          /* by name */
	struct list recent; /* used last: at the end */
	struct worker *worker;
};

/* What a file holds, unsealed. Views end with the buffer they came from. */
struct stored {
	enum principal_vault_algorithm algorithm;
	str domain;
	str der;
};

static result crypto_failure(void)
{
	return failure(FAIL_MEMORY, "the crypto library refused; memory is short, or a key is damaged");
}

/* ---- names and files ---- */

_Static_assert((int)SIGNING_NAME_MAX == (int)FOLDER_NAME_MAX, "a key's name is a file's");

struct bound {
	char p[BOUND_MAX];
	size_t n;
};

static struct bound bound_to(str name)
{
	struct bound b;
	int n = snprintf(b.p, sizeof b.p, "%s%.*s", purpose, STR_ARG(name));
	must(n > 0 && (size_t)n < sizeof b.p);
	b.n = (size_t)n;
	return b;
}

/* algorithm, length of the domain, domain, PKCS #8 */
static result read_stored(str plain, struct stored *out)
{
	cursor c = cursor_on(plain);
	uint8_t algorithm = cursor_u8(&c), n = cursor_u8(&c);
	out->algorithm = (enum principal_vault_algorithm)algorithm;
	out->domain = cursor_take(&c, n);
	out->der = cursor_rest(&c);
	bool known = algorithm <= PRINCIPAL_VAULT_ALGORITHM_ED25519_SHA256;
	return known && !c.bad ? OK : failure(FAIL_DAMAGE, "a sealed signing key holds no key");
}

/* Appends the whole plain text to `plain`, which was reserved so that it never moves. */
static result load(struct signing *s, str name, buf *plain, struct stored *out)
{
	AUTO_BUF buf sealed = buf_new(PLAIN_MAX);
	struct folder_name path;
	TRY(folder_name_of(name, &path));
	TRY(file_read_at(s->folder, path.p, &sealed));
	struct bound b = bound_to(name);
	TRY(keys_unseal(s->keys, str_of(b.p, b.n), buf_str(&sealed), plain));
	return read_stored(buf_str(plain), out);
}

static result store(struct signing *s, const struct signing_wanted *w, str der)
{
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	AUTO_BUF buf sealed = buf_new(PLAIN_MAX);
	struct folder_name path;
	TRY(folder_name_of(w->name, &path));
	if (!buf_reserve(&plain, 2 + w->domain.n + der.n))
		return buf_result(&plain);
	buf_putc(&plain, (char)w->algorithm);
	buf_putc(&plain, (char)w->domain.n);
	buf_put(&plain, w->domain);
	buf_put(&plain, der);
	struct bound b = bound_to(w->name);
	TRY(keys_seal(s->keys, str_of(b.p, b.n), buf_str(&plain), &sealed));
	return file_write_at(s->folder, path.p, buf_str(&sealed), 0600);
}

/* ---- keys in memory ---- */

static void forget(struct signing *s, struct kept *k)
{
	hash_remove(&s->kept, str_of(k->name, k->name_n));
	list_remove(&k->node);
	EVP_PKEY_free(k->key);
	mem_free(k);
}

static result keep(struct signing *s, str name, const struct stored *from, struct kept **out)
{
	const unsigned char *p = (const unsigned char *)from->der.p;
	struct kept *k = mem_alloc(sizeof *k);
	if (!k)
		return failure(FAIL_MEMORY, "out of memory");
	if (s->kept.n >= SIGNING_KEPT_MAX)
		forget(s, LIST_OWNER(s->recent.next, struct kept, node));
	k->algorithm = from->algorithm;
	k->name_n = name.n;
	memcpy(k->name, name.p, name.n);
	k->key = d2i_AutoPrivateKey(NULL, &p, (long)from->der.n);
	list_init(&k->node);
	result r = k->key ? hash_put(&s->kept, name, k) : crypto_failure();
	if (failed(r)) {
		EVP_PKEY_free(k->key);
		mem_free(k);
		return r;
	}
	list_insert(&s->recent, &k->node);
	*out = k;
	return OK;
}

static result find(struct signing *s, str name, struct kept **out)
{
	*out = hash_get(&s->kept, name);
	if (*out) {
		list_remove(&(*out)->node);
		list_insert(&s->recent, &(*out)->node);
		return OK;
	}
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	struct stored from;
	if (!buf_reserve(&plain, PLAIN_MAX))
		return buf_result(&plain);
	TRY(load(s, name, &plain, &from));
	return keep(s, name, &from, out);
}

/* ---- on the threads ---- */

struct order {
	EVP_PKEY *key; /* NULL: make one */
	enum principal_vault_algorithm algorithm;
	const unsigned char *digest;
	unsigned char signature[SIGNATURE_MAX];
	size_t n; /* of the signature; 0: refused */
};

/* What a message needs goes in one: handing over costs two context switches. */
struct task {
	struct job job;
	struct order *orders;
	size_t n;
};

static void make(struct order *t)
{
	if (t->algorithm == PRINCIPAL_VAULT_ALGORITHM_RSA_SHA256)
		t->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)SIGNING_RSA_BITS);
	else
		t->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static bool sign_rsa(struct order *t)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(t->key, NULL);
	bool good = c && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
		    EVP_PKEY_sign(c, t->signature, &t->n, t->digest, SIGNING_DIGEST) == 1;
	EVP_PKEY_CTX_free(c);
	return good;
}

/* By libsodium, which takes half of OpenSSL's time for it; the signature is the same (RFC 8032). */
static bool sign_ed25519(struct order *t)
{
	unsigned char key[crypto_sign_ed25519_SECRETKEYBYTES];
	enum { SEED = crypto_sign_ed25519_SEEDBYTES };
	size_t seed = SEED, public = sizeof key - SEED;
	bool good = EVP_PKEY_get_raw_private_key(t->key, key, &seed) == 1 &&
		    EVP_PKEY_get_raw_public_key(t->key, key + SEED, &public) == 1 &&
		    crypto_sign_ed25519_detached(t->signature, NULL, t->digest, SIGNING_DIGEST, key) == 0;
	t->n = crypto_sign_ed25519_BYTES;
	secret_wipe(key, sizeof key);
	return good;
}

static void carry_out(struct order *t)
{
	if (!t->key) {
		make(t);
		return;
	}
	t->n = sizeof t->signature;
	bool good = t->algorithm == PRINCIPAL_VAULT_ALGORITHM_RSA_SHA256 ? sign_rsa(t) : sign_ed25519(t);
	t->n = good ? t->n : 0;
}

static void work(void *ctx, struct job **jobs, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		struct task *t = (struct task *)(void *)jobs[i];
		for (size_t k = 0; k < t->n; k++)
			carry_out(&t->orders[k]);
	}
}

/* ---- the calls ---- */

static result public_half(EVP_PKEY *key, enum principal_vault_algorithm algorithm, buf *out)
{
	unsigned char raw[32], *der = NULL;
	size_t n = sizeof raw;
	if (algorithm == PRINCIPAL_VAULT_ALGORITHM_ED25519_SHA256) {
		if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
			return crypto_failure();
		base64_encode(out, str_of((char *)raw, n), 0);
		return buf_result(out);
	}
	int length = i2d_PUBKEY(key, &der);
	if (length <= 0)
		return crypto_failure();
	base64_encode(out, str_of((char *)der, (size_t)length), 0);
	OPENSSL_free(der);
	return buf_result(out);
}

/* While it was made nobody may have stored another under that name. */
static result store_new(struct signing *s, const struct signing_wanted *w, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	struct folder_name path;
	struct stat st;
	TRY(folder_name_of(w->name, &path));
	if (fstatat(s->folder, path.p, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return failure(FAIL_BUSY, "the same signing key is being made already");
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	result r = n > 0 ? store(s, w, str_of((char *)der, (size_t)n)) : crypto_failure();
	if (n > 0)
		OPENSSL_clear_free(der, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	return r;
}

static result make_new(struct signing *s, const struct signing_wanted *w, buf *public)
{
	struct order o = {.algorithm = w->algorithm};
	struct task t = {.orders = &o, .n = 1};
	if (s->n >= s->max)
		return failure(FAIL_LIMIT, "the vault holds as many signing keys as it takes");
	s->n++; /* at once: others are made meanwhile */
	result r = worker_run_always(s->worker, &t.job);
	if (!failed(r))
		r = o.key ? store_new(s, w, o.key) : crypto_failure();
	if (failed(r))
		s->n--;
	else
		r = public_half(o.key, w->algorithm, public);
	EVP_PKEY_free(o.key);
	return r;
}

static result tell_again(struct signing *s, const struct signing_wanted *w, buf *public)
{
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	struct stored from;
	struct kept *k;
	if (!buf_reserve(&plain, PLAIN_MAX))
		return buf_result(&plain);
	TRY(load(s, w->name, &plain, &from));
	if (from.algorithm != w->algorithm || !str_eq(from.domain, w->domain))
		return failure(FAIL_EXISTS, "there is a signing key of that name for something else");
	TRY(find(s, w->name, &k));
	return public_half(k->key, k->algorithm, public);
}

result signing_make(struct signing *s, const struct signing_wanted *w, buf *public)
{
	if (w->domain.n == 0 || w->domain.n > SIGNING_DOMAIN_MAX)
		return failure(FAIL_INPUT, "a signing key is for a domain");
	result r = tell_again(s, w, public);
	return r.kind == FAIL_ABSENT ? make_new(s, w, public) : r;
}

/* Each key is held: it may be forgotten meanwhile. */
static result take_order(struct signing *s, const struct principal_vault_to_sign *w, struct order *out)
{
	struct kept *k;
	TRY(find(s, w->key, &k));
	*out = (struct order){.key = k->key, .algorithm = k->algorithm, .digest = w->digest};
	EVP_PKEY_up_ref(out->key);
	return OK;
}

static result hand_out(const struct task *t, arena *a, str *out)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->orders[i].n == 0)
			return crypto_failure();
		out[i] = arena_dup(a, str_of((char *)t->orders[i].signature, t->orders[i].n));
	}
	return arena_result(a);
}

result signing_sign(struct signing *s, const struct signing_wish *wish, arena *a, str *out)
{
	struct task t = {.orders = arena_array(a, wish->n, sizeof *t.orders)};
	result r = t.orders || wish->n == 0 ? OK : arena_result(a);
	for (size_t i = 0; i < wish->n && !failed(r); i++) {
		r = take_order(s, &wish->p[i], &t.orders[i]);
		t.n += !failed(r);
	}
	if (!failed(r))
		r = worker_run(s->worker, &t.job);
	for (size_t i = 0; i < t.n; i++)
		EVP_PKEY_free(t.orders[i].key);
	return failed(r) ? r : hand_out(&t, a, out);
}

result signing_drop(struct signing *s, str name)
{
	struct folder_name path;
	TRY(folder_name_of(name, &path));
	struct kept *k = hash_get(&s->kept, name);
	if (k)
		forget(s, k);
	result r = folder_destroy(s->folder, path.p);
	if (r.kind == FAIL_ABSENT)
		return OK;
	s->n -= !failed(r) && s->n > 0;
	return r;
}

/* ---- under another master key ---- */

static result rewrap_one(void *ctx, str name)
{
	struct signing *s = ctx;
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	struct stored from;
	if (!buf_reserve(&plain, PLAIN_MAX))
		return buf_result(&plain);
	result r = load(s, name, &plain, &from);
	if (r.kind == FAIL_ABSENT) /* dropped meanwhile */
		return OK;
	TRY(r);
	const struct signing_wanted w = {.name = name, .domain = from.domain, .algorithm = from.algorithm};
	return store(s, &w, from.der);
}

result signing_rewrap(struct signing *s)
{
	return folder_each(s->folder, rewrap_one, s);
}

size_t signing_count(const struct signing *s)
{
	return s->n;
}

/* ---- life ---- */

result signing_prepare(void)
{
	/* Its configuration file lies outside of the jail and is not wanted. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return crypto_failure();
	EVP_PKEY *warm = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY_free(warm);
	return warm ? OK : crypto_failure();
}

static result count_files(int folder, size_t *out)
{
	AUTO_ARENA arena a = arena_new(FOLDER_NAMES_MAX);
	struct folder_names names;
	TRY(folder_names(folder, &a, &names));
	*out = names.n;
	return OK;
}

static result open_all(struct signing *s)
{
	const struct worker_plan plan = {.run = work, .name = "signing", .threads = SIGNING_THREADS,
		.queue_max = SIGNING_WAITING, .batch_max = 1};
	TRY(dir_make_at(AT_FDCWD, "dkim", 0700));
	TRY(dir_open_at(AT_FDCWD, "dkim", &s->folder));
	TRY(count_files(s->folder, &s->n));
	return worker_open(&plan, &s->worker);
}

result signing_open(struct keys *keys, size_t keys_max, struct signing **out)
{
	struct signing *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->keys = keys;
	s->folder = -1;
	s->max = keys_max;
	s->kept = hash_new(SIGNING_KEPT_MAX);
	list_init(&s->recent);
	result r = open_all(s);
	if (failed(r))
		signing_close(&s);
	else
		*out = s;
	return r;
}

void signing_close(struct signing **s)
{
	if (!*s)
		return;
	worker_close(&(*s)->worker);
	while (!list_empty(&(*s)->recent))
		forget(*s, LIST_OWNER((*s)->recent.next, struct kept, node));
	hash_free(&(*s)->kept);
	if ((*s)->folder >= 0)
		close((*s)->folder);
	mem_free(*s);
	*s = NULL;
}
