#include "run/tls_far.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "run/tls_core.h"

#define FAR "provider=postern"
#define NEAR "provider=default"

/* OpenSSL knows providers by name, for the whole process. */
static const struct tls_signer *signer;
static OSSL_PROVIDER *near, *far;

/* ---- keys: the public half, which OpenSSL's own provider keeps and answers for ---- */

struct far_key {
	EVP_PKEY *public;
	const char *type;
};

static void *key_new(const char *type)
{
	struct far_key *k = mem_alloc(sizeof *k);
	if (k)
		k->type = type;
	return k;
}

static void *key_new_ec(void *provider)
{
	(void)provider;
	return key_new("EC");
}

static void *key_new_rsa(void *provider)
{
	(void)provider;
	return key_new("RSA");
}

static void *key_new_ed25519(void *provider)
{
	(void)provider;
	return key_new("ED25519");
}

static void key_free(void *key)
{
	struct far_key *k = key;
	EVP_PKEY_free(k->public);
	mem_free(k);
}

static int key_has(const void *key, int selection)
{
	const struct far_key *k = key;
	(void)selection; /* the private half is there, elsewhere */
	return k->public != NULL;
}

static int key_match(const void *one, const void *other, int selection)
{
	const struct far_key *a = one, *b = other;
	(void)selection;
	return EVP_PKEY_eq(a->public, b->public) == 1;
}

static int key_import(void *key, int selection, const OSSL_PARAM params[])
{
	struct far_key *k = key;
	(void)selection;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, k->type, NEAR);
	int good = c && EVP_PKEY_fromdata_init(c) == 1 &&
		   EVP_PKEY_fromdata(c, &k->public, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) == 1;
	EVP_PKEY_CTX_free(c);
	return good;
}

/* Refusing the private half makes OpenSSL sign through this provider and no other. */
static int key_export(void *key, int selection, OSSL_CALLBACK *give, void *ctx)
{
	const struct far_key *k = key;
	OSSL_PARAM *params = NULL;
	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || EVP_PKEY_todata(k->public, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return 0;
	int good = give(params, ctx);
	OSSL_PARAM_free(params);
	return good;
}

/* The parts of a public key by which OpenSSL carries one to another provider. */
static const OSSL_PARAM *key_parts(int selection)
{
	static const OSSL_PARAM parts[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END,
	};
	return selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY ? parts : NULL;
}

static int key_get(void *key, OSSL_PARAM params[])
{
	const struct far_key *k = key;
	return EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *key_gettable(void *provider)
{
	static const OSSL_PARAM known[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};
	(void)provider;
	return known;
}

static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define ENTRY(id, f) {(id), (void (*)(void))(f)}
#define KEY_TABLE(type, ...) \
	static const OSSL_DISPATCH type##_keys[] = { \
		ENTRY(OSSL_FUNC_KEYMGMT_NEW, key_new_##type), \
		ENTRY(OSSL_FUNC_KEYMGMT_FREE, key_free), \
		ENTRY(OSSL_FUNC_KEYMGMT_HAS, key_has), \
		ENTRY(OSSL_FUNC_KEYMGMT_MATCH, key_match), \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, key_import), \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_parts), \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, key_export), \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_parts), \
		ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get), \
		ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable), \
		__VA_ARGS__ {0, NULL}}

KEY_TABLE(ec, ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation), );
KEY_TABLE(rsa, );
KEY_TABLE(ed25519, );

/* ---- signatures ---- */

struct far_signature {
	const struct far_key *key;
	char digest[16]; /* OpenSSL's name; empty for Ed25519 */
	bool pss;
};

static void *signature_new(void *provider, const char *query)
{
	(void)provider;
	(void)query;
	return mem_alloc(sizeof(struct far_signature));
}

static void signature_free(void *ctx)
{
	mem_free(ctx);
}

static bool pad_mode(struct far_signature *s, const OSSL_PARAM *p)
{
	const char *text = NULL;
	int mode = 0;
	if (OSSL_PARAM_get_utf8_string_ptr(p, &text))
		s->pss = strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
	else if (OSSL_PARAM_get_int(p, &mode))
		s->pss = mode == RSA_PKCS1_PSS_PADDING;
	else
		return false;
	return true;
}

/* TLS asks for one salt length, that of the digest, which is what is used (RFC 8446 4.2.3). */
static int signature_set(void *ctx, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = params ? OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE) : NULL;
	return !p || pad_mode(ctx, p);
}

static const OSSL_PARAM *signature_settable(void *ctx, void *provider)
{
	static const OSSL_PARAM known[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END,
	};
	(void)ctx;
	(void)provider;
	return known;
}

static int signature_begin(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct far_signature *s = ctx;
	size_t n = digest ? strlen(digest) : 0;
	if (n >= sizeof s->digest)
		return 0;
	s->key = key;
	if (n)
		memcpy(s->digest, digest, n);
	s->digest[n] = 0;
	return signature_set(ctx, params);
}

static const struct {
	const char *name;
	enum tls_hash hash;
} hashes[] = {
	{"SHA256", TLS_SHA256}, {"SHA384", TLS_SHA384}, {"SHA512", TLS_SHA512},
	{"SHA2-256", TLS_SHA256}, {"SHA2-384", TLS_SHA384}, {"SHA2-512", TLS_SHA512},
};

