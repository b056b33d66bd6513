/* Local files, where the system refuses: what a caller is told of it. */
#include "base/test.h"
#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int refuses; /* errno of every flush; 0: it is done */

/* In place of libc's. */
int fdatasync(int fd)
{
	errno = refuses;
	return refuses ? -1 : fsync(fd);
}

static _Alignas(FILES_BLOCK) char block[FILES_BLOCK];

/* Without FILES_BLOCKS blocks are written in the common way, with a flush of its own. */
static void a_flush_without_room_is_no_write_without_room(void **state)
{
	char folder[] = "/tmp/postern-files-XXXXXX";
	struct file *file;
	(void)state;
	assert_non_null(mkdtemp(folder));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct files_local local = files_local(fd);
	assert_ok(files_open(&local.base, "f", FILES_CREATE, &file));
	refuses = ENOSPC;
	assert_int_equal(file_write_blocks(file, 0, str_of(block, sizeof block), true).kind, FAIL_DISK);
	assert_ok(file_write_blocks(file, 0, str_of(block, sizeof block), false));
	refuses = 0;
	assert_ok(file_write_blocks(file, 0, str_of(block, sizeof block), true));
	file_close(&file);
	assert_ok(files_unlink(&local.base, "f"));
	close(fd);
	assert_int_equal(rmdir(folder), 0);
}

static void a_write_without_room_says_so(void **state)
{
	struct files_local local = files_local(AT_FDCWD);
	struct file *file;
	(void)state;
	assert_ok(files_open(&local.base, "/dev/full", FILES_WRITE, &file));
	assert_int_equal(file_write_blocks(file, 0, str_of(block, sizeof block), true).kind, FAIL_FULL);
	file_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_without_room_is_no_write_without_room),
		cmocka_unit_test(a_write_without_room_says_so),
	};
	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
