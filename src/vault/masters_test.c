#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/masters.h"

/* What the vault does with it: something sealed under each key in force, which must always open again. */
enum { SEALED = 7 + MASTER_SEALED_MORE, TURNS = 4 };

static char folder[64];
static struct masters *m;
static unsigned char first[SEALED], later[SEALED];

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/postern-masters-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	char command[128];
	masters_close(&m);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static const str hex_one = STR_INIT("0001020304050607080910111213141516171819202122232425262728293031");
static const str hex_two = STR_INIT("ff01020304050607080910111213141516171819202122232425262728293031\n");
static const str phrase = STR_INIT("four words and a number 7");

static result open_as(enum masters_source source, str secret, str before)
{
	masters_close(&m);
	return masters_open(&(struct masters_told){.source = source, .secret = secret, .former = before}, &m);
}

static void seal(unsigned char out[SEALED])
{
	assert_ok(masters_seal(m, STR("x"), STR("a thing"), out));
	mkdir("wrapped", 0700); /* the folder is in use now */
}

static result opens(const unsigned char sealed[SEALED])
{
	unsigned char plain[7];
	TRY(masters_unseal(m, STR("x"), str_of((const char *)sealed, SEALED), plain));
	assert_memory_equal(plain, "a thing", sizeof plain);
	return OK;
}

static bool there(const char *name)
{
	return access(name, F_OK) == 0;
}

static void what_a_former_key_sealed_still_opens(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	seal(first);
	for (size_t i = 0; i < TURNS; i++) {
		assert_ok(masters_rotate(m, STR("")));
		assert_int_equal(masters_count(m), i + 2);
		assert_ok(opens(first));
		seal(later);
		assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
		assert_int_equal(masters_count(m), i + 2);
		assert_ok(opens(first));
		assert_ok(opens(later));
	}
}

static void copy(const char *from, const char *to)
{
	char command[128];
	snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

/* The files of before, put back one by one, are what a crash leaves. */
static void a_replacement_cut_off_leaves_one_key_in_force(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	seal(first);
	assert_ok(masters_rotate(m, STR("")));
	seal(later);
	copy("master.key", "key.old");
	copy("check", "check.old");
	assert_ok(masters_rotate(m, STR("")));
	copy("master.key", "key.new");
	copy("check.old", "check"); /* before the check was written */
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	assert_int_equal(masters_count(m), 3);
	assert_ok(opens(first));
	assert_ok(opens(later));
	copy("check.old", "check"); /* before the new key was written */
	copy("key.old", "master.key");
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	assert_int_equal(masters_count(m), 2);
	assert_ok(opens(first));
	assert_ok(opens(later));
	assert_ok(masters_rotate(m, STR(""))); /* over what was left */
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	assert_int_equal(masters_count(m), 3);
	assert_ok(opens(later));
}

static void a_wrong_key_is_refused(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_one, STR("")));
	seal(first);
	assert_int_equal(open_as(MASTERS_CREDENTIAL, hex_two, STR("")).kind, FAIL_DENIED);
	assert_int_equal(open_as(MASTERS_CREDENTIAL, STR("0102"), STR("")).kind, FAIL_INPUT);
	assert_int_equal(open_as(MASTERS_CREDENTIAL, hex_two, hex_two).kind, FAIL_DENIED);
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_one, STR("")));
	assert_ok(opens(first));
	assert_false(there("master.key"));
}

static void an_exchanged_credential_takes_over(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_one, STR("")));
	seal(first);
	assert_int_equal(masters_rotate(m, STR("")).kind, FAIL_CONFLICT);
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_two, hex_one));
	assert_ok(opens(first));
	seal(later);
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_two, hex_one)); /* the former may stay */
	assert_ok(open_as(MASTERS_CREDENTIAL, hex_two, STR("")));
	assert_ok(opens(first));
	assert_ok(opens(later));
	assert_int_equal(open_as(MASTERS_CREDENTIAL, hex_one, STR("")).kind, FAIL_DENIED);
}

static void a_passphrase_takes_the_file_s_place(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	seal(first);
	assert_int_equal(open_as(MASTERS_PASSPHRASE, STR("short"), STR("")).kind, FAIL_INPUT);
	assert_true(there("master.key"));
	assert_ok(open_as(MASTERS_PASSPHRASE, phrase, STR("")));
	assert_false(there("master.key"));
	assert_ok(opens(first));
	assert_int_equal(open_as(MASTERS_PASSPHRASE, STR("another one entirely"), STR("")).kind, FAIL_DENIED);
	assert_int_equal(open_as(MASTERS_FILE, STR(""), STR("")).kind, FAIL_ABSENT);
}

static void without_its_passphrase_it_is_locked(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_PASSPHRASE, phrase, STR("")));
	seal(first);
	assert_ok(open_as(MASTERS_PASSPHRASE, STR(""), STR("")));
	assert_true(masters_locked(m));
	assert_int_equal(opens(first).kind, FAIL_BUSY);
	assert_int_equal(masters_seal(m, STR("x"), STR("a thing"), later).kind, FAIL_BUSY);
	assert_int_equal(masters_rotate(m, phrase).kind, FAIL_BUSY);
	assert_int_equal(masters_unlock(m, STR("another one entirely")).kind, FAIL_DENIED);
	assert_true(masters_locked(m));
	assert_ok(masters_unlock(m, phrase));
	assert_ok(opens(first));
	assert_int_equal(masters_rotate(m, STR("another one entirely")).kind, FAIL_DENIED);
	assert_ok(masters_rotate(m, phrase));
	assert_ok(open_as(MASTERS_PASSPHRASE, phrase, STR("")));
	assert_int_equal(masters_count(m), 2);
	assert_ok(opens(first));
}

static void damage_among_the_former_is_told(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	seal(first);
	for (size_t i = 0; i < TURNS; i++)
		assert_ok(masters_rotate(m, STR("")));
	int fd = open("former/2", O_WRONLY);
	assert_int_equal(pwrite(fd, "?", 1, 30), 1);
	close(fd);
	assert_int_equal(open_as(MASTERS_FILE, STR(""), STR("")).kind, FAIL_DAMAGE);
}

static void replacements_have_an_end(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	while (masters_count(m) < MASTERS_MAX)
		assert_ok(masters_rotate(m, STR("")));
	assert_int_equal(masters_rotate(m, STR("")).kind, FAIL_LIMIT);
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	assert_int_equal(masters_count(m), MASTERS_MAX);
}

static void a_key_left_in_the_folder_is_no_credential(void **state)
{
	(void)state;
	assert_ok(open_as(MASTERS_FILE, STR(""), STR("")));
	seal(first);
	assert_int_equal(open_as(MASTERS_CREDENTIAL, hex_one, STR("")).kind, FAIL_CONFLICT);
}

#define IN_FOLDER(F) cmocka_unit_test_setup_teardown(F, fresh_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_a_former_key_sealed_still_opens),
		IN_FOLDER(a_replacement_cut_off_leaves_one_key_in_force),
		IN_FOLDER(a_wrong_key_is_refused), IN_FOLDER(an_exchanged_credential_takes_over),
		IN_FOLDER(a_passphrase_takes_the_file_s_place), IN_FOLDER(without_its_passphrase_it_is_locked),
		IN_FOLDER(damage_among_the_former_is_told), IN_FOLDER(replacements_have_an_end),
		IN_FOLDER(a_key_left_in_the_folder_is_no_credential),
	};
	return cmocka_run_group_tests_name("vault masters", tests, NULL, NULL);
}
