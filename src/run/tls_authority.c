#include "run/tls_authority.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdio.h>

#include "run/random.h"

enum { HOUR = 3600, YEARS_20 = 20 * 366 * 86400, COMMON_NAME_MAX = 64, RSA_LEAST = 2048, RSA_MOST = 4096 };

static result refused(void)
{
	ERR_clear_error();
	return failure(FAIL_MEMORY, "the crypto library refused to make a certificate; memory is short");
}

/* ---- pieces ---- */

static bool extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX c;
	X509V3_set_ctx_nodb(&c);
	X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

/* Positive, and never 0 (RFC 5280 4.1.2.2). */
static bool number(X509 *x, const unsigned char serial[TLS_SERIAL])
{
	unsigned char b[TLS_SERIAL];
	memcpy(b, serial, sizeof b);
	b[0] = (unsigned char)((b[0] & 0x7f) | 0x40);
	BIGNUM *n = BN_bin2bn(b, sizeof b, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static bool last(X509 *x, int64_t from, int64_t until)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) && ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until);
}

static bool name(X509 *x, str text)
{
	text = str_clip(text, COMMON_NAME_MAX);
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)text.p,
		(int)text.n, -1, 0) == 1;
}

static result put_der(buf *out, const X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	if (n <= 0)
		return refused();
	buf_put(out, str_of((const char *)der, (size_t)n));
	OPENSSL_free(der);
	return buf_result(out);
}

/* ---- the authority ---- */

static result put_key(buf *out, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	PKCS8_PRIV_KEY_INFO_free(info);
	if (n <= 0)
		return refused();
	buf_put(out, str_of((const char *)der, (size_t)n));
	OPENSSL_clear_free(der, (size_t)n);
	return buf_result(out);
}

static bool describe_authority(X509 *x, EVP_PKEY *key, int64_t now)
{
	unsigned char serial[TLS_SERIAL];
	char text[64];
	random_fill(serial, sizeof serial);
	/* Two servers' authorities have two names: a program that holds certificates of both chooses by them. */
	int n = snprintf(text, sizeof text, "Postern clients %02x%02x%02x%02x", serial[8], serial[9], serial[10],
		serial[11]);
	return X509_set_version(x, X509_VERSION_3) == 1 && number(x, serial) && last(x, now - HOUR, now + YEARS_20) &&
	       name(x, str_of(text, (size_t)n)) && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
	       X509_set_pubkey(x, key) == 1 && extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       extend(x, x, NID_key_usage, "critical,keyCertSign") &&
	       extend(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()) > 0;
}

result tls_authority_make(int64_t now, buf *key, buf *certificate)
{
	EVP_PKEY *made = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	result r = made && x && describe_authority(x, made, now) ? put_key(key, made) : refused();
	if (!failed(r))
		r = put_der(certificate, x);
	X509_free(x);
	EVP_PKEY_free(made);
	return r;
}

/* ---- what it issues ---- */

static bool is_known_curve(const EVP_PKEY *key)
{
	char group[32];
	size_t n;
	return EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
	       (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 || strcmp(group, "secp521r1") == 0);
}

static bool is_good(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		return is_known_curve(key);
	case EVP_PKEY_ED25519:
		return true;
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) >= RSA_LEAST && EVP_PKEY_get_bits(key) <= RSA_MOST;
	default:
		return false;
	}
}

static result read_public(str der, EVP_PKEY **out)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = der.n <= TLS_PUBLIC_MAX ? d2i_PUBKEY(NULL, &p, (long)der.n) : NULL;
	if (key && p == (const unsigned char *)der.p + der.n && is_good(key)) {
		*out = key;
		return OK;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return failure(FAIL_INPUT, "the key has to be ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 4096 "
		"bits");
}

/* By its parts: OpenSSL's syntax for extensions gives commas a meaning. */
static bool put_address(X509 *x, str address)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	bool ok = names && one && text && ASN1_STRING_set(text, address.p, (int)address.n) == 1;
	if (ok) {
		GENERAL_NAME_set0_value(one, GEN_EMAIL, text);
		text = NULL;
		ok = sk_GENERAL_NAME_push(names, one) > 0;
		one = ok ? NULL : one;
	}
	ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
	ASN1_IA5STRING_free(text);
	GENERAL_NAME_free(one);
	GENERAL_NAMES_free(names);
	return ok;
}

static int64_t earlier(int64_t until, const X509 *issuer)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(issuer), &tm) != 1)
		return until;
	int64_t end = timegm(&tm);
	return end < until ? end : until;
}

static bool describe(X509 *x, X509 *issuer, EVP_PKEY *public, const struct tls_client_wish *w)
{
	return X509_set_version(x, X509_VERSION_3) == 1 && number(x, w->serial) &&
	       last(x, w->from - HOUR, earlier(w->until, issuer)) && name(x, w->subject) &&
	       X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 && X509_set_pubkey(x, public) == 1 &&
	       extend(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       extend(x, issuer, NID_key_usage, "critical,digitalSignature") &&
	       extend(x, issuer, NID_ext_key_usage, "clientAuth") &&
	       extend(x, issuer, NID_authority_key_identifier, "keyid:always") &&
	       (!str_is_ascii(w->subject) || put_address(x, w->subject));
}

static result sign(const struct tls_client_wish *w, X509 *issuer, EVP_PKEY *key, buf *out)
{
	EVP_PKEY *public;
	TRY(read_public(w->public, &public));
	X509 *x = X509_new();
	result r = x && describe(x, issuer, public, w) && X509_sign(x, key, EVP_sha256()) > 0 ? put_der(out, x) : refused();
	X509_free(x);
	EVP_PKEY_free(public);
	return r;
}

result tls_certify(const struct tls_authority *a, const struct tls_client_wish *w, buf *certificate)
{
	const unsigned char *c = (const unsigned char *)a->certificate.p, *k = (const unsigned char *)a->key.p;
	ERR_clear_error();
	X509 *issuer = d2i_X509(NULL, &c, (long)a->certificate.n);
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &k, (long)a->key.n);
	result r = OK;
	if (!issuer || !key || X509_check_private_key(issuer, key) != 1)
		r = failure(FAIL_DAMAGE, "the authority for client certificates is damaged; restore the keys folder from a "
			"backup");
	if (!failed(r))
		r = sign(w, issuer, key, certificate);
	EVP_PKEY_free(key);
	X509_free(issuer);
	ERR_clear_error();
	return r;
}
