#include "run/tls_cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "run/net.h"
#include "run/secret.h"

enum { SECONDS_PER_HOUR = 3600, SECONDS_PER_DAY = 86400, SERIAL_BITS = 127, COMMON_NAME_MAX = 64, HOST_MAX = 253 };

static bool host_is_plain(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = str_at(name, i);
		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '.' && c != '*' && c != '_')
			return false;
	}
	return name.n > 0 && name.n <= HOST_MAX;
}

/* One subjectAltName entry; checked first, since OpenSSL's syntax has commas. */
static bool put_name(buf *out, str name)
{
	net_addr ip;
	bool is_ip = !failed(net_parse_ip(name, &ip));
	if (!is_ip && !host_is_plain(name))
		return false;
	if (out->n)
		buf_putc(out, ',');
	buf_put(out, is_ip ? STR("IP:") : STR("DNS:"));
	buf_put(out, name);
	return true;
}

static bool extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool number(X509 *x)
{
	BIGNUM *n = BN_new();
	bool ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1
		&& BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static bool describe(X509 *x, EVP_PKEY *key, str first, const char *alternatives)
{
	X509_NAME *name = X509_get_subject_name(x);
	int n = (int)(first.n < COMMON_NAME_MAX ? first.n : COMMON_NAME_MAX);
	return X509_set_version(x, X509_VERSION_3) == 1 && number(x)
		&& X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)first.p, n, -1, 0) == 1
		&& X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1
		&& extend(x, NID_basic_constraints, "critical,CA:TRUE")
		&& extend(x, NID_key_usage, "critical,digitalSignature,keyCertSign")
		&& extend(x, NID_ext_key_usage, "serverAuth") && extend(x, NID_subject_alt_name, alternatives)
		&& X509_sign(x, key, EVP_sha256()) > 0;
}

static void put_bio(buf *out, BIO *bio)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	buf_put(out, str_of(p, n > 0 ? (size_t)n : 0));
}

static bool put_pem(X509 *x, EVP_PKEY *key, struct tls_pem *out)
{
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
	bool ok = c && k && PEM_write_bio_X509(c, x) == 1
		&& PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (ok) {
		put_bio(&out->chain, c);
		put_bio(&out->key, k);
	}
	BIO_free(c);
	BIO_free(k);
	return ok;
}

void tls_pem_free(struct tls_pem *pem)
{
	secret_wipe(pem->key.p, pem->key.n);
	buf_free(&pem->key);
	buf_free(&pem->chain);
}

static bool make(str first, unsigned days, const char *alternatives, struct tls_pem *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool ok = key && x && X509_gmtime_adj(X509_getm_notBefore(x), -SECONDS_PER_HOUR)
		&& X509_gmtime_adj(X509_getm_notAfter(x), (long)days * SECONDS_PER_DAY)
		&& describe(x, key, first, alternatives) && put_pem(x, key, out);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

result tls_self_signed(const str *names, size_t n, unsigned days, struct tls_pem *out)
{
	if (!n || n > TLS_CERT_NAMES_MAX || days > TLS_CERT_DAYS_MAX)
		return failure(FAIL_LIMIT, "A certificate needs between 1 and 100 names and at most 3650 days.");
	AUTO_BUF buf alternatives = buf_new(TLS_CERT_NAMES_MAX * (HOST_MAX + 5));
	for (size_t i = 0; i < n; i++)
		if (!put_name(&alternatives, names[i]))
			return failure(FAIL_INPUT, "A name for the certificate is neither a host name nor an IP address.");
	buf_putc(&alternatives, 0);
	TRY(buf_result(&alternatives));
	struct tls_pem pem = {buf_new(TLS_PEM_MAX), buf_new(TLS_PEM_MAX)};
	bool ok = make(names[0], days, alternatives.p, &pem) && !failed(buf_result(&pem.chain))
		&& !failed(buf_result(&pem.key));
	if (!ok) {
		tls_pem_free(&pem);
		return failure(FAIL_MEMORY, "There is no memory to make a certificate.");
	}
	*out = pem;
	return OK;
}

result tls_key_digest(str chain, unsigned char out[TLS_KEY_DIGEST])
{
	BIO *in = chain.n <= TLS_PEM_MAX ? BIO_new_mem_buf(chain.p, (int)chain.n) : NULL;
	X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	unsigned char *der = NULL;
	int n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) : -1;
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(in);
	ERR_clear_error();
	return ok ? OK : failure(FAIL_INPUT, "there is no certificate in PEM form");
}
