#include "engine/ballast.h"
#include "base/mem.h"

enum { PIECE = 64 * 1024 };

static const char name[] = "ballast";
static const char name_new[] = "ballast.new";

static result fill(struct files *f, uint64_t size)
{
	struct file AUTO_FILE *file = NULL;
	AUTO_MEM char *zeros = mem_alloc(PIECE);
	if (!zeros)
		return failure(FAIL_MEMORY, "out of memory");
	TRY(files_open(f, name_new, FILES_CREATE, &file));
	for (uint64_t at = 0; at < size; at += PIECE)
		TRY(file_write(file, at, str_of(zeros, size - at < PIECE ? (size_t)(size - at) : PIECE)));
	return file_sync(file);
}

/* A power of two, so that it is not made anew with every letter. */
static uint64_t size_for(uint64_t database)
{
	uint64_t size = BALLAST_MIN;
	while (size < database && size < BALLAST_MAX)
		size *= 2;
	return size < BALLAST_MAX ? size : BALLAST_MAX;
}

static result present(struct files *f, uint64_t *size)
{
	struct file AUTO_FILE *file = NULL;
	result r = files_open(f, name, FILES_READ, &file);
	*size = 0;
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	return file_size(file, size);
}

result ballast_make(struct files *f, uint64_t database, uint64_t *size)
{
	TRY(present(f, size));
	if (*size >= size_for(database))
		return OK;
	result r = fill(f, size_for(database));
	if (!failed(r))
		r = files_rename(f, name_new, name);
	if (!failed(r)) {
		*size = size_for(database);
		return files_sync_folder(f);
	}
	result gone = files_unlink(f, name_new);
	(void)gone.kind;
	return r;
}

result ballast_drop(struct files *f)
{
	TRY(files_unlink(f, name));
	return files_sync_folder(f);
}
