#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vault/keys.h"

static char folder[64];
static struct masters *masters;

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/postern-keys-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = {"wrapped/auth-0", "erased/auth-0", "wrapped/account-7", "erased/account-7",
		"master.key", "check"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(names[i]);
	rmdir("wrapped");
	rmdir("erased");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void open_keys(struct keys **k)
{
	assert_ok(masters_open(&(struct masters_told){.source = MASTERS_FILE}, &masters));
	assert_ok(keys_open(masters, k));
}

static void close_keys(struct keys **k)
{
	keys_close(k);
	masters_close(&masters);
}

static void a_key_is_made_once_and_found_again(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char made[KEY_SIZE], got[KEY_SIZE];
	open_keys(&k);
	assert_int_equal(keys_get(k, STR("auth-0"), got).kind, FAIL_ABSENT);
	assert_ok(keys_make(k, STR("auth-0"), made));
	assert_int_equal(keys_make(k, STR("auth-0"), got).kind, FAIL_EXISTS);
	close_keys(&k);
	open_keys(&k);
	assert_ok(keys_get(k, STR("auth-0"), got));
	assert_memory_equal(made, got, KEY_SIZE);
	close_keys(&k);
}

static void an_erased_key_stays_gone(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE];
	open_keys(&k);
	assert_ok(keys_make(k, STR("auth-0"), key));
	/* what a crash left while the key was sealed by another master key */
	assert_int_equal(close(open("wrapped/auth-0.new", O_WRONLY | O_CREAT, 0600)), 0);
	assert_ok(keys_erase(k, STR("auth-0")));
	assert_int_equal(access("wrapped/auth-0.new", F_OK), -1);
	assert_ok(keys_erase(k, STR("auth-0")));
	assert_int_equal(keys_get(k, STR("auth-0"), key).kind, FAIL_DENIED);
	assert_int_equal(keys_make(k, STR("auth-0"), key).kind, FAIL_DENIED);
	close_keys(&k);
}

static void a_key_that_follows_takes_the_place(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE], next[KEY_SIZE], got[KEY_SIZE];
	open_keys(&k);
	assert_ok(keys_make(k, STR("account-7"), key));
	assert_int_equal(keys_next(k, STR("account-7"), false, next).kind, FAIL_ABSENT);
	assert_ok(keys_follow(k, STR("account-7")));
	assert_ok(keys_next(k, STR("account-7"), true, next));
	assert_ok(keys_next(k, STR("account-7"), true, got));
	assert_memory_equal(next, got, KEY_SIZE);
	assert_ok(keys_get(k, STR("account-7"), got));
	assert_memory_equal(key, got, KEY_SIZE);
	assert_ok(keys_follow(k, STR("account-7")));
	assert_ok(keys_get(k, STR("account-7"), got));
	assert_memory_equal(next, got, KEY_SIZE);
	assert_int_equal(keys_next(k, STR("account-7"), false, got).kind, FAIL_ABSENT);
	close_keys(&k);
}

/* The file that had the place is zeros, for whoever still has it open. */
static void a_key_that_was_followed_is_destroyed(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE], was[KEY_WRAPPED], zero[KEY_WRAPPED] = {0};
	open_keys(&k);
	assert_ok(keys_make(k, STR("account-7"), key));
	int fd = open("wrapped/account-7", O_RDONLY);
	assert_ok(keys_next(k, STR("account-7"), true, key));
	assert_ok(keys_follow(k, STR("account-7")));
	assert_int_equal(pread(fd, was, sizeof was, 0), sizeof was);
	assert_memory_equal(was, zero, sizeof was);
	close(fd);
	assert_ok(keys_next(k, STR("account-7"), true, key));
	assert_ok(keys_erase(k, STR("account-7")));
	assert_int_equal(access("wrapped/account-7-next", F_OK), -1);
	assert_int_equal(keys_follow(k, STR("account-7")).kind, FAIL_DENIED);
	close_keys(&k);
}

static void a_wrapping_opens_only_for_its_principal(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE], got[KEY_SIZE], wrapped[KEY_WRAPPED];
	open_keys(&k);
	assert_ok(keys_wrap_new(k, STR("account-7"), key, wrapped));
	str w = str_of((const char *)wrapped, sizeof wrapped);
	assert_ok(keys_unwrap(k, STR("account-7"), w, got));
	assert_memory_equal(key, got, KEY_SIZE);
	assert_int_equal(keys_unwrap(k, STR("account-8"), w, got).kind, FAIL_DAMAGE);
	wrapped[30] ^= 1;
	assert_int_equal(keys_unwrap(k, STR("account-7"), w, got).kind, FAIL_DAMAGE);
	assert_int_equal(keys_unwrap(k, STR("account-7"), STR("short"), got).kind, FAIL_DAMAGE);
	close_keys(&k);
}

/* A crash between the mark and the destruction leaves the key's file. */
static void the_mark_alone_is_enough(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE], wrapped[KEY_WRAPPED];
	open_keys(&k);
	assert_ok(keys_make(k, STR("account-7"), key));
	assert_ok(keys_wrap_new(k, STR("account-7"), key, wrapped));
	assert_int_equal(close(open("erased/account-7", O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(keys_get(k, STR("account-7"), key).kind, FAIL_DENIED);
	assert_int_equal(keys_make(k, STR("account-7"), key).kind, FAIL_DENIED);
	str w = str_of((const char *)wrapped, sizeof wrapped);
	assert_int_equal(keys_unwrap(k, STR("account-7"), w, key).kind, FAIL_DENIED);
	assert_int_equal(keys_wrap_new(k, STR("account-7"), key, wrapped).kind, FAIL_DENIED);
	close_keys(&k);
}

/* A stored own key, renamed to another principal's file, must not open. */
static void files_cannot_be_exchanged(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE];
	open_keys(&k);
	assert_ok(keys_make(k, STR("auth-0"), key));
	assert_int_equal(rename("wrapped/auth-0", "wrapped/account-7"), 0);
	assert_int_equal(keys_get(k, STR("account-7"), key).kind, FAIL_DAMAGE);
	close_keys(&k);
}

static void a_lost_master_key_is_noticed(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE];
	open_keys(&k);
	assert_ok(keys_make(k, STR("auth-0"), key));
	close_keys(&k);
	assert_int_equal(unlink("master.key"), 0);
	assert_int_equal(masters_open(&(struct masters_told){.source = MASTERS_FILE}, &masters).kind, FAIL_ABSENT);
}

static void names_lead_nowhere(void **state)
{
	(void)state;
	struct keys *k = NULL;
	unsigned char key[KEY_SIZE];
	open_keys(&k);
	assert_int_equal(keys_make(k, STR("../x"), key).kind, FAIL_INPUT);
	assert_int_equal(keys_make(k, STR(""), key).kind, FAIL_INPUT);
	close_keys(&k);
}

#define ROOM_TEST(F) cmocka_unit_test_setup_teardown(F, fresh_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(a_key_is_made_once_and_found_again), ROOM_TEST(an_erased_key_stays_gone),
		ROOM_TEST(the_mark_alone_is_enough),
		ROOM_TEST(a_key_that_follows_takes_the_place), ROOM_TEST(a_key_that_was_followed_is_destroyed),
		ROOM_TEST(a_wrapping_opens_only_for_its_principal), ROOM_TEST(files_cannot_be_exchanged),
		ROOM_TEST(a_lost_master_key_is_noticed), ROOM_TEST(names_lead_nowhere),
	};
	return cmocka_run_group_tests_name("vault keys", tests, NULL, NULL);
}
