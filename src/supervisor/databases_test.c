#include "supervisor/databases.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "run/files.h"
#include "run/memfd.h"

#define DATABASE(WHAT) "some octets of " WHAT "\xab\xcd\xefMaxMind.com and what is said of it"

static char path[64];
static struct options options;
static struct databases databases;

static int fresh_file(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/postern-databases-XXXXXX");
	int fd = mkstemp(path);
	close(fd);
	options_init(&options);
	databases = (struct databases){.of = {{.fd = -1}, {.fd = -1}}};
	return fd < 0 || failed(options_set(&options, OPT_COUNTRY_DATABASE, str_from(path))) ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	databases_close(&databases);
	options_free(&options);
	return 0;
}

/* Each time as a file of its own, put in the place of the one before. */
static void put(str bytes)
{
	assert_ok(file_write_at(AT_FDCWD, path, bytes, 0600));
}

static void expect_taken(str bytes)
{
	str view;
	assert_ok(memfd_map(databases.of[0].fd, 4096, MEMFD_READING, &view)); /* it is sealed */
	assert_str(view, bytes);
	memfd_unmap(&view);
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	put(STR("no database"));
	assert_int_equal(databases_open(&databases, &options).kind, FAIL_INPUT);
	assert_int_equal(databases_check(str_from(path)).kind, FAIL_INPUT);
	unlink(path);
	assert_int_equal(databases_open(&databases, &options).kind, FAIL_ABSENT);
	assert_int_equal(databases_check(STR("/tmp")).kind, FAIL_INPUT);
	assert_ok(databases_check(STR("")));
}

static void a_replaced_file_is_taken_once_it_stays(void **state)
{
	(void)state;
	put(STR(DATABASE("old")));
	assert_ok(databases_open(&databases, &options));
	assert_true(databases_any(&databases));
	expect_taken(STR(DATABASE("old")));
	assert_false(databases_look(&databases));
	put(STR(DATABASE("half"))); /* it may still be written */
	assert_false(databases_look(&databases));
	put(STR(DATABASE("new")));
	assert_false(databases_look(&databases));
	expect_taken(STR(DATABASE("old")));
	assert_true(databases_look(&databases));
	expect_taken(STR(DATABASE("new")));
	assert_false(databases_look(&databases));
}

static void nonsense_and_nothing_change_nothing(void **state)
{
	(void)state;
	put(STR(DATABASE("old")));
	assert_ok(databases_open(&databases, &options));
	put(STR("no database"));
	for (int i = 0; i < 3; i++)
		assert_false(databases_look(&databases));
	unlink(path);
	assert_false(databases_look(&databases));
	expect_taken(STR(DATABASE("old")));
	put(STR(DATABASE("new")));
	assert_false(databases_look(&databases));
	assert_true(databases_look(&databases));
}

static void without_options_there_is_nothing(void **state)
{
	(void)state;
	assert_ok(options_set(&options, OPT_COUNTRY_DATABASE, STR("")));
	assert_ok(databases_open(&databases, &options));
	assert_false(databases_any(&databases));
	assert_false(databases_look(&databases));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_none_is_refused, fresh_file, remove_file),
		cmocka_unit_test_setup_teardown(a_replaced_file_is_taken_once_it_stays, fresh_file, remove_file),
		cmocka_unit_test_setup_teardown(nonsense_and_nothing_change_nothing, fresh_file, remove_file),
		cmocka_unit_test_setup_teardown(without_options_there_is_nothing, fresh_file, remove_file),
	};
	return cmocka_run_group_tests_name("databases", tests, NULL, NULL);
}
