#include "base/test.h"
#include "supervisor/folders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BASE = 1000000 };

static char root[64];

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/postern-folders-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = {"keys", "ledger", "directory", "queue", "accounts"};
	char path[128];
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", root, names[i]);
		rmdir(path);
	}
	return rmdir(root);
}

static void make_file(int at, const char *name)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void accounts_come_and_go_with_all_they_hold(void **state)
{
	(void)state;
	struct folders f;
	struct stat st;
	int fd;
	assert_ok(folders_open(&f, root, BASE));
	assert_int_equal(folders_of_account(&f, 42, &fd).kind, FAIL_ABSENT);
	assert_ok(folders_make_account(&f, 42));
	assert_ok(folders_make_account(&f, 42));
	assert_ok(folders_of_account(&f, 42, &fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	if (f.as_root)
		assert_int_equal(st.st_uid, folders_uid(&f, ROLE_ACCOUNT, 42));
	make_file(fd, "mail.db");
	assert_int_equal(mkdirat(fd, "bodies", 0700), 0);
	make_file(fd, "bodies/x");
	close(fd);
	assert_ok(folders_remove_account(&f, 42));
	assert_ok(folders_remove_account(&f, 42));
	assert_int_equal(folders_of_account(&f, 42, &fd).kind, FAIL_ABSENT);
	folders_close(&f);
}

/* A link in an account's folder is removed, not followed. */
static void removal_stays_inside(void **state)
{
	(void)state;
	struct folders f;
	struct stat st;
	int fd;
	assert_ok(folders_open(&f, root, BASE));
	assert_ok(folders_make_account(&f, 7));
	assert_ok(folders_of_account(&f, 7, &fd));
	make_file(f.root, "precious");
	assert_int_equal(symlinkat("../..", fd, "way-out"), 0);
	close(fd);
	assert_ok(folders_remove_account(&f, 7));
	assert_int_equal(fstatat(f.root, "precious", &st, 0), 0);
	unlinkat(f.root, "precious", 0);
	folders_close(&f);
}

static void one_server_a_directory(void **state)
{
	(void)state;
	struct folders f, g;
	assert_ok(folders_open(&f, root, BASE));
	assert_int_equal(folders_open(&g, root, BASE).kind, FAIL_EXISTS);
	folders_close(&f);
	assert_ok(folders_open(&g, root, BASE));
	folders_close(&g);
}

/* A room that was being started when its server was killed has the lock until it ends. */
static void who_takes_over_waits_for_the_last_to_end(void **state)
{
	(void)state;
	struct folders f, g;
	int status;
	assert_ok(folders_open(&f, root, BASE));
	pid_t last = fork();
	assert_true(last >= 0);
	if (last == 0) {
		usleep(TAKEOVER_MS / 4 * 1000);
		_exit(0);
	}
	folders_close(&f);
	assert_ok(folders_open(&g, root, BASE));
	folders_close(&g);
	assert_int_equal(waitpid(last, &status, 0), last);
}

static void ids_that_have_no_user_are_refused(void **state)
{
	(void)state;
	struct folders f;
	assert_ok(folders_open(&f, root, BASE));
	assert_int_equal(folders_make_account(&f, 0).kind, FAIL_LIMIT);
	assert_int_equal(folders_make_account(&f, UINT32_MAX).kind, FAIL_LIMIT);
	folders_close(&f);
}

#define FOLDER_TEST(F) cmocka_unit_test_setup_teardown(F, fresh_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(accounts_come_and_go_with_all_they_hold),
		FOLDER_TEST(removal_stays_inside),
		FOLDER_TEST(one_server_a_directory),
		FOLDER_TEST(who_takes_over_waits_for_the_last_to_end),
		FOLDER_TEST(ids_that_have_no_user_are_refused),
	};
	return cmocka_run_group_tests_name("supervisor folders", tests, NULL, NULL);
}
