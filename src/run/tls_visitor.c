#include "run/tls_visitor.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "run/tls_core.h"

/* What was found wrong stays in the session (SSL_get_verify_result); the handshake goes on, without a ticket. */
static int look(int good, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	(void)good;
	SSL_set_num_tickets(ssl, 0);
	return 1;
}

/* A ticket of TLS 1.2 was promised before the certificate came; it is not taken back. */
static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key, size_t n,
	SSL_TICKET_STATUS status, void *ctx)
{
	(void)ssl;
	(void)key;
	(void)n;
	(void)ctx;
	bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
	if (!opened || SSL_SESSION_get0_peer(session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* Sessions of a context that asks, and of one that does not, are not resumed in the other. */
static bool name_sessions(SSL_CTX *ssl, const char *kind)
{
	return SSL_CTX_set_session_id_context(ssl, (const unsigned char *)kind, (unsigned)strlen(kind)) == 1;
}

static result ask_nobody(SSL_CTX *ssl)
{
	SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set0_CA_list(ssl, sk_X509_NAME_new_null());
	return name_sessions(ssl, "open") ? OK : failure(FAIL_MEMORY, "There is no memory for the TLS set-up.");
}

static bool ask_for(SSL_CTX *ssl, X509 *authority)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(authority));
	bool ok = store && names && name && X509_STORE_add_cert(store, authority) == 1 &&
		sk_X509_NAME_push(names, name) > 0 && SSL_CTX_set1_verify_cert_store(ssl, store) == 1 &&
		name_sessions(ssl, "asked");
	X509_STORE_free(store);
	if (!ok) {
		X509_NAME_free(name);
		sk_X509_NAME_free(names);
		return false;
	}
	SSL_CTX_set0_CA_list(ssl, names);
	SSL_CTX_set_verify_depth(ssl, 1);
	SSL_CTX_set_max_cert_list(ssl, TLS_VISITOR_CHAIN_MAX);
	SSL_CTX_set_session_ticket_cb(ssl, NULL, take_ticket, NULL);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, look);
	return true;
}

result tls_context_authority(struct tls_context *c, str certificate)
{
	const unsigned char *p = (const unsigned char *)certificate.p;
	ERR_clear_error();
	if (certificate.n == 0)
		return ask_nobody(c->ssl);
	X509 *authority = d2i_X509(NULL, &p, (long)certificate.n);
	result r = authority ? OK : failure(FAIL_INPUT, "The authority for client certificates is no certificate.");
	if (authority && !ask_for(c->ssl, authority))
		r = failure(FAIL_MEMORY, "There is no memory for the TLS set-up.");
	X509_free(authority);
	ERR_clear_error();
	return r;
}

bool tls_visitor(const struct tls *t, struct tls_visitor *out)
{
	const SSL *ssl = tls_ssl(t);
	X509 *x = SSL_get0_peer_certificate(ssl);
	unsigned n = 0;
	*out = (struct tls_visitor){.name = ""};
	if (!x || SSL_get_verify_result(ssl) != X509_V_OK || X509_digest(x, EVP_sha256(), out->fingerprint, &n) != 1)
		return false;
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out->name, sizeof out->name);
	ERR_clear_error();
	return true;
}
