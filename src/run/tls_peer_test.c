#include <openssl/pem.h>
#include <openssl/sha.h>
#include <sys/socket.h>

#include "run/kit.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/tls_cert.h"
#include "run/tls_peer.h"

static struct tls_context *server_side, *trusting, *knows_nobody;
static char key_hash[SHA256_DIGEST_LENGTH], cert_hash[SHA256_DIGEST_LENGTH];

static void hash_certificate(str chain)
{
	BIO *in = BIO_new_mem_buf(chain.p, (int)chain.n);
	X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
	unsigned char *der = NULL;
	unsigned n = 0;
	int der_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	assert_true(der_n > 0);
	SHA256(der, (size_t)der_n, (unsigned char *)key_hash);
	assert_int_equal(X509_digest(cert, EVP_sha256(), (unsigned char *)cert_hash, &n), 1);
	OPENSSL_free(der);
	X509_free(cert);
	BIO_free(in);
}

static int make_contexts(void **state)
{
	(void)state;
	struct tls_pem pem;
	str names[] = {STR("mx.example.test"), STR("example.test")};
	assert_ok(tls_self_signed(names, 2, 30, &pem));
	assert_ok(tls_server_context(buf_str(&pem.chain), buf_str(&pem.key), &server_side));
	assert_ok(tls_peer_context(buf_str(&pem.chain), &trusting));
	assert_ok(tls_peer_context(STR(""), &knows_nobody));
	hash_certificate(buf_str(&pem.chain));
	tls_pem_free(&pem);
	return 0;
}

static int free_contexts(void **state)
{
	(void)state;
	tls_context_free(&server_side);
	tls_context_free(&trusting);
	tls_context_free(&knows_nobody);
	return 0;
}

struct trial {
	int fds[2];
	struct tls_context *context;
	struct tls_peer peer;
	result ended;
	enum tls_proof proof;
};

static void run_server(void *arg)
{
	struct trial *t = arg;
	struct stream *s = NULL;
	str got;
	assert_ok(stream_open(t->fds[0], &s));
	if (!failed(stream_start_tls(s, server_side)))
		(void)!stream_read_some(s, &got).kind;
	stream_free(&s);
}

static void run_client(void *arg)
{
	struct trial *t = arg;
	struct stream *s = NULL;
	assert_ok(stream_open(t->fds[1], &s));
	t->ended = stream_start_tls_peer(s, t->context, &t->peer, &t->proof);
	stream_free(&s);
}

static struct trial attempt(struct tls_context *c, struct tls_peer peer)
{
	struct trial t = {.context = c, .peer = peer};
	assert_ok(net_pair(SOCK_STREAM, t.fds));
	assert_ok(fiber_start(run_server, &t, "server", NULL));
	assert_ok(fiber_start(run_client, &t, "client", NULL));
	loop_run();
	return t;
}

static void expect(struct tls_context *c, struct tls_peer peer, enum fail_kind kind, enum tls_proof proof)
{
	struct trial t = attempt(c, peer);
	if (t.ended.kind != kind || t.proof != proof)
		fail_msg("%s (%s), proof %d", fail_name(t.ended.kind), t.ended.text, (int)t.proof);
}

static void without_a_check_the_session_stands_and_the_proof_is_told(void **state)
{
	(void)state;
	const struct tls_peer right = {.name = STR("mx.example.test")}, wrong = {.name = STR("other.test")};
	expect(trusting, right, FAIL_NONE, TLS_PROVEN);
	expect(trusting, wrong, FAIL_NONE, TLS_OTHER_NAME);
	expect(knows_nobody, right, FAIL_NONE, TLS_UNTRUSTED);
}

static void with_pkix_only_a_proof_will_do(void **state)
{
	(void)state;
	struct tls_peer p = {.check = TLS_CHECK_PKIX, .name = STR("mx.example.test")};
	expect(trusting, p, FAIL_NONE, TLS_PROVEN);
	expect(knows_nobody, p, FAIL_NETWORK, TLS_UNTRUSTED);
	p.name = STR("other.test");
	expect(trusting, p, FAIL_NETWORK, TLS_OTHER_NAME);
	p.other = STR("example.test");
	expect(trusting, p, FAIL_NONE, TLS_PROVEN);
}

static void a_tlsa_record_proves_without_authorities_and_names(void **state)
{
	(void)state;
	const struct tls_tlsa key = {3, 1, 1, str_of(key_hash, sizeof key_hash)};
	struct tls_peer p = {.check = TLS_CHECK_DANE, .name = STR("other.test"), .tlsa = &key, .tlsa_n = 1};
	expect(knows_nobody, p, FAIL_NONE, TLS_PROVEN);
	const struct tls_tlsa rollover[] = {{3, 1, 1, str_of(cert_hash, sizeof cert_hash)}, {1, 1, 1, STR("")},
		{3, 0, 1, str_of(cert_hash, sizeof cert_hash)}};
	p.tlsa = rollover;
	p.tlsa_n = 3;
	expect(knows_nobody, p, FAIL_NONE, TLS_PROVEN);
}

static void a_tlsa_record_of_another_key_refuses(void **state)
{
	(void)state;
	const struct tls_tlsa other[] = {{3, 1, 1, str_of(cert_hash, sizeof cert_hash)}};
	const struct tls_peer p = {.check = TLS_CHECK_DANE, .name = STR("mx.example.test"), .tlsa = other, .tlsa_n = 1};
	struct trial t = attempt(trusting, p);
	assert_int_equal(t.ended.kind, FAIL_NETWORK);
	assert_int_not_equal(t.proof, TLS_PROVEN);
}

static void records_that_cannot_be_used_prove_nothing(void **state)
{
	(void)state;
	const struct tls_tlsa useless[] = {
		{1, 1, 1, str_of(key_hash, sizeof key_hash)}, {3, 9, 1, str_of(key_hash, sizeof key_hash)},
		{3, 1, 1, STR("short")}};
	const struct tls_peer p = {.check = TLS_CHECK_DANE, .name = STR("mx.example.test"), .tlsa = useless, .tlsa_n = 3};
	expect(trusting, p, FAIL_ABSENT, TLS_UNPROVEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(without_a_check_the_session_stands_and_the_proof_is_told),
		ON_LOOP(with_pkix_only_a_proof_will_do),
		ON_LOOP(a_tlsa_record_proves_without_authorities_and_names),
		ON_LOOP(a_tlsa_record_of_another_key_refuses),
		ON_LOOP(records_that_cannot_be_used_prove_nothing),
	};
	return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
