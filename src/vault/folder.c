#include "vault/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/fiber.h"
#include "run/files.h"

#define UNFINISHED ".new" /* as file_write_at names what is not in its place yet */

static bool counts(str name)
{
	str ending = STR(UNFINISHED);
	return str_at(name, 0) != '.' && !(name.n > ending.n && str_eq(str_skip(name, name.n - ending.n), ending));
}

static result add(arena *a, struct folder_names *out, size_t *room, str name)
{
	if (out->n == *room) {
		size_t more = *room ? *room * 2 : 64;
		str *grown = arena_array(a, more, sizeof *grown);
		if (!grown)
			return arena_result(a);
		if (out->n)
			memcpy(grown, out->p, out->n * sizeof *grown);
		out->p = grown;
		*room = more;
	}
	out->p[out->n++] = arena_dup(a, name);
	return arena_result(a);
}

result folder_names(int folder, arena *a, struct folder_names *out)
{
	size_t room = 0;
	result r = OK;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	*out = (struct folder_names){0};
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return failure(FAIL_DISK, "a folder of keys cannot be read");
	}
	for (const struct dirent *e; !failed(r) && (e = readdir(dir));)
		if (counts(str_from(e->d_name)))
			r = add(a, out, &room, str_from(e->d_name));
	closedir(dir);
	return r;
}

result folder_each(int folder, result (*each)(void *ctx, str name), void *ctx)
{
	AUTO_ARENA arena a = arena_new(FOLDER_NAMES_MAX);
	struct folder_names names;
	TRY(folder_names(folder, &a, &names));
	for (size_t i = 0; i < names.n; i++) {
		TRY(each(ctx, names.p[i]));
		TRY(fiber_sleep(0));
	}
	return OK;
}

result folder_name_of(str name, struct folder_name *out)
{
	if (name.n == 0 || name.n > FOLDER_NAME_MAX)
		return failure(FAIL_INPUT, "the key's name is empty or too long");
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alpha(str_at(name, i)) && !ascii_digit(str_at(name, i)) && name.p[i] != '-')
			return failure(FAIL_INPUT, "the key's name holds an unexpected character");
	snprintf(out->p, sizeof out->p, "%.*s", STR_ARG(name));
	return OK;
}

result folder_read(int at, const char *name, unsigned char *p, size_t n)
{
	char bytes[FOLDER_FILE_MAX + 1];
	buf b = {.p = bytes, .cap = sizeof bytes, .max = sizeof bytes};
	must(n < sizeof bytes);
	result r = file_read_at(at, name, &b);
	if (!failed(r) && b.n == n)
		memcpy(p, bytes, n);
	else if (!failed(r) || r.kind == FAIL_LIMIT)
		r = failure(FAIL_DAMAGE, "a key file has the wrong size; restore the keys folder from a backup");
	sodium_memzero(bytes, sizeof bytes);
	return r;
}

static bool sync_folder(int at)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static result open_condemned(int at, const char *name, int *fd)
{
	*fd = openat(at, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd >= 0)
		return OK;
	return errno == ENOENT ? failure(FAIL_ABSENT, "there is no such key")
			       : failure(FAIL_DISK, "a key's file cannot be opened");
}

static bool overwrite(int fd)
{
	static const unsigned char zero[FOLDER_DESTROYED_MAX];
	off_t n = lseek(fd, 0, SEEK_END);
	return n >= 0 && (size_t)n <= sizeof zero && pwrite(fd, zero, (size_t)n, 0) == n && fsync(fd) == 0;
}

result folder_replace(int at, const char *from, const char *to)
{
	int fd;
	TRY(open_condemned(at, to, &fd));
	bool moved = renameat(at, from, at, to) == 0;
	bool absent = !moved && errno == ENOENT;
	bool good = moved && sync_folder(at) && overwrite(fd);
	close(fd);
	if (absent)
		return failure(FAIL_ABSENT, "there is no such key");
	return good ? OK : failure(FAIL_DISK, "a key's file cannot be replaced; try again");
}

static result destroy_one(int at, const char *name)
{
	int fd;
	TRY(open_condemned(at, name, &fd));
	bool good = overwrite(fd);
	close(fd);
	if (!good || unlinkat(at, name, 0) < 0 || !sync_folder(at))
		return failure(FAIL_DISK, "a key's file cannot be destroyed; try again");
	return OK;
}

result folder_destroy(int at, const char *name)
{
	char unfinished[FOLDER_NAME_MAX + sizeof UNFINISHED];
	int n = snprintf(unfinished, sizeof unfinished, "%s" UNFINISHED, name);
	must(n > 0 && (size_t)n < sizeof unfinished);
	result left = destroy_one(at, unfinished), r = destroy_one(at, name);
	return failed(left) && left.kind != FAIL_ABSENT ? left : r;
}
