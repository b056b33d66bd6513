#include "run/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 4096 };

static result failure_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return failure(FAIL_ABSENT, "There is no such file.");
	case EACCES:
	case EPERM:
	case EROFS:
		return failure(FAIL_DENIED, "The file system does not permit this.");
	case EEXIST:
		return failure(FAIL_EXISTS, "The file is there already.");
	case ENOSPC:
	case EDQUOT:
		return failure(FAIL_FULL, "The disk is full.");
	case EMFILE:
	case ENFILE:
		return failure(FAIL_LIMIT, "Too many files are open.");
	default:
		return failure(FAIL_DISK, "A file operation failed.");
	}
}

static result read_all(int fd, buf *out)
{
	for (;;) {
		/* One byte beyond the ceiling tells a file that fits from one that does not. */
		char step[READ_STEP];
		ssize_t n = read(fd, step, sizeof(step));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failure_of(errno);
		if (n == 0)
			return buf_result(out);
		buf_put(out, str_of(step, (size_t)n));
		TRY(buf_result(out));
	}
}

result file_read_at(int at, const char *path, buf *out)
{
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return failure_of(errno);
	result r = read_all(fd, out);
	close(fd);
	return r;
}

result file_load(const char *path, buf *out)
{
	return file_read_at(AT_FDCWD, path, out);
}

static result write_all(int fd, str bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failure_of(errno);
		bytes = str_skip(bytes, (size_t)n);
	}
	return fsync(fd) == 0 ? OK : failure_of(errno);
}

/* The directory that holds `path`. */
static result dir_sync(int at, const char *path)
{
	char dir[PATH_MAX];
	str parent = str_from(path);
	size_t slash = str_rchr(parent, '/');
	parent = slash == STR_NONE ? STR(".") : slash == 0 ? STR("/") : str_sub(parent, 0, slash);
	if (parent.n >= sizeof(dir))
		return failure(FAIL_LIMIT, "A path is too long.");
	memcpy(dir, parent.p, parent.n);
	dir[parent.n] = 0;
	int fd = openat(at, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failure_of(errno);
	result r = fsync(fd) == 0 ? OK : failure_of(errno);
	close(fd);
	return r;
}

result file_write_at(int at, const char *path, str bytes, mode_t mode)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return failure(FAIL_LIMIT, "A path is too long.");
	/* One process owns each file of ours, so a leftover from a crash may be replaced. */
	unlinkat(at, temporary, 0);
	int fd = openat(at, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return failure_of(errno);
	result r = write_all(fd, bytes);
	if (close(fd) != 0 && !failed(r))
		r = failure_of(errno);
	if (!failed(r) && renameat(at, temporary, at, path) != 0)
		r = failure_of(errno);
	if (failed(r)) {
		unlinkat(at, temporary, 0);
		return r;
	}
	return dir_sync(at, path);
}

result dir_make_at(int at, const char *path, mode_t mode)
{
	if (mkdirat(at, path, mode) == 0)
		return dir_sync(at, path);
	struct stat st;
	if (errno == EEXIST && fstatat(at, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return OK;
	return failure_of(errno);
}

result dir_open_at(int at, const char *path, int *fd)
{
	int got = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (got < 0)
		return failure_of(errno);
	*fd = got;
	return OK;
}
