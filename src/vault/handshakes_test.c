#include "base/test.h"

#include <openssl/evp.h>

#include "run/fiber.h"
#include "run/loop.h"
#include "run/tls_cert.h"
#include "vault/handshakes.h"

enum { TOGETHER = 50 };

static struct handshakes *handshakes;
static const char digest[32] = {1, 2, 3};
static const struct tls_to_sign what = {TLS_ECDSA, TLS_SHA256, {digest, sizeof digest}};
static size_t good;

static void ask(void *arg)
{
	AUTO_BUF buf made = buf_new(TLS_SIGNATURE_MAX);
	(void)arg;
	assert_ok(handshakes_sign(handshakes, &what, &made));
	assert_in_range(made.n, 64, 72);
	good++;
}

static void refuse(void *arg)
{
	AUTO_BUF buf made = buf_new(TLS_SIGNATURE_MAX);
	struct tls_to_sign rsa = what;
	(void)arg;
	rsa.scheme = TLS_RSA_PSS;
	assert_int_equal(handshakes_sign(handshakes, &rsa, &made).kind, FAIL_INPUT);
	good++;
}

static void have_none(void *arg)
{
	AUTO_BUF buf made = buf_new(TLS_SIGNATURE_MAX);
	(void)arg;
	assert_int_equal(handshakes_sign(handshakes, &what, &made).kind, FAIL_ABSENT);
	good++;
}

static void read_pem(str pem)
{
	assert_ok(handshakes_read(pem, &handshakes));
	assert_ok(loop_open());
	assert_ok(handshakes_open(handshakes));
	good = 0;
}

static void finish(void)
{
	loop_run();
	handshakes_close(&handshakes);
	loop_close();
}

static void sessions_of_many_are_signed(void **state)
{
	(void)state;
	struct tls_pem pem;
	str name = STR("mail.example.test");
	assert_ok(tls_self_signed(&name, 1, 1, &pem));
	read_pem(buf_str(&pem.key));
	for (int i = 0; i < TOGETHER; i++)
		assert_ok(fiber_start(ask, NULL, "ask", NULL));
	assert_ok(fiber_start(refuse, NULL, "refuse", NULL));
	finish();
	assert_int_equal(good, TOGETHER + 1);
	tls_pem_free(&pem);
}

static void without_a_key_there_is_no_signature(void **state)
{
	(void)state;
	read_pem(STR(""));
	assert_ok(fiber_start(have_none, NULL, "none", NULL));
	finish();
	assert_int_equal(good, 1);
}

static void what_is_no_key_is_refused(void **state)
{
	(void)state;
	assert_int_equal(handshakes_read(STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		&handshakes).kind, FAIL_INPUT);
	assert_null(handshakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_of_many_are_signed),
		cmocka_unit_test(without_a_key_there_is_no_signature),
		cmocka_unit_test(what_is_no_key_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
