#include "vault/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool counts(str name)
{
	str ending = STR(".new");
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
