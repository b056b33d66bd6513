#include "engine/engine.h"
#include "base/mem.h"

struct engine {
	struct files *files;
	struct file *hold;
	struct packer packer;
};

result engine_hold(struct files *files, struct engine **out)
{
	struct engine *e = mem_alloc(sizeof *e);
	if (!e)
		return failure(FAIL_MEMORY, "out of memory");
	e->files = files;
	result r = files_open(files, "hold", FILES_CREATE, &e->hold);
	if (!failed(r))
		r = file_lock(e->hold);
	if (failed(r))
		engine_release(&e);
	else
		*out = e;
	return r;
}

void engine_release(struct engine **at)
{
	struct engine *e = *at;
	*at = NULL;
	if (!e)
		return;
	file_close(&e->hold);
	packer_trim(&e->packer);
	mem_free(e);
}

result engine_open_db(struct engine *e, struct db_options *o, struct db **out)
{
	o->files = e->files;
	return db_open(o, out);
}

result engine_put_body(struct engine *e, str body, struct blob_key *out)
{
	return blob_put(e->files, &e->packer, body, out);
}

result engine_open_body(struct engine *e, const struct blob_key *key, struct blob **out)
{
	return blob_open(e->files, key, out);
}

result engine_delete_body(struct engine *e, const struct blob_key *key)
{
	return blob_delete(e->files, key);
}

result engine_sweep_bodies(struct engine *e, bool (*wanted)(void *ctx, str name), void *ctx)
{
	return blob_sweep(e->files, wanted, ctx);
}

struct packer *engine_packer(struct engine *e)
{
	return &e->packer;
}

void engine_trim(struct engine *e)
{
	packer_trim(&e->packer);
}
