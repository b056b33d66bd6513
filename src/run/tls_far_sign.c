/* The end where the key is. */
#include "run/tls_far.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "run/tls_core.h"

result tls_key_read(str pem, EVP_PKEY **out)
{
	ERR_clear_error();
	BIO *in = tls_pem_view(pem);
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, tls_no_passphrase, NULL) : NULL;
	BIO_free(in);
	if (!key)
		return failure(FAIL_INPUT, "The private key is not a PEM key without passphrase.");
	*out = key;
	return OK;
}

static bool sign_digest(EVP_PKEY_CTX *c, const struct tls_to_sign *what, unsigned char *out, size_t *n)
{
	const EVP_MD *md = what->hash == TLS_SHA256   ? EVP_sha256()
			   : what->hash == TLS_SHA384 ? EVP_sha384()
						      : EVP_sha512();
	int padding = what->scheme == TLS_RSA_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
	bool rsa = what->scheme != TLS_ECDSA;
	return c && EVP_PKEY_sign_init(c) == 1 && (!rsa || EVP_PKEY_CTX_set_rsa_padding(c, padding) == 1) &&
	       EVP_PKEY_CTX_set_signature_md(c, md) == 1 &&
	       (what->scheme != TLS_RSA_PSS || EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1) &&
	       EVP_PKEY_sign(c, out, n, (const unsigned char *)what->bytes.p, what->bytes.n) == 1;
}

static bool sign_message(EVP_PKEY *key, const struct tls_to_sign *what, unsigned char *out, size_t *n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestSign(c, out, n, (const unsigned char *)what->bytes.p, what->bytes.n) == 1;
	EVP_MD_CTX_free(c);
	return good;
}

static bool fits(EVP_PKEY *key, enum tls_scheme scheme)
{
	return EVP_PKEY_is_a(key, scheme == TLS_ECDSA ? "EC" : scheme == TLS_ED25519 ? "ED25519" : "RSA") == 1;
}

result tls_far_sign(EVP_PKEY *key, const struct tls_to_sign *what, buf *out)
{
	unsigned char made[TLS_SIGNATURE_MAX];
	size_t n = sizeof made;
	ERR_clear_error();
	if (!fits(key, what->scheme))
		return failure(FAIL_INPUT, "the key of the certificate is of another kind");
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	bool good = what->scheme == TLS_ED25519 ? sign_message(key, what, made, &n) : sign_digest(c, what, made, &n);
	EVP_PKEY_CTX_free(c);
	if (!good)
		return failure(FAIL_INPUT, "the key of the certificate does not sign this");
	buf_put(out, str_of((const char *)made, n));
	return buf_result(out);
}
