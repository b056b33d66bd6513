#include "engine/kept_log.h"
#include "base/mem.h"

#define DAMAGED \
	"letters kept ahead of their commit do not authenticate; restore from a backup, or move the file with -kept aside"

struct kept_log {
	struct files *files;
	const char *path;
	struct box box;
	bool salvage;
	struct file *file; /* NULL: not looked for, or not there */
	bool named;        /* durably */
	uint64_t size;     /* of the file, durably */
	uint64_t generation;
	uint64_t end;      /* of this generation's units */
	unsigned char *memory, *unit; /* NULL, or KEPT_UNIT_MAX octets at a multiple of FILES_BLOCK */
};

static uint64_t blocks(uint64_t n)
{
	return (n + FILES_BLOCK - 1) / FILES_BLOCK * FILES_BLOCK;
}

static struct box_name place(const struct kept_log *l, uint64_t at)
{
	return (struct box_name){BOX_KEPT, at / FILES_BLOCK, l->generation};
}

static result take_memory(struct kept_log *l)
{
	if (l->memory)
		return OK;
	l->memory = mem_alloc(KEPT_UNIT_MAX + FILES_BLOCK);
	if (!l->memory)
		return failure(FAIL_MEMORY, "out of memory");
	l->unit = l->memory + (FILES_BLOCK - (uintptr_t)l->memory % FILES_BLOCK) % FILES_BLOCK;
	return OK;
}

void kept_log_trim(struct kept_log *l)
{
	mem_free(l->memory);
	l->memory = l->unit = NULL;
}

result kept_log_new(const struct kept_log_plan *plan, struct kept_log **out)
{
	struct kept_log *l = mem_alloc(sizeof *l);
	if (!l)
		return failure(FAIL_MEMORY, "out of memory");
	l->files = plan->files;
	l->path = plan->path;
	l->salvage = plan->salvage;
	memcpy(l->box.key, plan->key, BOX_KEY);
	memcpy(l->box.id, plan->id, BOX_ID);
	*out = l;
	return OK;
}

void kept_log_free(struct kept_log **at)
{
	struct kept_log *l = *at;
	*at = NULL;
	if (!l)
		return;
	file_close(&l->file);
	kept_log_trim(l);
	box_wipe(&l->box);
	mem_free(l);
}

void kept_log_begin(struct kept_log *l, uint64_t generation)
{
	l->generation = generation;
	l->end = 0;
}

/* ---- reading ---- */

/* Reads the unit there into memory and opens it; n 0: there is none of this generation. */
static result open_unit(struct kept_log *l, uint64_t at, size_t *n)
{
	size_t got = KEPT_HEAD;
	*n = 0;
	TRY(take_memory(l));
	TRY(file_read(l->file, at, l->unit, &got));
	if (got < KEPT_HEAD || box_get_u64(l->unit + 8) != l->generation)
		return OK;
	got = KEPT_UNIT_MAX;
	TRY(file_read(l->file, at, l->unit, &got));
	size_t sealed = box_get_u32(l->unit);
	struct box_name name = place(l, at);
	if (sealed > BOX_SPARE && sealed <= got - KEPT_HEAD && box_open(&l->box, &name, l->unit + KEPT_HEAD, sealed))
		*n = sealed;
	return OK;
}

/* Up to where they follow each other; *last: the end of the last one that opens. */
static result find_ends(struct kept_log *l, uint64_t *whole, uint64_t *last)
{
	uint64_t end = l->size < KEPT_ROOM ? l->size : KEPT_ROOM;
	*whole = *last = 0;
	for (uint64_t at = 0; at < end;) {
		size_t n;
		TRY(open_unit(l, at, &n));
		uint64_t next = at + (n ? blocks(KEPT_HEAD + n) : FILES_BLOCK);
		if (n && *whole == at)
			*whole = next;
		if (n)
			*last = next;
		at = next;
	}
	return OK;
}

