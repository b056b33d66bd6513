#include "engine/files.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct local_file {
	struct file base;
	int fd;
	int direct;  /* the same file past the system's cache, or -1 */
	int flushed; /* as `direct`, and each write is durable when it returns */
};

static int folder_of(struct files *f)
{
	return ((struct files_local *)(void *)f)->folder;
}

static struct local_file *local_of(struct file *file)
{
	return (struct local_file *)(void *)file;
}

static int fd_of(const struct file *file)
{
	return ((const struct local_file *)(const void *)file)->fd;
}

static result from_errno(int code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return failure(FAIL_FULL, "the disk is full");
	case ENOENT:
		return failure(FAIL_ABSENT, "there is no such file");
	case EEXIST:
		return failure(FAIL_EXISTS, "the file is already there");
	case EWOULDBLOCK:
		return failure(FAIL_BUSY, "another process has the file open");
	case EACCES:
	case EPERM:
		return failure(FAIL_DISK, "this user may not touch the file; look at the folder's owner");
	case ENOMEM:
		return failure(FAIL_MEMORY, "out of memory");
	default:
		return failure(FAIL_DISK, "a file operation failed; look at the disk and the kernel's log");
	}
}

static int try_open(int folder, const char *path, int flags)
{
	int fd;
	do
		fd = openat(folder, path, flags, 0600);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static result local_open(struct files *f, const char *path, enum files_how how, struct file **out)
{
	bool blocks = how & FILES_BLOCKS, flushed = how & FILES_FLUSHED;
	how &= (enum files_how)~(FILES_BLOCKS | FILES_FLUSHED);
	int flags = O_CLOEXEC | O_NOFOLLOW | O_RDONLY;
	if (how & FILES_WRITE)
		flags = O_CLOEXEC | O_NOFOLLOW | O_RDWR;
	if ((how & FILES_CREATE) == FILES_CREATE)
		flags |= O_CREAT;
	if (how == FILES_NEW)
		flags |= O_EXCL;
	struct local_file *file = mem_alloc(sizeof *file);
	if (!file)
		return failure(FAIL_MEMORY, "out of memory");
	file->fd = try_open(folder_of(f), path, flags);
	if (file->fd < 0) {
		result r = from_errno(errno);
		mem_free(file);
		return r;
	}
	/* Not every file system has it. */
	int past = O_CLOEXEC | O_NOFOLLOW | O_RDWR | O_DIRECT;
	file->direct = blocks ? try_open(folder_of(f), path, past) : -1;
	file->flushed = flushed ? try_open(folder_of(f), path, past | O_DSYNC) : -1;
	*out = &file->base;
	return OK;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void local_close(struct file *file)
{
	struct local_file *f = local_of(file);
	close_one(&f->fd);
	close_one(&f->direct);
	close_one(&f->flushed);
	mem_free(f);
}

static result local_read(struct file *file, uint64_t at, void *p, size_t *n)
{
	size_t got = 0;
	while (got < *n) {
		ssize_t r = pread(fd_of(file), (char *)p + got, *n - got, (off_t)(at + got));
		if (r < 0 && errno != EINTR)
			return from_errno(errno);
		if (r == 0)
			break;
		got += r > 0 ? (size_t)r : 0;
	}
	*n = got;
	return OK;
}

static result local_write(struct file *file, uint64_t at, str bytes)
{
	size_t put = 0;
	while (put < bytes.n) {
		ssize_t r = pwrite(fd_of(file), bytes.p + put, bytes.n - put, (off_t)(at + put));
		if (r < 0 && errno != EINTR)
			return from_errno(errno);
		put += r > 0 ? (size_t)r : 0;
	}
	return OK;
}

static result local_sync(struct file *file)
{
	return fdatasync(fd_of(file)) == 0 ? OK : from_errno(errno);
}

/* One that is refused, or stops short, is made good in the common way. */
static result local_write_blocks(struct file *file, uint64_t at, str bytes, bool flush)
{
	int *fd = flush ? &local_of(file)->flushed : &local_of(file)->direct;
	ssize_t put = -1;
	while (*fd >= 0 && put < 0) {
		put = pwrite(*fd, bytes.p, bytes.n, (off_t)at);
		if (put >= 0 || errno == EINTR)
			continue;
		if (errno != EINVAL && errno != EOPNOTSUPP)
			return from_errno(errno);
		close_one(fd);
	}
	size_t done = put > 0 ? (size_t)put : 0;
	if (done == bytes.n)
		return OK;
	TRY(local_write(file, at + done, str_skip(bytes, done)));
	if (!flush)
		return OK;
	return file_flushed(local_sync(file));
}

static result local_truncate(struct file *file, uint64_t size)
{
	return ftruncate(fd_of(file), (off_t)size) == 0 ? OK : from_errno(errno);
}

static result local_size(struct file *file, uint64_t *out)
{
	struct stat st;
	if (fstat(fd_of(file), &st) != 0)
		return from_errno(errno);
	*out = (uint64_t)st.st_size;
	return OK;
}

static result local_lock(struct file *file)
{
	return flock(fd_of(file), LOCK_EX | LOCK_NB) == 0 ? OK : from_errno(errno);
}

static result local_rename(struct files *f, const char *from, const char *to)
{
	return renameat(folder_of(f), from, folder_of(f), to) == 0 ? OK : from_errno(errno);
}

static result local_unlink(struct files *f, const char *path)
{
	return unlinkat(folder_of(f), path, 0) == 0 ? OK : from_errno(errno);
}

static result local_exists(struct files *f, const char *path, bool *out)
{
	struct stat st;
	bool there = fstatat(folder_of(f), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!there && errno != ENOENT)
		return from_errno(errno);
	*out = there;
	return OK;
}

static int open_folder(struct files *f)
{
	return openat(folder_of(f), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static result local_sync_folder(struct files *f)
{
	int fd = open_folder(f);
	if (fd < 0)
		return from_errno(errno);
	result r = fsync(fd) == 0 ? OK : from_errno(errno);
	close(fd);
	return r;
}

static result local_list(struct files *f, result (*each)(void *ctx, str name), void *ctx)
{
	int fd = open_folder(f);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		result r = from_errno(errno);
		if (fd >= 0)
			close(fd);
		return r;
	}
	result r = OK;
	struct dirent *entry;
	for (errno = 0; !failed(r) && (entry = readdir(dir)); errno = 0) {
		str name = str_from(entry->d_name);
		if (!str_eq(name, STR(".")) && !str_eq(name, STR("..")))
			r = each(ctx, name);
	}
	if (!failed(r) && errno)
		r = from_errno(errno);
	closedir(dir);
	return r;
}

static const struct files_ops local_ops = {
	.open = local_open,
	.close = local_close,
	.read = local_read,
	.write = local_write,
	.write_blocks = local_write_blocks,
	.sync = local_sync,
	.truncate = local_truncate,
	.size = local_size,
	.lock = local_lock,
	.rename = local_rename,
	.unlink = local_unlink,
	.exists = local_exists,
	.sync_folder = local_sync_folder,
	.list = local_list,
};

struct files_local files_local(int folder)
{
	return (struct files_local){.base = {&local_ops}, .folder = folder};
}

result files_open(struct files *f, const char *path, enum files_how how, struct file **out)
{
	struct file *file = NULL;
	TRY(f->ops->open(f, path, how, &file));
	file->owner = f;
	*out = file;
	return OK;
}

void file_close(struct file **file)
{
	if (*file)
		(*file)->owner->ops->close(*file);
	*file = NULL;
}

result file_read(struct file *file, uint64_t at, void *p, size_t *n)
{
	return file->owner->ops->read(file, at, p, n);
}

result file_write(struct file *file, uint64_t at, str bytes)
{
	return file->owner->ops->write(file, at, bytes);
}

result file_write_blocks(struct file *file, uint64_t at, str bytes, bool flush)
{
	must(at % FILES_BLOCK == 0 && bytes.n % FILES_BLOCK == 0 && (uintptr_t)bytes.p % FILES_BLOCK == 0);
	return file->owner->ops->write_blocks(file, at, bytes, flush);
}

result file_flushed(result r)
{
	return r.kind == FAIL_FULL ? failure(FAIL_DISK, "a flush failed for want of room") : r;
}

result file_sync(struct file *file)
{
	return file->owner->ops->sync(file);
}

result file_truncate(struct file *file, uint64_t size)
{
	return file->owner->ops->truncate(file, size);
}

result file_size(struct file *file, uint64_t *out)
{
	return file->owner->ops->size(file, out);
}

result file_lock(struct file *file)
{
	return file->owner->ops->lock(file);
}

result files_rename(struct files *f, const char *from, const char *to)
{
	return f->ops->rename(f, from, to);
}

result files_unlink(struct files *f, const char *path)
{
	return f->ops->unlink(f, path);
}

result files_unlink_if_there(struct files *f, const char *path)
{
	result r = files_unlink(f, path);
	return r.kind == FAIL_ABSENT ? OK : r;
}

result files_exists(struct files *f, const char *path, bool *out)
{
	return f->ops->exists(f, path, out);
}

result files_sync_folder(struct files *f)
{
	return f->ops->sync_folder(f);
}

result files_list(struct files *f, result (*each)(void *ctx, str name), void *ctx)
{
	return f->ops->list(f, each, ctx);
}