/* `room` holds the digest when there is one. */
static bool describe(const struct far_signature *s, str message, unsigned char *room, struct tls_to_sign *out)
{
	unsigned n = 0;
	if (strcmp(s->key->type, "ED25519") == 0) {
		*out = (struct tls_to_sign){.scheme = TLS_ED25519, .bytes = message};
		return message.n <= TLS_TO_SIGN_MAX;
	}
	out->scheme = strcmp(s->key->type, "EC") == 0 ? TLS_ECDSA : s->pss ? TLS_RSA_PSS : TLS_RSA_PKCS1;
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
		if (strcmp(hashes[i].name, s->digest) != 0)
			continue;
		const EVP_MD *md = EVP_get_digestbyname(s->digest);
		out->hash = hashes[i].hash;
		if (!md || EVP_Digest(message.p, message.n, room, &n, md, NULL) != 1)
			return false;
		out->bytes = str_of((const char *)room, n);
		return true;
	}
	return false;
}

static int signature_make(
	void *ctx, unsigned char *out, size_t *out_n, size_t room_n, const unsigned char *message, size_t message_n)
{
	const struct far_signature *s = ctx;
	unsigned char room[EVP_MAX_MD_SIZE];
	struct tls_to_sign what = {0};
	int most = EVP_PKEY_get_size(s->key->public);
	if (!out) {
		*out_n = most > 0 ? (size_t)most : 0;
		return most > 0;
	}
	AUTO_BUF buf made = buf_new(TLS_SIGNATURE_MAX);
	if (!describe(s, str_of((const char *)message, message_n), room, &what))
		return 0;
	result r = signer->sign(signer->ctx, &what, &made);
	ERR_clear_error(); /* what other sessions left while this one was suspended */
	str signature = buf_str(&made);
	if (failed(r) || signature.n == 0 || signature.n > room_n)
		return 0;
	memcpy(out, signature.p, signature.n);
	*out_n = signature.n;
	return 1;
}

static const OSSL_DISPATCH signing[] = {
	ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
	ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_begin),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_make),
	ENTRY(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signature_set),
	ENTRY(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable),
	{0, NULL}};

/* ---- the provider ---- */

#define EC_NAMES "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define RSA_NAMES "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define ED25519_NAMES "ED25519:1.3.101.112"

static const OSSL_ALGORITHM key_kinds[] = {{EC_NAMES, FAR, ec_keys, "EC key elsewhere"},
	{RSA_NAMES, FAR, rsa_keys, "RSA key elsewhere"}, {ED25519_NAMES, FAR, ed25519_keys, "Ed25519 key elsewhere"},
	{NULL, NULL, NULL, NULL}};
static const OSSL_ALGORITHM signature_kinds[] = {{"ECDSA", FAR, signing, "ECDSA elsewhere"},
	{RSA_NAMES, FAR, signing, "RSA elsewhere"}, {ED25519_NAMES, FAR, signing, "Ed25519 elsewhere"},
	{NULL, NULL, NULL, NULL}};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT ? key_kinds : operation == OSSL_OP_SIGNATURE ? signature_kinds : NULL;
}

static const OSSL_DISPATCH provider[] = {ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, NULL}};

static int begin(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx)
{
	(void)in;
	*out = provider;
	*ctx = (void *)(uintptr_t)core;
	return 1;
}

static result refused(void)
{
	return failure(FAIL_MEMORY, "OpenSSL does not take a key that is kept elsewhere.");
}

/* A provider loaded by hand ends the loading by need of OpenSSL's own; where no
 * property is asked for, its own must be found and not this one. */
result tls_far_open(const struct tls_signer *s)
{
	signer = s;
	ERR_clear_error();
	near = OSSL_PROVIDER_load(NULL, "default");
	far = OSSL_PROVIDER_add_builtin(NULL, "postern", begin) == 1 ? OSSL_PROVIDER_load(NULL, "postern") : NULL;
	bool good = near && far && EVP_set_default_properties(NULL, "?" NEAR) == 1;
	return good ? OK : refused();
}

void tls_far_close(void)
{
	if (far)
		OSSL_PROVIDER_unload(far);
	if (near)
		OSSL_PROVIDER_unload(near);
	near = far = NULL;
}

static EVP_PKEY *public_of(str chain)
{
	BIO *in = tls_pem_view(chain);
	X509 *leaf = in ? PEM_read_bio_X509(in, NULL, tls_no_passphrase, NULL) : NULL;
	EVP_PKEY *key = leaf ? X509_get_pubkey(leaf) : NULL;
	X509_free(leaf);
	BIO_free(in);
	return key;
}

static EVP_PKEY *far_twin(EVP_PKEY *public)
{
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	const char *type = EVP_PKEY_get0_type_name(public);
	EVP_PKEY_CTX *c = type ? EVP_PKEY_CTX_new_from_name(NULL, type, FAR) : NULL;
	bool good = c && EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) == 1 && EVP_PKEY_fromdata_init(c) == 1 &&
		    EVP_PKEY_fromdata(c, &key, EVP_PKEY_KEYPAIR, params) == 1;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(c);
	return good ? key : NULL;
}

result tls_far_context(str chain, struct tls_context **out)
{
	ERR_clear_error();
	EVP_PKEY *public = public_of(chain);
	if (!public)
		return failure(FAIL_INPUT, "The certificate file is not a chain of PEM certificates, the server's first.");
	EVP_PKEY *key = far_twin(public);
	result r = key ? tls_server_context_key(chain, key, out)
		       : failure(FAIL_INPUT, "The certificate's key is of a kind that the vault cannot sign with.");
	EVP_PKEY_free(key);
	EVP_PKEY_free(public);
	return r;
}
