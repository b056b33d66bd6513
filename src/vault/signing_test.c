#include "base/test.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "grammar/text/base64.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"
#include "vault/signing.h"

enum { FEW = 6, PUBLIC_MAX = 600 };

static char folder[64];
static struct masters *masters;
static struct keys *keys;
static struct signing *signing;
static const unsigned char digest[SIGNING_DIGEST] = {1, 2, 3};

static const struct signing_wanted rsa = {
	STR_INIT("k1"), STR_INIT("example.com"), PRINCIPAL_VAULT_ALGORITHM_RSA_SHA256};
static const struct signing_wanted ed = {
	STR_INIT("k2"), STR_INIT("example.com"), PRINCIPAL_VAULT_ALGORITHM_ED25519_SHA256};

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/postern-sign-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void open_it(void)
{
	assert_ok(masters_open(&(struct masters_told){.source = MASTERS_FILE}, &masters));
	assert_ok(keys_open(masters, &keys));
	assert_ok(signing_open(keys, FEW, &signing));
}

static void close_it(void)
{
	signing_close(&signing);
	keys_close(&keys);
	masters_close(&masters);
}

static void run(void *arg)
{
	void (*const *test)(void) = arg;
	open_it();
	(*test)();
	close_it();
}

static void on_a_fiber(void (*test)(void))
{
	assert_ok(random_open());
	assert_ok(signing_prepare());
	assert_ok(loop_open());
	assert_ok(fiber_start(run, &test, "test", NULL));
	loop_run();
	loop_close();
}

static str made(const struct signing_wanted *w, buf *b)
{
	buf_clear(b);
	assert_ok(signing_make(signing, w, b));
	return buf_str(b);
}

static result sign(str name, arena *a, str *out)
{
	struct principal_vault_to_sign w = {.key = name};
	memcpy(w.digest, digest, sizeof w.digest);
	return signing_sign(signing, &(struct signing_wish){&w, 1}, a, out);
}

static EVP_PKEY *public_key(const struct signing_wanted *w)
{
	AUTO_BUF buf b = buf_new(PUBLIC_MAX), raw = buf_new(PUBLIC_MAX);
	assert_ok(base64_decode(&raw, made(w, &b)));
	const unsigned char *p = (const unsigned char *)raw.p;
	EVP_PKEY *key = w == &rsa ? d2i_PUBKEY(NULL, &p, (long)raw.n)
				  : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, raw.n);
	assert_non_null(key);
	return key;
}

static bool good_rsa(EVP_PKEY *key, str signature)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	bool good = EVP_PKEY_verify_init(c) == 1 && EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
		    EVP_PKEY_verify(c, (const unsigned char *)signature.p, signature.n, digest, sizeof digest) == 1;
	EVP_PKEY_CTX_free(c);
	return good;
}

static bool good_ed25519(EVP_PKEY *key, str signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n, digest, sizeof digest) == 1;
	EVP_MD_CTX_free(c);
	return good;
}

static void both_sign(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	EVP_PKEY *r = public_key(&rsa), *e = public_key(&ed);
	str one, two;
	assert_int_equal(EVP_PKEY_get_bits(r), SIGNING_RSA_BITS);
	assert_ok(sign(rsa.name, &a, &one));
	assert_ok(sign(ed.name, &a, &two));
	assert_true(good_rsa(r, one));
	assert_true(good_ed25519(e, two));
	((char *)(uintptr_t)one.p)[7] ^= 1;
	((char *)(uintptr_t)two.p)[7] ^= 1;
	assert_false(good_rsa(r, one));
	assert_false(good_ed25519(e, two));
	EVP_PKEY_free(r);
	EVP_PKEY_free(e);
}

static void all_or_none(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	EVP_PKEY *r = public_key(&rsa), *e = public_key(&ed);
	struct principal_vault_to_sign w[] = {{.key = ed.name}, {.key = rsa.name}, {.key = STR("nobody")}};
	str out[3];
	for (size_t i = 0; i < 3; i++)
		memcpy(w[i].digest, digest, sizeof w[i].digest);
	assert_ok(signing_sign(signing, &(struct signing_wish){w, 2}, &a, out));
	assert_true(good_ed25519(e, out[0]));
	assert_true(good_rsa(r, out[1]));
	assert_int_equal(signing_sign(signing, &(struct signing_wish){w, 3}, &a, out).kind, FAIL_ABSENT);
	assert_ok(signing_sign(signing, &(struct signing_wish){w, 0}, &a, out));
	EVP_PKEY_free(r);
	EVP_PKEY_free(e);
}

static void a_message_gets_all_its_signatures_or_none(void **state)
{
	(void)state;
	on_a_fiber(all_or_none);
}

static void both_algorithms_sign(void **state)
{
	(void)state;
	on_a_fiber(both_sign);
}

static void tells_again(void)
{
	AUTO_BUF buf one = buf_new(PUBLIC_MAX), two = buf_new(PUBLIC_MAX);
	str first = made(&ed, &one);
	assert_int_equal(signing_count(signing), 1);
	close_it();
	open_it();
	assert_int_equal(signing_count(signing), 1);
	assert_str(made(&ed, &two), first);
	struct signing_wanted other = ed;
	other.domain = STR("example.org");
	assert_int_equal(signing_make(signing, &other, &two).kind, FAIL_EXISTS);
	other = ed;
	other.algorithm = PRINCIPAL_VAULT_ALGORITHM_RSA_SHA256;
	assert_int_equal(signing_make(signing, &other, &two).kind, FAIL_EXISTS);
}

