#include "engine/ballast.h"

static const char name[] = "ballast";
static const char name_new[] = "ballast.new";

static result fill(struct files *f)
{
	static const char piece[4096];
	struct file AUTO_FILE *file = NULL;
	TRY(files_open(f, name_new, FILES_CREATE, &file));
	for (uint64_t at = 0; at < BALLAST_SIZE; at += sizeof piece)
		TRY(file_write(file, at, str_of(piece, sizeof piece)));
	return file_sync(file);
}

result ballast_make(struct files *f)
{
	bool there;
	TRY(files_exists(f, name, &there));
	if (there)
		return OK;
	result r = fill(f);
	if (!failed(r))
		r = files_rename(f, name_new, name);
	if (!failed(r))
		return files_sync_folder(f);
	result gone = files_unlink(f, name_new);
	(void)gone.kind;
	return r;
}

result ballast_drop(struct files *f)
{
	TRY(files_unlink(f, name));
	return files_sync_folder(f);
}
