#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "run/tls_core.h"
#include "run/tls_far.h"
#include "run/tls_peer.h"
#include "run/tls_roots.h"

/* TLS 1.2 with forward secrecy and AEAD only; 1.3 as OpenSSL orders it. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char groups[] = "X25519:P-256:P-384";

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
	unsigned in_n, void *ctx)
{
	(void)ssl;
	const struct tls_context *c = ctx;
	unsigned char *chosen = NULL;
	int found = SSL_select_next_proto(&chosen, out_n, (const unsigned char *)c->alpn.p, (unsigned)c->alpn.n, in, in_n);
	*out = chosen;
	return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void *take(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n ? mem_grow(NULL, n) : NULL;
}

static void give(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	mem_free(p);
}

static void *change(void *p, size_t n, const char *file, int line)
{
	if (n)
		return mem_grow(p, n);
	give(p, file, line);
	return NULL;
}

void tls_forget(void)
{
	must(CRYPTO_set_mem_functions(take, change, give) == 1);
}

static result prepare(SSL_CTX *ssl)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE
		| SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
		| SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ssl, 1); /* one read a record instead of two */
	SSL_CTX_set_num_tickets(ssl, 1);
	if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(ssl, ciphers) != 1
		|| SSL_CTX_set1_groups_list(ssl, groups) != 1)
		return failure(FAIL_ABSENT, "This OpenSSL does not offer the TLS versions and ciphers the server needs.");
	return OK;
}

static result make(const SSL_METHOD *method, struct tls_context **out)
{
	ERR_clear_error();
	struct tls_context *c = mem_alloc(sizeof(*c));
	if (!c)
		return failure(FAIL_MEMORY, "There is no memory for the TLS set-up.");
	c->users = 1;
	c->ssl = SSL_CTX_new(method);
	result r = c->ssl ? prepare(c->ssl) : failure(FAIL_MEMORY, "There is no memory for the TLS set-up.");
	if (failed(r)) {
		tls_context_free(&c);
		return r;
	}
	*out = c;
	return OK;
}

int tls_no_passphrase(char *p, int n, int writing, void *ctx)
{
	(void)p;
	(void)n;
	(void)writing;
	(void)ctx;
	return 0;
}

BIO *tls_pem_view(str pem)
{
	return pem.n > INT32_MAX ? NULL : BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
}

static bool use_chain(SSL_CTX *ssl, BIO *in)
{
	X509 *leaf = PEM_read_bio_X509(in, NULL, tls_no_passphrase, NULL);
	bool ok = leaf && SSL_CTX_use_certificate(ssl, leaf) == 1;
	X509_free(leaf);
	for (X509 *link; ok && (link = PEM_read_bio_X509(in, NULL, tls_no_passphrase, NULL)); ) {
		ok = SSL_CTX_add0_chain_cert(ssl, link) == 1;
		if (!ok)
			X509_free(link);
	}
	if (ok && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
		ERR_clear_error(); /* the end of the chain */
	return ok && ERR_peek_error() == 0;
}

static result use(struct tls_context *c, str chain, EVP_PKEY *key)
{
	ERR_clear_error();
	BIO *in = tls_pem_view(chain);
	bool ok = in && use_chain(c->ssl, in);
	BIO_free(in);
	if (!ok)
		return failure(FAIL_INPUT, "The certificate file is not a chain of PEM certificates, the server's first.");
	if (SSL_CTX_use_PrivateKey(c->ssl, key) != 1 || SSL_CTX_check_private_key(c->ssl) != 1)
		return failure(FAIL_INPUT, "The private key does not belong to the certificate.");
	return OK;
}

result tls_server_context_key(str chain, EVP_PKEY *key, struct tls_context **out)
{
	struct tls_context *c = NULL;
	TRY(make(TLS_server_method(), &c));
	result r = use(c, chain, key);
	if (failed(r)) {
		tls_context_free(&c);
		return r;
	}
	*out = c;
	return OK;
}

result tls_server_context(str chain, str key, struct tls_context **out)
{
	EVP_PKEY *parsed;
	TRY(tls_key_read(key, &parsed));
	result r = tls_server_context_key(chain, parsed, out);
	EVP_PKEY_free(parsed);
	return r;
}

result tls_context_trust(struct tls_context *c, str more)
{
	return tls_roots_add(SSL_CTX_get_cert_store(c->ssl), more);
}

result tls_context_trust_system(struct tls_context *c, str more)
{
	return tls_roots_load(SSL_CTX_get_cert_store(c->ssl), more);
}

result tls_client_context(str roots, struct tls_context **out)
{
	struct tls_context *c = NULL;
	TRY(make(TLS_client_method(), &c));
	result r = roots.n ? tls_context_trust(c, roots) : OK;
	if (failed(r)) {
		tls_context_free(&c);
		return r;
	}
	SSL_CTX_set_verify(c->ssl, roots.n ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	*out = c;
	return OK;
}

void tls_context_free(struct tls_context **cp)
{
	struct tls_context *c = *cp;
	if (!c)
		return;
	*cp = NULL;
	if (--c->users)
		return;
	SSL_CTX_free(c->ssl);
	mem_free(c);
}

void tls_context_alpn(struct tls_context *c, str protocols)
{
	c->alpn = protocols;
	SSL_CTX_set_alpn_select_cb(c->ssl, choose_alpn, c);
}

result tls_context_ticket_keys(struct tls_context *c, str keys)
{
	if (keys.n != TLS_TICKET_KEYS)
		return failure(FAIL_INPUT, "Ticket keys are 80 bytes.");
	must(SSL_CTX_set_tlsext_ticket_keys(c->ssl, (void *)(uintptr_t)keys.p, (long)keys.n) == 1);
	return OK;
}
