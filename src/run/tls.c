#include "run/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "run/clock.h"
#include "run/tls_core.h"

struct tls {
	SSL *ssl;
	struct tls_context *context;
	bool broken; /* after a fatal error OpenSSL wants no further call, not even close_notify */
};

static const char *last_error = "";

const char *tls_error(void)
{
	return last_error;
}

result tls_begin(struct tls_context *c, int fd, struct tls **out)
{
	struct tls *t = mem_alloc(sizeof(*t));
	if (!t)
		return failure(FAIL_MEMORY, "There is no memory for another TLS session.");
	t->ssl = SSL_new(c->ssl);
	if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1) {
		SSL_free(t->ssl);
		mem_free(t);
		return failure(FAIL_MEMORY, "There is no memory for another TLS session.");
	}
	t->context = c;
	c->users++;
	*out = t;
	return OK;
}

SSL *tls_ssl(const struct tls *t)
{
	return t->ssl;
}

result tls_server(struct tls_context *c, int fd, struct tls **out)
{
	TRY(tls_begin(c, fd, out));
	SSL_set_accept_state((*out)->ssl);
	return OK;
}

result tls_client(struct tls_context *c, int fd, str name, struct tls **out)
{
	char host[TLS_NAME_MAX + 1];
	if (name.n > TLS_NAME_MAX || str_chr(name, 0) != STR_NONE)
		return failure(FAIL_INPUT, "A host name has at most 255 bytes.");
	if (name.n)
		memcpy(host, name.p, name.n);
	host[name.n] = 0;
	struct tls *t = NULL;
	TRY(tls_begin(c, fd, &t));
	SSL_set_connect_state(t->ssl);
	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (name.n && (SSL_set_tlsext_host_name(t->ssl, host) != 1 || SSL_set1_host(t->ssl, host) != 1)) {
		tls_free(&t);
		return failure(FAIL_MEMORY, "There is no memory for another TLS session.");
	}
	*out = t;
	return OK;
}

void tls_free(struct tls **tp)
{
	struct tls *t = *tp;
	if (!t)
		return;
	*tp = NULL;
	SSL_free(t->ssl);
	tls_context_free(&t->context);
	mem_free(t);
}

/* ---- calls that may want to wait ---- */

static result broke(struct tls *t, const char *why)
{
	t->broken = true;
	last_error = why;
	return failure(FAIL_NETWORK, "The TLS connection broke.");
}

/* Reads what the call with this return value means, directly after it. */
static result outcome(struct tls *t, int returned, int *wants)
{
	int system_error = errno;
	switch (SSL_get_error(t->ssl, returned)) {
	case SSL_ERROR_NONE:
		*wants = 0;
		return OK;
	case SSL_ERROR_WANT_READ:
		*wants = FD_READ;
		return OK;
	case SSL_ERROR_WANT_WRITE:
		*wants = FD_WRITE;
		return OK;
	case SSL_ERROR_ZERO_RETURN:
		return failure(FAIL_CLOSED, "The other side ended the connection.");
	case SSL_ERROR_SYSCALL:
		return broke(t, system_error ? strerror(system_error) : "the connection ended in the middle");
	default: {
		const char *reason = ERR_reason_error_string(ERR_peek_error());
		return broke(t, reason ? reason : "protocol error");
	}
	}
}

static void before(void)
{
	ERR_clear_error();
	errno = 0;
}

result tls_handshake(struct tls *t, struct fd_watch *w, uint64_t timeout_ms)
{
	uint64_t now = clock_mono_ms();
	uint64_t end = timeout_ms > FIBER_FOREVER - now ? FIBER_FOREVER : now + timeout_ms;
	for (;;) {
		int wants = 0;
		before();
		TRY(outcome(t, SSL_do_handshake(t->ssl), &wants));
		if (!wants)
			return OK;
		now = clock_mono_ms();
		if (now >= end)
			return failure(FAIL_TIMEOUT, "The TLS handshake took too long.");
		TRY(fd_wait(w, wants, end == FIBER_FOREVER ? FIBER_FOREVER : end - now));
	}
}

result tls_try_read(struct tls *t, char *p, size_t n, struct tls_step *out)
{
	*out = (struct tls_step){0};
	if (t->broken)
		return broke(t, last_error);
	before();
	return outcome(t, SSL_read_ex(t->ssl, p, n, &out->done) == 1 ? 1 : 0, &out->wants);
}

result tls_try_write(struct tls *t, str bytes, struct tls_step *out)
{
	*out = (struct tls_step){0};
	if (t->broken)
		return broke(t, last_error);
	before();
	return outcome(t, SSL_write_ex(t->ssl, bytes.p, bytes.n, &out->done) == 1 ? 1 : 0, &out->wants);
}

result tls_try_end(struct tls *t, int *wants)
{
	*wants = 0;
	if (t->broken || SSL_in_init(t->ssl))
		return OK;
	before();
	int returned = SSL_shutdown(t->ssl);
	return returned >= 0 ? OK : outcome(t, returned, wants);
}

/* ---- facts ---- */

void tls_facts(const struct tls *t, struct tls_facts *out)
{
	const unsigned char *alpn = NULL;
	unsigned alpn_n = 0;
	SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_n);
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	*out = (struct tls_facts){
		.version = SSL_get_version(t->ssl),
		.cipher = cipher ? SSL_CIPHER_get_name(cipher) : "none",
		.bits = cipher ? SSL_CIPHER_get_bits(cipher, NULL) : 0,
		.resumed = SSL_session_reused(t->ssl) == 1,
		.alpn = str_of((const char *)alpn, alpn_n),
	};
}

result tls_exporter(struct tls *t, buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char value[32];
	if (SSL_version(t->ssl) != TLS1_3_VERSION)
		return failure(FAIL_ABSENT, "tls-exporter needs TLS 1.3.");
	before();
	if (SSL_export_keying_material(t->ssl, value, sizeof(value), label, sizeof(label) - 1, NULL, 0, 1) != 1)
		return failure(FAIL_ABSENT, "This session exports no keying material.");
	buf_put(out, str_of((const char *)value, sizeof(value)));
	return buf_result(out);
}

result tls_end_point(struct tls *t, buf *out)
{
	X509 *cert = SSL_is_server(t->ssl) ? SSL_get_certificate(t->ssl) : SSL_get0_peer_certificate(t->ssl);
	int hash = NID_undef;
	before();
	if (!cert || X509_get_signature_info(cert, &hash, NULL, NULL, NULL) != 1 || hash == NID_undef)
		return failure(FAIL_ABSENT, "This certificate's signature names no hash (RFC 5929 section 4.1).");
	if (hash == NID_md5 || hash == NID_sha1)
		hash = NID_sha256;
	unsigned char value[TLS_BINDING_MAX];
	unsigned n = 0;
	const EVP_MD *md = EVP_get_digestbynid(hash);
	if (!md || EVP_MD_get_size(md) > TLS_BINDING_MAX || X509_digest(cert, md, value, &n) != 1)
		return failure(FAIL_ABSENT, "This certificate's hash is not available.");
	buf_put(out, str_of((const char *)value, n));
	return buf_result(out);
}