static void a_key_is_made_once(void **state)
{
	(void)state;
	on_a_fiber(tells_again);
}

static void drops(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf b = buf_new(PUBLIC_MAX), again = buf_new(PUBLIC_MAX);
	str signature;
	str first = made(&ed, &b);
	assert_ok(sign(ed.name, &a, &signature));
	assert_ok(signing_drop(signing, ed.name));
	assert_ok(signing_drop(signing, ed.name));
	assert_int_equal(signing_count(signing), 0);
	assert_int_equal(sign(ed.name, &a, &signature).kind, FAIL_ABSENT);
	assert_int_equal(access("dkim/k2", F_OK), -1);
	assert_false(str_eq(made(&ed, &again), first));
}

static void a_dropped_key_is_gone(void **state)
{
	(void)state;
	on_a_fiber(drops);
}

static void reaches_the_limit(void)
{
	AUTO_BUF buf b = buf_new(PUBLIC_MAX);
	char name[8];
	for (int i = 0; i <= FEW; i++) {
		snprintf(name, sizeof name, "n%d", i);
		struct signing_wanted w = ed;
		w.name = str_from(name);
		buf_clear(&b);
		result r = signing_make(signing, &w, &b);
		assert_int_equal(r.kind, i < FEW ? FAIL_NONE : FAIL_LIMIT);
	}
	assert_ok(signing_drop(signing, STR("n0")));
	made(&ed, &b);
}

static void keys_are_counted(void **state)
{
	(void)state;
	on_a_fiber(reaches_the_limit);
}

/* More keys at work than stay in memory. */
static void forgets(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf b = buf_new(PUBLIC_MAX);
	signing_close(&signing);
	assert_ok(signing_open(keys, SIGNING_KEPT_MAX + 2, &signing));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SIGNING_KEPT_MAX + 2; i++) {
			char name[8];
			str signature;
			snprintf(name, sizeof name, "n%d", i);
			struct signing_wanted w = ed;
			w.name = str_from(name);
			buf_clear(&b);
			assert_ok(signing_make(signing, &w, &b));
			assert_ok(sign(w.name, &a, &signature));
		}
	}
}

static void more_keys_than_memory_keeps(void **state)
{
	(void)state;
	on_a_fiber(forgets);
}

static void refuses(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf b = buf_new(PUBLIC_MAX);
	str signature;
	static const char *const names[] = {"", "../x", "a/b", "a.new",
		"k1234567890123456789012345678901234567890123456789012345678901234"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct signing_wanted w = ed;
		w.name = str_from(names[i]);
		assert_int_equal(signing_make(signing, &w, &b).kind, FAIL_INPUT);
		assert_int_equal(sign(w.name, &a, &signature).kind, FAIL_INPUT);
		assert_int_equal(signing_drop(signing, w.name).kind, FAIL_INPUT);
	}
	struct signing_wanted nowhere = ed;
	nowhere.domain = STR("");
	assert_int_equal(signing_make(signing, &nowhere, &b).kind, FAIL_INPUT);
	/* Files changed behind our back, or exchanged. */
	made(&ed, &b);
	made(&rsa, &b);
	signing_close(&signing);
	assert_int_equal(rename("dkim/k1", "dkim/k2"), 0);
	assert_ok(signing_open(keys, FEW, &signing));
	assert_int_equal(sign(ed.name, &a, &signature).kind, FAIL_DAMAGE);
	assert_int_equal(signing_make(signing, &ed, &b).kind, FAIL_DAMAGE);
}

static void names_lead_nowhere_and_files_cannot_be_exchanged(void **state)
{
	(void)state;
	on_a_fiber(refuses);
}

static void starves(void)
{
	AUTO_BUF buf b = buf_new(PUBLIC_MAX);
	for (uint64_t n = 1;; n++) {
		mem_fail_at(n);
		result r = signing_make(signing, &ed, &b);
		uint64_t used = mem_count();
		mem_fail_at(0);
		if (used < n) {
			assert_ok(r);
			break;
		}
		if (failed(r))
			assert_int_equal(r.kind, FAIL_MEMORY);
		assert_int_equal(signing_count(signing), access("dkim/k2", F_OK) == 0);
		buf_free(&b);
		assert_ok(signing_drop(signing, ed.name));
	}
}

static void short_memory_leaves_nothing_half(void **state)
{
	(void)state;
	on_a_fiber(starves);
}

#define ROOM_TEST(F) cmocka_unit_test_setup_teardown(F, fresh_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(both_algorithms_sign),
		ROOM_TEST(a_message_gets_all_its_signatures_or_none),
		ROOM_TEST(a_key_is_made_once),
		ROOM_TEST(a_dropped_key_is_gone),
		ROOM_TEST(keys_are_counted),
		ROOM_TEST(more_keys_than_memory_keeps),
		ROOM_TEST(names_lead_nowhere_and_files_cannot_be_exchanged),
		ROOM_TEST(short_memory_leaves_nothing_half),
	};
	return cmocka_run_group_tests_name("vault signing", tests, NULL, NULL);
}
