/* A self-signed certificate for the demo, by OpenSSL. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "cli/demo/demo.h"
#include "run/files.h"

enum { DAYS = 397, DAYS_LEFT_MIN = 7, SERIAL_OCTETS = 16, PEM_SIZE_MAX = 65536 };

struct making {
	X509 *certificate;
	EVP_PKEY *key;
};

static bool add_extension(X509 *x, int id, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, id, value);
	bool good = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

static bool add_serial(X509 *x)
{
	unsigned char octets[SERIAL_OCTETS];
	BIGNUM *n = RAND_bytes(octets, sizeof octets) == 1 ? BN_bin2bn(octets, sizeof octets, NULL) : NULL;
	bool good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return good;
}

static bool add_name(X509 *x, const char *host)
{
	X509_NAME *name = X509_get_subject_name(x);
	/* A common name has at most 64 characters; the alternative names are what counts. */
	const char *common = strlen(host) <= 64 ? host : "Postern demo";
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0)
		&& X509_set_issuer_name(x, name);
}

/* It is its own authority, so that a client that trusts this file trusts the server. */
static bool make(struct making *m, const char *host)
{
	char names[DEMO_DOMAIN_MAX + 100];
	snprintf(names, sizeof names, "DNS:localhost,DNS:%s,IP:127.0.0.1,IP:::1", host);
	m->key = EVP_EC_gen("P-256");
	m->certificate = X509_new();
	X509 *x = m->certificate;
	return m->key && x && X509_set_version(x, X509_VERSION_3) && add_serial(x) && add_name(x, host)
		&& X509_gmtime_adj(X509_getm_notBefore(x), -3600)
		&& X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) && X509_set_pubkey(x, m->key)
		&& add_extension(x, NID_basic_constraints, "critical,CA:TRUE")
		&& add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign")
		&& add_extension(x, NID_ext_key_usage, "serverAuth")
		&& add_extension(x, NID_subject_key_identifier, "hash")
		&& add_extension(x, NID_authority_key_identifier, "keyid:always")
		&& add_extension(x, NID_subject_alt_name, names)
		&& X509_sign(x, m->key, EVP_sha256()) > 0;
}

static result write_pem(const struct demo *d, const char *name, BIO *pem)
{
	char path[sizeof d->dir + 32];
	char *p;
	long n = BIO_get_mem_data(pem, &p);
	must(demo_path(d, name, path, sizeof path));
	return file_write_at(AT_FDCWD, path, str_of(p, (size_t)n), 0600);
}

static result write_both(const struct demo *d, const struct making *m)
{
	BIO *certificate = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_secmem());
	result r = failure(FAIL_MEMORY, "out of memory");
	if (certificate && key && PEM_write_bio_X509(certificate, m->certificate)
	    && PEM_write_bio_PrivateKey(key, m->key, NULL, NULL, 0, NULL, NULL))
		r = write_pem(d, "private-key.pem", key);
	if (!failed(r))
		r = write_pem(d, "certificate.pem", certificate);
	BIO_free(certificate);
	BIO_free(key);
	return r;
}

/* Whoever has come to trust it shall not have to again. */
static bool is_still_good(const struct demo *d, const char *host)
{
	char path[sizeof d->dir + 32];
	AUTO_BUF buf pem = buf_new(PEM_SIZE_MAX);
	time_t then = time(NULL) + DAYS_LEFT_MIN * 86400;
	must(demo_path(d, "certificate.pem", path, sizeof path));
	if (failed(file_load(path, &pem)))
		return false;
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	bool good = x && X509_cmp_time(X509_get0_notAfter(x), &then) > 0 && X509_check_host(x, host, 0, 0, NULL) == 1;
	X509_free(x);
	BIO_free(in);
	return good;
}

result demo_certificate(struct demo *d)
{
	struct making m = {0};
	char host[DEMO_DOMAIN_MAX + 8];
	snprintf(host, sizeof host, "mail.%s", d->domain);
	if (is_still_good(d, host))
		return OK;
	result r = make(&m, host) ? write_both(d, &m) : failure(FAIL_MEMORY, "OpenSSL cannot make a certificate");
	X509_free(m.certificate);
	EVP_PKEY_free(m.key);
	return r;
}
