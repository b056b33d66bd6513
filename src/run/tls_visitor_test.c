/* Client certificates: what the authority issues, and what a server makes of them. */
#include "run/tls_visitor.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "run/clock.h"
#include "run/net.h"
#include "run/tls_cert.h"
#include "run/tls_core.h"

enum { STEPS = 100, DAY = 86400 };

struct authority {
	buf key, certificate;
};

static struct authority ours, theirs;
static struct tls_context *server;

static struct tls_authority view(const struct authority *a)
{
	return (struct tls_authority){buf_str(&a->key), buf_str(&a->certificate)};
}

static void make_authority(struct authority *a)
{
	*a = (struct authority){buf_new(TLS_AUTHORITY_MAX), buf_new(TLS_AUTHORITY_MAX)};
	assert_ok(tls_authority_make(clock_wall_s(), &a->key, &a->certificate));
}

static int set_up(void **state)
{
	struct tls_pem pem;
	str name = STR("mail.example.test");
	(void)state;
	make_authority(&ours);
	make_authority(&theirs);
	assert_ok(tls_self_signed(&name, 1, 30, &pem));
	assert_ok(tls_server_context(buf_str(&pem.chain), buf_str(&pem.key), &server));
	tls_pem_free(&pem);
	assert_ok(tls_context_authority(server, buf_str(&ours.certificate)));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_free(&ours.key);
	buf_free(&ours.certificate);
	buf_free(&theirs.key);
	buf_free(&theirs.certificate);
	tls_context_free(&server);
	return 0;
}

static result certify(const struct authority *by, EVP_PKEY *key, int64_t until, buf *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	const struct tls_authority a = view(by);
	const struct tls_client_wish w = {.public = str_of((const char *)der, (size_t)n),
		.subject = STR("anna@example.test"), .serial = {0xff, 1, 2, 3}, .from = clock_wall_s() - 30 * DAY,
		.until = until};
	result r = tls_certify(&a, &w, out);
	OPENSSL_free(der);
	return r;
}

/* ---- handshakes ---- */

struct client {
	SSL_CTX *ctx;
	X509 *certificate;
	SSL_SESSION *session; /* the last one that came */
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

static struct client client_new(const struct authority *by, int64_t until, int version)
{
	struct client c = {.ctx = SSL_CTX_new(TLS_client_method())};
	AUTO_BUF buf der = buf_new(TLS_CLIENT_CERT_MAX);
	assert_int_equal(SSL_CTX_set_max_proto_version(c.ctx, version), 1);
	SSL_CTX_set_session_cache_mode(c.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c.ctx, keep_session);
	if (!by)
		return c;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_ok(certify(by, key, until, &der));
	const unsigned char *p = (const unsigned char *)der.p;
	c.certificate = d2i_X509(NULL, &p, (long)der.n);
	assert_int_equal(SSL_CTX_use_certificate(c.ctx, c.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(c.ctx, key), 1);
	EVP_PKEY_free(key);
	return c;
}

static void client_free(struct client *c)
{
	SSL_SESSION_free(c->session);
	X509_free(c->certificate);
	SSL_CTX_free(c->ctx);
}

struct met {
	bool done, known, resumed;
	struct tls_visitor visitor;
};

/* What the server makes of that client; it offers the session that it got last. */
static struct met meet(struct client *c)
{
	struct met m = {.done = false};
	struct tls *t;
	char octet;
	int fds[2], client = 0, far = 0;
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_ok(tls_server(server, fds[0], &t));
	SSL *ssl = SSL_new(c->ctx);
	SSL_CTX_set_app_data(c->ctx, c);
	SSL_set_fd(ssl, fds[1]);
	SSL_set_connect_state(ssl);
	if (c->session)
		assert_int_equal(SSL_set_session(ssl, c->session), 1);
	for (int i = 0; i < STEPS && (client != 1 || far != 1); i++) {
		ERR_clear_error();
		client = SSL_do_handshake(ssl);
		far = SSL_do_handshake(tls_ssl(t));
	}
	m.done = client == 1 && far == 1;
	SSL_read(ssl, &octet, 1); /* tickets of TLS 1.3 */
	m.known = tls_visitor(t, &m.visitor);
	m.resumed = SSL_session_reused(tls_ssl(t)) == 1;
	SSL_shutdown(ssl); /* a session that ended in disorder is not offered again */
	SSL_free(ssl);
	tls_free(&t);
	close(fds[0]);
	close(fds[1]);
	ERR_clear_error();
	return m;
}

static void a_certificate_of_ours_is_known(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		unsigned char print[TLS_FINGERPRINT];
		unsigned n;
		struct client c = client_new(&ours, clock_wall_s() + DAY, versions[i]);
		struct met m = meet(&c);
		assert_true(m.done && m.known);
		assert_string_equal(m.visitor.name, "anna@example.test");
		assert_int_equal(X509_digest(c.certificate, EVP_sha256(), print, &n), 1);
		assert_memory_equal(m.visitor.fingerprint, print, sizeof print);
		client_free(&c);
	}
}

static void none_and_bad_ones_are_strangers(void **state)
{
	struct client c[] = {
		client_new(NULL, 0, TLS1_3_VERSION),
		client_new(&theirs, clock_wall_s() + DAY, TLS1_3_VERSION),
		client_new(&theirs, clock_wall_s() + DAY, TLS1_2_VERSION),
		client_new(&ours, clock_wall_s() - DAY, TLS1_3_VERSION), /* expired */
	};
	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct met m = meet(&c[i]);
		assert_true(m.done); /* there may still be a password */
		assert_false(m.known);
		client_free(&c[i]);
	}
}

