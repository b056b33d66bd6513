/* The demo's certificate, by OpenSSL: signed by an authority of its own, whose
 * key is destroyed when it has signed. So ca.pem vouches for this one server and
 * can vouch for no other, and its list of revoked certificates (ca.crl) stays
 * empty. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "cli/demo/demo.h"
#include "run/files.h"

enum { DAYS = 397, DAYS_LEFT_MIN = 7, SERIAL_OCTETS = 16, PEM_SIZE_MAX = 65536, COMMON_NAME_MAX = 64, DAY_S = 86400 };

static const char authority_name[] = "Postern demo authority";

struct making {
	X509 *authority, *certificate;
	EVP_PKEY *authority_key, *key;
	X509_CRL *revoked;
};

static bool add_extension(const struct making *m, X509 *x, int id, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, m->authority, x, NULL, NULL, 0);
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

static bool add_name(const struct making *m, X509 *x, const char *common)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0) &&
	       X509_set_issuer_name(x, X509_get_subject_name(m->authority));
}

static bool begin(const struct making *m, X509 *x, EVP_PKEY *key, const char *common)
{
	return X509_set_version(x, X509_VERSION_3) && add_serial(x) && add_name(m, x, common) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) && X509_set_pubkey(x, key) &&
	       add_extension(m, x, NID_subject_key_identifier, "hash") &&
	       add_extension(m, x, NID_authority_key_identifier, "keyid:always");
}

static bool make_authority(struct making *m)
{
	m->authority_key = EVP_EC_gen("P-256");
	m->authority = X509_new();
	return m->authority_key && m->authority && begin(m, m->authority, m->authority_key, authority_name) &&
	       add_extension(m, m->authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       add_extension(m, m->authority, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       X509_sign(m->authority, m->authority_key, EVP_sha256()) > 0;
}

/* Where the list of the revoked is; a folder with odd characters is not named. */
static bool add_revocation(const struct making *m, const struct demo *d)
{
	char where[sizeof d->dir + 64];
	for (const char *c = d->dir; *c; c++)
		if (!ascii_alpha((unsigned char)*c) && !ascii_digit((unsigned char)*c) && !strchr("/._-", *c))
			return true;
	snprintf(where, sizeof where, "URI:file://%s/ca.crl", d->dir);
	return add_extension(m, m->certificate, NID_crl_distribution_points, where);
}

/* A common name has at most 64 characters; the alternative names are what counts. */
static bool make_certificate(struct making *m, const struct demo *d, const char *host)
{
	char names[DEMO_DOMAIN_MAX + 100];
	snprintf(names, sizeof names, "DNS:localhost,DNS:%s,IP:127.0.0.1,IP:::1", host);
	m->key = EVP_EC_gen("P-256");
	m->certificate = X509_new();
	X509 *x = m->certificate;
	return m->key && x && begin(m, x, m->key, strlen(host) <= COMMON_NAME_MAX ? host : "Postern demo") &&
	       add_extension(m, x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(m, x, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(m, x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(m, x, NID_subject_alt_name, names) && add_revocation(m, d) &&
	       X509_sign(x, m->authority_key, EVP_sha256()) > 0;
}

static bool make_list(struct making *m)
{
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *later = X509_time_adj_ex(NULL, DAYS, 0, NULL);
	m->revoked = X509_CRL_new();
	bool good = now && later && m->revoked && X509_CRL_set_version(m->revoked, X509_CRL_VERSION_2) &&
		    X509_CRL_set_issuer_name(m->revoked, X509_get_subject_name(m->authority)) &&
		    X509_CRL_set1_lastUpdate(m->revoked, now) && X509_CRL_set1_nextUpdate(m->revoked, later) &&
		    X509_CRL_sign(m->revoked, m->authority_key, EVP_sha256()) > 0;
	ASN1_TIME_free(now);
	ASN1_TIME_free(later);
	return good;
}

static result write_pem(const struct demo *d, const char *name, BIO *pem)
{
	char path[sizeof d->dir + 32];
	char *p;
	long n = BIO_get_mem_data(pem, &p);
	must(demo_path(d, name, path, sizeof path));
	return file_write_at(AT_FDCWD, path, str_of(p, (size_t)n), 0600);
}

static result write_all(const struct demo *d, const struct making *m)
{
	BIO *certificate = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_secmem());
	BIO *authority = BIO_new(BIO_s_mem()), *revoked = BIO_new(BIO_s_mem());
	result r = failure(FAIL_MEMORY, "out of memory");
	if (certificate && key && authority && revoked && PEM_write_bio_X509(certificate, m->certificate) &&
	    PEM_write_bio_X509(authority, m->authority) && PEM_write_bio_X509_CRL(revoked, m->revoked) &&
	    PEM_write_bio_PrivateKey(key, m->key, NULL, NULL, 0, NULL, NULL))
		r = write_pem(d, "private-key.pem", key);
	if (!failed(r))
		r = write_pem(d, "ca.crl", revoked);
	if (!failed(r))
		r = write_pem(d, "ca.pem", authority);
	if (!failed(r))
		r = write_pem(d, "certificate.pem", certificate);
	BIO_free(certificate);
	BIO_free(key);
	BIO_free(authority);
	BIO_free(revoked);
	return r;
}

/* Whoever has come to trust it shall not have to again. */
static bool is_still_good(const struct demo *d, const char *host)
{
	char path[sizeof d->dir + 32];
	AUTO_BUF buf pem = buf_new(PEM_SIZE_MAX);
	time_t then = time(NULL) + DAYS_LEFT_MIN * DAY_S;
	must(demo_path(d, "ca.pem", path, sizeof path));
	if (access(path, R_OK) != 0)
		return false;
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
	bool made = make_authority(&m) && make_certificate(&m, d, host) && make_list(&m);
	result r = made ? write_all(d, &m) : failure(FAIL_MEMORY, "OpenSSL cannot make a certificate");
	X509_free(m.authority);
	X509_free(m.certificate);
	X509_CRL_free(m.revoked);
	EVP_PKEY_free(m.authority_key);
	EVP_PKEY_free(m.key);
	return r;
}
