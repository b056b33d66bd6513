#include "run/tls_peer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "run/tls_core.h"

enum { USAGE_DANE_TA = 2, USAGE_DANE_EE = 3 };

result tls_peer_context(str roots, struct tls_context **out)
{
	struct tls_context *c = NULL;
	TRY(tls_client_context(STR(""), &c));
	result r = roots.n ? tls_context_trust(c, roots) : OK;
	if (!failed(r) && (SSL_CTX_dane_enable(c->ssl) != 1 || SSL_CTX_set_cipher_list(c->ssl, "DEFAULT") != 1))
		r = failure(FAIL_ABSENT, "This OpenSSL does not know DANE.");
	if (failed(r)) {
		tls_context_free(&c);
		return r;
	}
	SSL_CTX_dane_set_flags(c->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	*out = c;
	return OK;
}

static bool terminated(str name, char out[TLS_NAME_MAX + 1])
{
	if (name.n > TLS_NAME_MAX || str_chr(name, 0) != STR_NONE)
		return false;
	if (name.n)
		memcpy(out, name.p, name.n);
	out[name.n] = 0;
	return true;
}

/* How many of the records OpenSSL can use; -1: out of memory. */
static int add_records(SSL *ssl, const struct tls_peer *p)
{
	int usable = 0;
	for (size_t i = 0; i < p->tlsa_n; i++) {
		const struct tls_tlsa *r = &p->tlsa[i];
		if (r->usage != USAGE_DANE_TA && r->usage != USAGE_DANE_EE)
			continue;
		int added = SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching, (const unsigned char *)r->data.p,
			r->data.n);
		usable += added > 0;
	}
	ERR_clear_error(); /* of records that were none */
	return usable;
}

static result expect(SSL *ssl, const struct tls_peer *p, const char *name, const char *other)
{
	static const result memory = {FAIL_MEMORY, "There is no memory for another TLS session."};
	bool dane = p->check == TLS_CHECK_DANE;
	SSL_set_connect_state(ssl);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set_verify(ssl, p->check == TLS_CHECK_NOTHING ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (dane && SSL_dane_enable(ssl, name) != 1)
		return memory;
	if (dane && add_records(ssl, p) == 0)
		return failure(FAIL_ABSENT, "None of the TLSA records can be used.");
	if (!dane && *name && (SSL_set_tlsext_host_name(ssl, name) != 1 || SSL_set1_host(ssl, name) != 1))
		return memory;
	return *other && SSL_add1_host(ssl, other) != 1 ? memory : OK;
}

result tls_to_peer(struct tls_context *c, int fd, const struct tls_peer *p, struct tls **out)
{
	char name[TLS_NAME_MAX + 1], other[TLS_NAME_MAX + 1];
	struct tls *t = NULL;
	if (!terminated(p->name, name) || !terminated(p->other, other))
		return failure(FAIL_INPUT, "A host name has at most 255 bytes.");
	TRY(tls_begin(c, fd, &t));
	result r = expect(tls_ssl(t), p, name, other);
	if (failed(r)) {
		tls_free(&t);
		return r;
	}
	*out = t;
	return OK;
}

enum tls_proof tls_proof(const struct tls *t)
{
	switch (SSL_get_verify_result(tls_ssl(t))) {
	case X509_V_OK:
		return SSL_get0_peer_certificate(tls_ssl(t)) ? TLS_PROVEN : TLS_UNPROVEN;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_OTHER_NAME;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_UNTRUSTED;
	default:
		return TLS_UNPROVEN;
	}
}
