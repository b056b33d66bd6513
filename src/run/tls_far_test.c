#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include "run/kit.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/tls_core.h"
#include "run/tls_far.h"

/* The holder of the key, slow enough that sessions overlap. */
enum { ANSWER_MS = 5, TOGETHER = 20 };
enum mood { SIGNS, REFUSES, SIGNS_WITH_ANOTHER, ANSWERS_NONSENSE };

static EVP_PKEY *held, *another;
static enum mood mood;
static size_t asked;

static result sign(void *ctx, const struct tls_to_sign *what, buf *out)
{
	(void)ctx;
	asked++;
	TRY(fiber_sleep(ANSWER_MS));
	if (mood == REFUSES)
		return failure(FAIL_BUSY, "the holder of the key is away");
	if (mood == ANSWERS_NONSENSE) {
		buf_put(out, STR("nonsense"));
		return buf_result(out);
	}
	return tls_far_sign(mood == SIGNS ? held : another, what, out);
}

static const struct tls_signer holder = {.sign = sign};

static buf certify(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"far.test", -1, -1, 0));
	assert_true(X509_set_version(x, 2) && X509_set_issuer_name(x, name) && X509_set_pubkey(x, key));
	assert_true(X509_gmtime_adj(X509_getm_notBefore(x), -60) && X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	assert_true(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	BIO *out = BIO_new(BIO_s_mem());
	char *p = NULL;
	assert_true(PEM_write_bio_X509(out, x));
	buf pem = buf_new(65536);
	long n = BIO_get_mem_data(out, &p);
	buf_put(&pem, str_of(p, (size_t)n));
	BIO_free(out);
	X509_free(x);
	return pem;
}

struct meeting {
	int fds[2];
	struct tls_context *server, *client;
	result server_tls, client_tls;
};

static void serve(void *arg)
{
	struct meeting *m = arg;
	struct stream *s = NULL;
	assert_ok(stream_open(m->fds[0], &s));
	m->server_tls = stream_start_tls(s, m->server);
	if (!failed(m->server_tls)) {
		assert_ok(stream_write(s, STR("hello\r\n")));
		assert_ok(stream_end(s));
	}
	stream_free(&s);
}

static void visit(void *arg)
{
	struct meeting *m = arg;
	struct stream *s = NULL;
	str line;
	assert_ok(stream_open(m->fds[1], &s));
	m->client_tls = stream_start_tls_client(s, m->client, STR("far.test"));
	if (!failed(m->client_tls))
		assert_ok(stream_read_line(s, 100, LINE_CRLF, &line));
	stream_free(&s);
}

static void start_meeting(struct meeting *m)
{
	assert_ok(net_pair(SOCK_STREAM, m->fds));
	assert_ok(fiber_start(serve, m, "server", NULL));
	assert_ok(fiber_start(visit, m, "client", NULL));
}

static struct meeting prepare(EVP_PKEY *key, int newest)
{
	struct meeting m = {.server_tls = OK};
	AUTO_BUF buf chain = certify(key);
	held = key;
	mood = SIGNS;
	asked = 0;
	assert_ok(tls_far_context(buf_str(&chain), &m.server));
	assert_ok(tls_client_context(buf_str(&chain), &m.client));
	assert_true(SSL_CTX_set_max_proto_version(m.client->ssl, newest));
	return m;
}

static void end_meeting(struct meeting *m)
{
	tls_context_free(&m->server);
	tls_context_free(&m->client);
}

static void meet(EVP_PKEY *key, int newest)
{
	struct meeting m = prepare(key, newest);
	start_meeting(&m);
	loop_run();
	assert_ok(m.server_tls);
	assert_ok(m.client_tls);
	assert_int_equal(asked, 1);
	end_meeting(&m);
}

static EVP_PKEY *made(size_t kind)
{
	switch (kind) {
	case 0:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	case 1:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case 2:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}
enum { KINDS = 4 };

static void each_kind_of_key_signs_from_elsewhere(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		EVP_PKEY *key = made(kind);
		assert_non_null(key);
		meet(key, TLS1_3_VERSION);
		meet(key, TLS1_2_VERSION);
		EVP_PKEY_free(key);
	}
}

static void many_sessions_wait_for_the_holder_together(void **state)
{
	(void)state;
	static struct meeting all[TOGETHER];
	EVP_PKEY *key = made(1);
	struct meeting first = prepare(key, TLS1_3_VERSION);
	for (size_t i = 0; i < TOGETHER; i++) {
		all[i] = first;
		start_meeting(&all[i]);
	}
	loop_run();
	for (size_t i = 0; i < TOGETHER; i++) {
		assert_ok(all[i].server_tls);
		assert_ok(all[i].client_tls);
	}
	assert_int_equal(asked, TOGETHER);
	end_meeting(&first);
	EVP_PKEY_free(key);
}

static void no_signature_no_session(void **state)
{
	(void)state;
	static const enum mood bad[] = {REFUSES, SIGNS_WITH_ANOTHER, ANSWERS_NONSENSE};
	EVP_PKEY *key = made(0);
	another = made(0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct meeting m = prepare(key, TLS1_3_VERSION);
		mood = bad[i];
		start_meeting(&m);
		loop_run();
		assert_int_equal(m.client_tls.kind, FAIL_NETWORK);
		end_meeting(&m);
	}
	meet(key, TLS1_3_VERSION); /* and the next is served again */
	EVP_PKEY_free(another);
	EVP_PKEY_free(key);
}

static void the_holder_refuses_what_is_not_its_kind(void **state)
{
	(void)state;
	static const char digest[32];
	EVP_PKEY *key = made(1);
	AUTO_BUF buf out = buf_new(TLS_SIGNATURE_MAX);
	struct tls_to_sign what = {.scheme = TLS_RSA_PSS, .hash = TLS_SHA256, .bytes = str_of(digest, sizeof digest)};
	assert_int_equal(tls_far_sign(key, &what, &out).kind, FAIL_INPUT);
	what.scheme = TLS_ECDSA;
	what.bytes.n = 31;
	assert_int_equal(tls_far_sign(key, &what, &out).kind, FAIL_INPUT);
	what.bytes.n = 32;
	assert_ok(tls_far_sign(key, &what, &out));
	EVP_PKEY_free(key);
}

static void keys_that_are_here_still_sign(void **state)
{
	(void)state;
	EVP_PKEY *key = made(0);
	unsigned char signature[512];
	size_t n = sizeof signature;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
	asked = 0;
	assert_int_equal(EVP_DigestSign(c, signature, &n, (const unsigned char *)"x", 1), 1);
	assert_int_equal(asked, 0);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
}

static int open_provider(void **state)
{
	(void)state;
	return failed(tls_far_open(&holder)) ? -1 : 0;
}

static int close_provider(void **state)
{
	(void)state;
	tls_far_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(each_kind_of_key_signs_from_elsewhere),
		ON_LOOP(many_sessions_wait_for_the_holder_together),
		ON_LOOP(no_signature_no_session),
		cmocka_unit_test(the_holder_refuses_what_is_not_its_kind),
		cmocka_unit_test(keys_that_are_here_still_sign),
	};
	return cmocka_run_group_tests(tests, open_provider, close_provider);
}
