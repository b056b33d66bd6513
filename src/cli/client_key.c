#include "cli/client_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>

#include "grammar/text/base64.h"
#include "run/secret.h"
#include "run/tls_core.h"

static result refused(void)
{
	ERR_clear_error();
	return failure(FAIL_MEMORY, "the crypto library refused; memory is short");
}

EVP_PKEY *client_key_make(void)
{
	return EVP_EC_gen("P-256");
}

result client_key_public(EVP_PKEY *key, buf *out)
{
	unsigned char *der = NULL;
	int n = key ? i2d_PUBKEY(key, &der) : -1;
	if (n <= 0)
		return refused();
	base64_encode(out, str_of((const char *)der, (size_t)n), 0);
	OPENSSL_free(der);
	return buf_result(out);
}

result client_request_public(str pem, buf *out)
{
	BIO *in = pem.n <= CLIENT_REQUEST_MAX ? tls_pem_view(pem) : NULL;
	X509_REQ *request = in ? PEM_read_bio_X509_REQ(in, NULL, tls_no_passphrase, NULL) : NULL;
	EVP_PKEY *key = request ? X509_REQ_get0_pubkey(request) : NULL;
	result r = failure(FAIL_INPUT, "the file holds no request for a certificate (PEM, PKCS #10), or not one that its "
		"own key signed; openssl req -new makes one");
	if (key && X509_REQ_verify(request, key) == 1)
		r = client_key_public(key, out);
	X509_REQ_free(request);
	BIO_free(in);
	ERR_clear_error();
	return r;
}

/* ---- the file ---- */

static X509 *read_certificate(const char *pem)
{
	BIO *in = tls_pem_view(str_from(pem));
	X509 *x = in ? PEM_read_bio_X509(in, NULL, tls_no_passphrase, NULL) : NULL;
	BIO_free(in);
	return x;
}

/* 32 letters and digits: five bits each. */
static bool make_passphrase(char out[CLIENT_PASSPHRASE])
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[CLIENT_PASSPHRASE];
	_Static_assert(sizeof digits == 33, "five bits a letter");
	if (RAND_bytes(random, sizeof random) != 1)
		return false;
	for (size_t i = 0; i < CLIENT_PASSPHRASE; i++)
		out[i] = digits[random[i] & 31];
	secret_wipe(random, sizeof random);
	return true;
}

static result put(PKCS12 *p, buf *out)
{
	unsigned char *der = NULL;
	int n = p ? i2d_PKCS12(p, &der) : -1;
	if (n <= 0)
		return refused();
	buf_put(out, str_of((const char *)der, (size_t)n));
	OPENSSL_free(der);
	return buf_result(out);
}

result client_file_make(const struct client_file *f, char passphrase[CLIENT_PASSPHRASE], buf *out)
{
	char text[CLIENT_PASSPHRASE + 1] = "";
	X509 *leaf = read_certificate(f->certificate), *authority = read_certificate(f->authority);
	STACK_OF(X509) *chain = sk_X509_new_null();
	result r = refused();
	if (leaf && authority && chain && sk_X509_push(chain, authority) > 0 && make_passphrase(passphrase)) {
		memcpy(text, passphrase, CLIENT_PASSPHRASE);
		PKCS12 *p = PKCS12_create(text, f->name, f->key, leaf, chain, 0, 0, 0, 0, 0);
		r = put(p, out);
		PKCS12_free(p);
	}
	secret_wipe(text, sizeof text);
	sk_X509_free(chain);
	X509_free(authority);
	X509_free(leaf);
	return r;
}