/* The same octets, a piece at a time. */
static result make_sure(struct kept_log *l)
{
	for (uint64_t at = 0; at < l->end; at += KEPT_UNIT_MAX) {
		size_t n = l->end - at < KEPT_UNIT_MAX ? (size_t)(l->end - at) : KEPT_UNIT_MAX, got = n;
		memset(l->unit, 0, n);
		TRY(file_read(l->file, at, l->unit, &got));
		TRY(file_write_blocks(l->file, at, str_of((const char *)l->unit, n), true));
	}
	return OK;
}

static result open_file(struct kept_log *l, enum files_how how)
{
	if (l->file)
		return OK;
	TRY(files_open(l->files, l->path, how | FILES_BLOCKS | FILES_FLUSHED, &l->file));
	return file_size(l->file, &l->size);
}

result kept_log_find(struct kept_log *l, uint64_t generation)
{
	uint64_t whole, last;
	kept_log_begin(l, generation);
	TRY(open_file(l, FILES_WRITE));
	TRY(find_ends(l, &whole, &last));
	if (last > whole && !l->salvage)
		return failure(FAIL_DAMAGE, DAMAGED);
	l->end = last;
	if (last == 0)
		return failure(FAIL_ABSENT, "nothing is kept ahead");
	result r = make_sure(l);
	return r.kind == FAIL_FULL ? OK : r;
}

result kept_log_read(struct kept_log *l, result (*each)(void *ctx, str record), void *ctx)
{
	for (uint64_t at = 0; at < l->end;) {
		size_t n;
		TRY(open_unit(l, at, &n));
		if (!n && !l->salvage)
			return failure(FAIL_DAMAGE, DAMAGED);
		if (n)
			TRY(each(ctx, str_of((const char *)l->unit + KEPT_HEAD, n - BOX_SPARE)));
		at += n ? blocks(KEPT_HEAD + n) : FILES_BLOCK;
	}
	return OK;
}

/* ---- writing ---- */

static result put_zeros(struct kept_log *l, uint64_t end)
{
	memset(l->unit, 0, KEPT_UNIT_MAX);
	for (uint64_t at = l->size; at < end;) {
		size_t n = end - at < KEPT_UNIT_MAX ? (size_t)(end - at) : KEPT_UNIT_MAX;
		TRY(file_write(l->file, at, str_of((const char *)l->unit, n)));
		at += n;
	}
	return OK;
}

/* The zeros are really written, so that a unit's place is known to the disk before it comes. What a full disk took of
 * them is given back. */
static result widen(struct kept_log *l, uint64_t end)
{
	end = (end + KEPT_STEP - 1) / KEPT_STEP * KEPT_STEP;
	result r = put_zeros(l, end);
	if (failed(r) && !failed(file_truncate(l->file, l->size)))
		return r;
	TRY(r);
	TRY(file_flushed(file_sync(l->file)));
	l->size = end;
	return OK;
}

/* Who made the file may have died before its name was durable. */
static result name(struct kept_log *l)
{
	if (!l->named)
		TRY(files_sync_folder(l->files));
	l->named = true;
	return OK;
}

static void put(struct kept_log *l, str record, uint64_t n)
{
	struct box_name name = place(l, l->end);
	size_t sealed = record.n + BOX_SPARE;
	memset(l->unit, 0, KEPT_HEAD);
	box_put_u32(l->unit, (uint32_t)sealed);
	box_put_u64(l->unit + 8, l->generation);
	memcpy(l->unit + KEPT_HEAD, record.p, record.n);
	box_seal(&l->box, &name, l->unit + KEPT_HEAD, sealed);
	memset(l->unit + KEPT_HEAD + sealed, 0, n - KEPT_HEAD - sealed);
}

result kept_log_add(struct kept_log *l, str record)
{
	uint64_t n = blocks(KEPT_HEAD + record.n + BOX_SPARE);
	if (record.n == 0 || record.n > KEPT_RECORD_MAX || l->end + n > KEPT_ROOM)
		return failure(FAIL_LIMIT, "there is no room for it");
	TRY(take_memory(l));
	TRY(open_file(l, FILES_CREATE));
	if (l->end + n > l->size)
		TRY(widen(l, l->end + n));
	TRY(name(l));
	put(l, record, n);
	TRY(file_write_blocks(l->file, l->end, str_of((const char *)l->unit, n), true));
	l->end += n;
	return OK;
}
