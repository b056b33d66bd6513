#include "vault/authority.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <unistd.h>

#include "base/test.h"
#include "run/clock.h"
#include "run/files.h"

static char folder[64];
static struct masters *masters;
static struct keys *keys;
static EVP_PKEY *client;
static unsigned char *public;
static struct tls_client_wish wish = {.subject = STR_INIT("anna@example.test"), .serial = {0x41}};

static result open_keys(void)
{
	TRY(masters_open(&(struct masters_told){.source = MASTERS_FILE}, &masters));
	return keys_open(masters, &keys);
}

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/postern-authority-XXXXXX");
	client = EVP_EC_gen("P-256");
	wish.public.n = (size_t)i2d_PUBKEY(client, &public);
	wish.public.p = (const char *)public;
	wish.until = clock_wall_s() + 1000;
	return mkdtemp(folder) && chdir(folder) == 0 && !failed(open_keys()) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[100];
	(void)state;
	keys_close(&keys);
	masters_close(&masters);
	EVP_PKEY_free(client);
	OPENSSL_free(public);
	public = NULL;
	snprintf(command, sizeof command, "rm -r '%s'", folder);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static struct authority_issued issued(void)
{
	struct authority_issued i = {buf_new(TLS_CLIENT_CERT_MAX), buf_new(TLS_AUTHORITY_MAX)};
	assert_ok(authority_certify(keys, &wish, &i));
	return i;
}

static void drop(struct authority_issued *i)
{
	buf_free(&i->certificate);
	buf_free(&i->authority);
}

static void expect_signed(const struct authority_issued *i)
{
	const unsigned char *c = (const unsigned char *)i->certificate.p, *a = (const unsigned char *)i->authority.p;
	X509 *x = d2i_X509(NULL, &c, (long)i->certificate.n), *by = d2i_X509(NULL, &a, (long)i->authority.n);
	assert_true(x && by && X509_verify(x, X509_get0_pubkey(by)) == 1);
	X509_free(x);
	X509_free(by);
}

static void one_authority_signs_all(void **state)
{
	(void)state;
	assert_ok(authority_rewrap(keys)); /* there is none */
	struct authority_issued one = issued();
	expect_signed(&one);
	keys_close(&keys);
	masters_close(&masters);
	assert_ok(open_keys());
	struct authority_issued other = issued();
	expect_signed(&other);
	assert_str(buf_str(&other.authority), buf_str(&one.authority));
	drop(&other);
	drop(&one);
}

static void it_follows_a_new_master_key(void **state)
{
	(void)state;
	struct authority_issued one = issued();
	assert_ok(masters_rotate(masters, (str){NULL, 0}));
	assert_ok(keys_rewrap(keys));
	assert_ok(authority_rewrap(keys));
	assert_ok(masters_finish(masters));
	struct authority_issued other = issued();
	assert_str(buf_str(&other.authority), buf_str(&one.authority));
	drop(&other);
	drop(&one);
}

static void damage_is_seen_and_makes_no_second_one(void **state)
{
	AUTO_BUF buf file = buf_new(8192);
	struct authority_issued i = issued();
	(void)state;
	drop(&i);
	assert_ok(file_read_at(AT_FDCWD, "authority", &file));
	file.p[file.n / 2] ^= 1;
	assert_ok(file_write_at(AT_FDCWD, "authority", buf_str(&file), 0600));
	assert_int_equal(authority_certify(keys, &wish, &i).kind, FAIL_DAMAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_authority_signs_all, fresh_folder, remove_folder),
		cmocka_unit_test_setup_teardown(it_follows_a_new_master_key, fresh_folder, remove_folder),
		cmocka_unit_test_setup_teardown(damage_is_seen_and_makes_no_second_one, fresh_folder, remove_folder),
	};
	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
