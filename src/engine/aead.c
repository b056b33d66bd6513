#include "engine/aead.h"

#include <gcrypt.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

_Static_assert(AEAD_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(AEAD_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(AEAD_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

enum { NONCE_OF_KEY = crypto_core_hchacha20_INPUTBYTES, IV = 12, IV_ZEROS = 4 };

#define LIBGCRYPT "1.9.0" /* since then both halves at once */

static struct {
	bool on;
	pthread_key_t contexts; /* a thread's own */
} aead;

static void close_context(void *context)
{
	gcry_cipher_close(context);
}

result aead_start(void)
{
	if (aead.on)
		return OK;
	(void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0); /* nothing here is asked of it */
	if (!gcry_check_version(LIBGCRYPT))
		return failure(FAIL_LIMIT, "libgcrypt is older than " LIBGCRYPT "; install a newer one");
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	if (pthread_key_create(&aead.contexts, close_context) != 0)
		return failure(FAIL_MEMORY, "out of memory");
	aead.on = true;
	return OK;
}

static gcry_cipher_hd_t context(void)
{
	gcry_cipher_hd_t h = aead.on ? pthread_getspecific(aead.contexts) : NULL;
	if (h || !aead.on || gcry_cipher_open(&h, GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305, 0) != 0)
		return h;
	if (pthread_setspecific(aead.contexts, h) == 0)
		return h;
	gcry_cipher_close(h);
	return NULL;
}

/* NULL: libsodium is to do it. */
static gcry_cipher_hd_t begin(const struct aead_use *u)
{
	gcry_cipher_hd_t h = context();
	unsigned char key[AEAD_KEY], iv[IV] = {0};
	if (!h)
		return NULL;
	memcpy(iv + IV_ZEROS, u->nonce + NONCE_OF_KEY, IV - IV_ZEROS);
	crypto_core_hchacha20(key, u->nonce, u->key, NULL);
	bool ok = gcry_cipher_setkey(h, key, sizeof key) == 0 && gcry_cipher_setiv(h, iv, sizeof iv) == 0;
	sodium_memzero(key, sizeof key);
	if (ok && u->bound.n)
		ok = gcry_cipher_authenticate(h, u->bound.p, u->bound.n) == 0;
	return ok && gcry_cipher_final(h) == 0 ? h : NULL;
}

bool aead_is_quick(void)
{
	static const unsigned char zeros[AEAD_KEY];
	return begin(&(struct aead_use){zeros, zeros, STR("")}) != NULL;
}

void aead_seal(const struct aead_use *u, unsigned char *p, size_t n, unsigned char tag[AEAD_TAG])
{
	const unsigned char *bound = (const unsigned char *)u->bound.p;
	gcry_cipher_hd_t h = begin(u);
	if (h)
		must(gcry_cipher_encrypt(h, p, n, NULL, 0) == 0 && gcry_cipher_gettag(h, tag, AEAD_TAG) == 0);
	else
		crypto_aead_xchacha20poly1305_ietf_encrypt_detached(p, tag, NULL, p, n, bound, u->bound.n, NULL, u->nonce,
			u->key);
}

bool aead_open(const struct aead_use *u, unsigned char *p, size_t n, const unsigned char tag[AEAD_TAG])
{
	const unsigned char *bound = (const unsigned char *)u->bound.p;
	gcry_cipher_hd_t h = begin(u);
	if (!h)
		return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(p, NULL, p, n, tag, bound, u->bound.n, u->nonce,
			u->key) == 0;
	must(gcry_cipher_decrypt(h, p, n, NULL, 0) == 0);
	bool authentic = gcry_cipher_checktag(h, tag, AEAD_TAG) == 0;
	if (!authentic)
		sodium_memzero(p, n);
	return authentic;
}