/* A certificate that is good for servers, whoever issued it, is none of a client. */
static void the_authority_itself_is_no_client(void **state)
{
	struct client c = client_new(NULL, 0, TLS1_3_VERSION);
	const unsigned char *p = (const unsigned char *)ours.certificate.p, *k = (const unsigned char *)ours.key.p;
	(void)state;
	c.certificate = d2i_X509(NULL, &p, (long)ours.certificate.n);
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &k, (long)ours.key.n);
	assert_int_equal(SSL_CTX_use_certificate(c.ctx, c.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(c.ctx, key), 1);
	EVP_PKEY_free(key);
	assert_false(meet(&c).known);
	client_free(&c);
}

static void only_strangers_are_resumed(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct client known = client_new(&ours, clock_wall_s() + DAY, versions[i]);
		struct client stranger = client_new(NULL, 0, versions[i]);
		for (int n = 0; n < 3; n++) {
			struct met m = meet(&known);
			assert_true(m.done && m.known && !m.resumed);
			m = meet(&stranger);
			assert_true(m.done && !m.known && m.resumed == (n > 0));
		}
		client_free(&known);
		client_free(&stranger);
	}
}

static void sessions_of_before_are_not_resumed(void **state)
{
	struct client c = client_new(NULL, 0, TLS1_3_VERSION);
	struct client known = client_new(&ours, clock_wall_s() + DAY, TLS1_3_VERSION);
	(void)state;
	assert_ok(tls_context_authority(server, (str){NULL, 0}));
	assert_false(meet(&c).resumed);
	assert_true(meet(&c).resumed);
	assert_false(meet(&known).known); /* nobody asks */
	assert_true(known.session != NULL);
	assert_ok(tls_context_authority(server, buf_str(&ours.certificate)));
	assert_false(meet(&c).resumed);
	struct met m = meet(&known);
	assert_true(!m.resumed && m.known);
	client_free(&c);
	client_free(&known);
}

static void certify_only(const char *kind, const char *group, bool good)
{
	AUTO_BUF buf out = buf_new(TLS_CLIENT_CERT_MAX);
	EVP_PKEY *key = group ? EVP_EC_gen(group) : EVP_PKEY_Q_keygen(NULL, NULL, kind);
	assert_non_null(key);
	assert_int_equal(certify(&ours, key, clock_wall_s() + DAY, &out).kind, good ? FAIL_NONE : FAIL_INPUT);
	EVP_PKEY_free(key);
}

static void keys_that_do_and_do_not(void **state)
{
	AUTO_BUF buf out = buf_new(TLS_CLIENT_CERT_MAX);
	struct tls_authority a = view(&ours);
	struct tls_client_wish w = {.public = STR("no key"), .subject = STR("a@b"), .until = clock_wall_s() + DAY};
	(void)state;
	certify_only("EC", "P-384", true);
	certify_only("EC", "P-224", false);
	certify_only("ED25519", NULL, true);
	certify_only("X25519", NULL, false);
	EVP_PKEY *rsa = EVP_RSA_gen(1024);
	assert_int_equal(certify(&ours, rsa, clock_wall_s() + DAY, &out).kind, FAIL_INPUT);
	EVP_PKEY_free(rsa);
	assert_int_equal(tls_certify(&a, &w, &out).kind, FAIL_INPUT);
	a.key = buf_str(&theirs.key);
	assert_int_equal(tls_certify(&a, &w, &out).kind, FAIL_DAMAGE);
}

/* A subject that is no ASCII, and longer than a common name may be, is cut between characters. */
static void long_names_are_cut(void **state)
{
	AUTO_BUF buf der = buf_new(TLS_CLIENT_CERT_MAX), subject = buf_new(400);
	const struct tls_authority a = view(&ours);
	struct tls_client_wish w = {.until = clock_wall_s() + 40000 * (int64_t)DAY};
	unsigned char *public = NULL;
	(void)state;
	buf_putc(&subject, 'x');
	for (int i = 0; i < 150; i++)
		buf_put(&subject, STR("\xc3\xa4"));
	w.subject = buf_str(&subject);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	w.public.n = (size_t)i2d_PUBKEY(key, &public);
	w.public.p = (const char *)public;
	assert_ok(tls_certify(&a, &w, &der));
	const unsigned char *p = (const unsigned char *)der.p, *q = (const unsigned char *)ours.certificate.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n), *by = d2i_X509(NULL, &q, (long)ours.certificate.n);
	assert_non_null(x);
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, NULL, 0), 63);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(by)), 0); /* not beyond its issuer's */
	X509_free(x);
	X509_free(by);
	OPENSSL_free(public);
	EVP_PKEY_free(key);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_of_ours_is_known),
		cmocka_unit_test(none_and_bad_ones_are_strangers),
		cmocka_unit_test(the_authority_itself_is_no_client),
		cmocka_unit_test(only_strangers_are_resumed),
		cmocka_unit_test(sessions_of_before_are_not_resumed),
		cmocka_unit_test(keys_that_do_and_do_not),
		cmocka_unit_test(long_names_are_cut),
	};
	return cmocka_run_group_tests_name("client certificates", tests, set_up, tear_down);
}
