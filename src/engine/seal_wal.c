#include "engine/seal_frame.h"
#include "base/mem.h"

enum { SLOT_MAGIC = 0, SLOT_GENERATION = 8, SLOT_FLOOR = 16, SLOT_LIVE = 20, SLOT_SQLITE = 24 };
enum {
	AGAIN = 64 << 10, /* octets at a time, when the log is written again at opening */
	ZEROS = 64 << 10, /* and when it grows */
};

static const uint64_t slot_magic = 0x306c61576e747350; /* "PstnWal0", and the layout added to the digit */
enum { DIGIT = 56 };

uint64_t wal_frame_at(uint32_t number)
{
	return WAL_FRAMES_AT + (uint64_t)number * WAL_FRAME;
}

static result whole(const struct wal *w)
{
	return w->broken ? failure(FAIL_DISK, "an earlier flush failed; the database has to be opened again") : OK;
}

static result put(struct wal *w, uint64_t at, const unsigned char *p, size_t n)
{
	TRY(whole(w));
	w->dirty = true;
	TRY(file_write(w->file, at, str_of((const char *)p, n)));
	if (at + n > w->size)
		w->size = at + n;
	return OK;
}

/* Header slots. */

static result put_head(struct wal *w, unsigned slot)
{
	unsigned char unit[WAL_SLOT] = {0};
	box_put_u64(unit + SLOT_MAGIC, slot_magic + ((uint64_t)w->head.layout << DIGIT));
	box_put_u64(unit + SLOT_GENERATION, w->head.generation);
	box_put_u32(unit + SLOT_FLOOR, w->head.floor);
	unit[SLOT_LIVE] = w->head.live;
	memcpy(unit + SLOT_SQLITE, w->head.sqlite, WAL_HEADER);
	struct box_name name = {BOX_HEADER, slot, 0};
	box_seal(w->box, &name, unit, sizeof unit);
	result r = put(w, slot * WAL_SLOT_AT, unit, sizeof unit);
	w->head_torn = failed(r);
	return r;
}

static bool get_head(struct wal *w, unsigned slot, struct wal_head *out)
{
	unsigned char unit[WAL_SLOT];
	size_t n = sizeof unit;
	struct box_name name = {BOX_HEADER, slot, 0};
	if (failed(file_read(w->file, slot * WAL_SLOT_AT, unit, &n)) || n < sizeof unit ||
		!box_open(w->box, &name, unit, sizeof unit))
		return false;
	uint64_t layout = (box_get_u64(unit + SLOT_MAGIC) - slot_magic) >> DIGIT;
	if (box_get_u64(unit + SLOT_MAGIC) != slot_magic + (layout << DIGIT) || layout < 1 || layout > WAL_LAYOUT)
		return false;
	out->layout = (unsigned)layout;
	out->generation = box_get_u64(unit + SLOT_GENERATION);
	out->floor = box_get_u32(unit + SLOT_FLOOR);
	out->live = unit[SLOT_LIVE];
	memcpy(out->sqlite, unit + SLOT_SQLITE, WAL_HEADER);
	return true;
}

/* A new start of the log; the durable slot stays as it is until the sync. */
static result new_head(struct wal *w, const unsigned char *sqlite)
{
	w->count = 0;
	w->frames = w->ended = w->synced = w->mirrored = 0;
	frame_forget(w, 0);
	w->head = (struct wal_head){
		.generation = w->durable_generation + 1, .live = sqlite != NULL, .layout = WAL_LAYOUT};
	if (sqlite)
		memcpy(w->head.sqlite, sqlite, WAL_HEADER);
	w->head_due = true;
	return put_head(w, !w->durable_slot);
}

static result sync_file(struct wal *w)
{
	if (!w->dirty) {
		w->synced = w->ended;
		return OK;
	}
	TRY(whole(w)); /* the kernel tells of a failure once */
	if (w->head_due && w->head_torn) /* else the one good header would be written over next */
		TRY(put_head(w, !w->durable_slot));
	result r = file_sync(w->file);
	if (!failed(r) && w->is_new)
		r = files_sync_folder(w->file->owner);
	if (failed(r)) {
		w->broken = true;
		return file_flushed(r);
	}
	w->is_new = w->dirty = false;
	w->synced = w->ended;
	if (w->head_due) {
		w->head_due = false;
		w->durable_slot = !w->durable_slot;
		w->durable_generation = w->head.generation;
		w->twin_due = w->head.live;
	}
	return OK;
}

/* After a very large transaction the room is given back, once the frames
 * there are of a generation that nobody can ask for again. */
static result give_back(struct wal *w, uint64_t keep)
{
	if (w->head_due || w->frames > 0 || w->size <= keep)
		return OK;
	TRY(file_truncate(w->file, keep));
	w->size = keep;
	w->tight = false;
	return OK;
}

/* Frames. */

result wal_raw(struct wal *w, uint32_t number, unsigned char *unit, bool *there)
{
	size_t n = WAL_FRAME;
	if (number >= w->mirrored)
		TRY(file_read(w->file, wal_frame_at(number), unit, &n));
	else if (unit != w->mirror + (size_t)number * WAL_FRAME)
		memcpy(unit, w->mirror + (size_t)number * WAL_FRAME, WAL_FRAME);
	*there = n == WAL_FRAME;
	return OK;
}

static result read_frame(struct wal *w, uint32_t number, unsigned char *unit, bool *good)
{
	enum frame_state state = FRAME_STRANGE;
	TRY(wal_raw(w, number, unit, good));
	if (*good)
		TRY(frame_open(w, number, unit, &state));
	*good = state == FRAME_GOOD;
	if (*good)
		memcpy(unit + 8, w->head.sqlite + 16, 8); /* the salts */
	return OK;
}

/* The reserved bytes of a page count in SQLite's checksum and are not stored:
 * they come back as zeros. */
static bool reserved_is_zero(const unsigned char *unit)
{
	static const unsigned char zeros[SEAL_RESERVED];
	return memcmp(unit + WAL_FRAME - SEAL_RESERVED, zeros, SEAL_RESERVED) == 0;
}

/* A flush that changes the file's size has to write its inode too, a second
 * turn of the disk. So the flush that must grows the file further, by zeros:
 * room that was only reserved would be metadata once more when it is used.
 * Without this room everything works too: on a disk that has none left, what
 * was taken is given back, to the database that the log is carried over to. */
static void widen(struct wal *w)
{
	uint64_t before = w->size;
	AUTO_MEM unsigned char *zeros = mem_alloc(ZEROS);
	uint64_t step = w->size < SEAL_STEP_MIN ? SEAL_STEP_MIN : w->size;
	if (step > SEAL_STEP_MAX)
		step = SEAL_STEP_MAX;
	uint64_t end = (w->size + step) / SEAL_PAGE * SEAL_PAGE;
	result r = zeros ? OK : failure(FAIL_MEMORY, "out of memory");
	while (!failed(r) && w->size < end)
		r = put(w, w->size, zeros, end - w->size < ZEROS ? (size_t)(end - w->size) : ZEROS);
	w->tight = failed(r);
	if (w->tight && !failed(file_truncate(w->file, before)))
		w->size = before;
}

/* Where the flush is part of it, any failure but a lack of room may be the flush's. */
static result write_blocks(struct wal *w, uint64_t at, str blocks, bool flush)
{
	result r = file_write_blocks(w->file, at, blocks, flush);
	if (failed(r) && flush && r.kind != FAIL_FULL)
		w->broken = true;
	return r;
}

/* Frames are not whole blocks, so the ends of those before and behind are written with them, as they are. Behind the
 * last frame nothing is worth keeping; and what lies there in memory may be in clear. */
static result put_blocks(struct wal *w, uint64_t end)
{
	uint64_t low = wal_frame_at(w->first) / FILES_BLOCK * FILES_BLOCK;
	uint64_t high = (end + FILES_BLOCK - 1) / FILES_BLOCK * FILES_BLOCK;
	if (end >= wal_frame_at(w->frames))
		memset(w->mirror + (end - WAL_FRAMES_AT), 0, high - end);
	TRY(whole(w));
	/* The flush is one with the write when nothing else waits for it. */
	bool flush = w->ending && !w->dirty && !w->head_due && !w->is_new;
	w->dirty = true;
	TRY(write_blocks(w, low, str_of((const char *)w->mirror + (low - WAL_FRAMES_AT), high - low), flush));
	w->dirty = !flush;
	return OK;
}

/* Blocks only where the file has them: for its end to move is dear in that way. */
static result put_run(struct wal *w, uint32_t count)
{
	uint64_t at = wal_frame_at(w->first), end = wal_frame_at(w->first + count);
	uint32_t mirrored = w->mirrored;
	bool last = w->first + count >= w->frames;
	bool blocks = w->inside && end + FILES_BLOCK <= w->size && (last || w->frames <= mirrored);
	if (w->first < mirrored)
		w->mirrored = w->first; /* until it is known what the file holds */
	TRY(blocks ? put_blocks(w, end) : put(w, at, w->held, end - at));
	if (w->inside)
		w->mirrored = last || mirrored < w->first + count ? w->first + count : mirrored;
	return OK;
}

static result put_held(struct wal *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		must(reserved_is_zero(w->held + (size_t)i * WAL_FRAME));
	if (w->head_due) /* no frame before its header is durable */
		TRY(sync_file(w));
	if (w->twin_due) {
		TRY(put_head(w, !w->durable_slot));
		w->twin_due = false;
	}
	uint32_t count = w->count, ended = w->ended;
	for (uint32_t i = 0; i < count; i++) {
		unsigned char *unit = w->held + (size_t)i * WAL_FRAME;
		if (box_get_u32(unit + 4) != 0)
			ended = w->first + i + 1;
		frame_seal(w, w->first + i, unit);
	}
	bool grows = wal_frame_at(w->first + count) > w->size && !w->tight;
	TRY(put_run(w, count));
	if (grows)
		widen(w);
	if (w->first + count > w->frames)
		w->frames = w->first + count;
	w->ended = ended;
	return OK;
}

/* What was held is gone, also when it could not be put: SQLite takes such a transaction back, and nothing of it may
 * be written with the next one. */
static result flush(struct wal *w)
{
	result r = w->count ? put_held(w) : OK;
	w->count = 0;
	return r;
}

/* Without memory for it the frames go the other way. */
static bool has_mirror(struct wal *w)
{
	if (w->mirror)
		return true;
	w->mirror_space = mem_alloc((size_t)w->window * WAL_FRAME + 2 * FILES_BLOCK);
	if (!w->mirror_space)
		return false;
	w->mirror = w->mirror_space + FILES_BLOCK - (uintptr_t)w->mirror_space % FILES_BLOCK;
	return true;
}

static void drop_mirror(struct wal *w)
{
	mem_free(w->mirror_space);
	w->mirror_space = w->mirror = NULL;
	w->mirrored = 0;
}

static result widen_spare(struct wal *w)
{
	uint32_t room = w->room ? w->room * 2 : 8;
	unsigned char *bigger = mem_grow(w->spare, (size_t)room * WAL_FRAME);
	if (!bigger)
		return failure(FAIL_MEMORY, "out of memory");
	w->spare = bigger;
	w->room = room;
	return OK;
}

static result make_room(struct wal *w, uint32_t number)
{
	if (w->count == SEAL_GATHER_MAX || (w->inside && number >= w->window))
		TRY(flush(w));
	if (w->count == 0)
		w->inside = number < w->window && number <= w->mirrored && has_mirror(w);
	if (!w->inside && w->count >= w->room)
		TRY(widen_spare(w));
	if (!w->inside)
		w->held = w->spare;
	else if (w->count == 0)
		w->held = w->mirror + (size_t)number * WAL_FRAME;
	return OK;
}

/* The frame in clear among those held back. A frame that is already in the
 * file is read first: SQLite may write only its page or only its head. */
static result hold_frame(struct wal *w, uint32_t number, unsigned char **out)
{
	if (w->count > 0 && number >= w->first && number - w->first < w->count) {
		*out = w->held + (size_t)(number - w->first) * WAL_FRAME;
		return OK;
	}
	if (w->count > 0 && number - w->first != w->count)
		TRY(flush(w));
	TRY(make_room(w, number));
	if (w->count == 0) {
		w->first = number;
		frame_forget(w, number); /* also those of a write that failed */
	}
	unsigned char *unit = w->held + (size_t)w->count * WAL_FRAME;
	bool there = false;
	if (number < w->frames)
		TRY(read_frame(w, number, unit, &there));
	if (!there)
		memset(unit, 0, WAL_FRAME);
	if (number < w->ended) /* it will not be what it was */
		w->ended = number;
	if (number < w->synced)
		w->synced = number;
	w->count++;
	*out = unit;
	return OK;
}

/* What SQLite sees. */

static bool locate(uint64_t at, size_t n, uint32_t *number, size_t *inside)
{
	if (at < WAL_HEADER || (at - WAL_HEADER) / WAL_FRAME >= UINT32_MAX)
		return false;
	*number = (uint32_t)((at - WAL_HEADER) / WAL_FRAME);
	*inside = (size_t)((at - WAL_HEADER) % WAL_FRAME);
	return n <= WAL_FRAME - *inside;
}

uint64_t wal_size(const struct wal *w)
{
	uint32_t end = w->count ? w->first + w->count : 0;
	if (end < w->frames)
		end = w->frames;
	return w->head.live ? WAL_HEADER + (uint64_t)end * WAL_FRAME : 0;
}

static result read_head(const struct wal *w, uint64_t at, unsigned char *p, size_t *n)
{
	size_t there = w->head.live && at < WAL_HEADER ? WAL_HEADER - (size_t)at : 0;
	if (*n > there)
		*n = there;
	memcpy(p, w->head.sqlite + at, *n);
	return OK;
}

result wal_read(struct wal *w, uint64_t at, unsigned char *p, size_t *n)
{
	uint32_t number;
	size_t inside;
	if (at < WAL_HEADER)
		return read_head(w, at, p, n);
	if (!locate(at, *n, &number, &inside))
		return failure(FAIL_DISK, "SQLite read the log in a way that the seal does not serve");
	if (w->count > 0 && number >= w->first && number - w->first < w->count) {
		memcpy(p, w->held + (size_t)(number - w->first) * WAL_FRAME + inside, *n);
		return OK;
	}
	if (!w->head.live || number >= w->frames) {
		*n = 0;
		return OK;
	}
	unsigned char unit[WAL_FRAME];
	bool good;
	TRY(read_frame(w, number, unit, &good));
	if (!good)
		return failure(FAIL_DAMAGE, "a frame of the database's log does not authenticate; "
					    "restore from a backup");
	memcpy(p, unit + inside, *n);
	return OK;
}

result wal_write(struct wal *w, uint64_t at, const unsigned char *p, size_t n)
{
	uint32_t number;
	size_t inside;
	unsigned char *unit;
	if (at == 0 && n == WAL_HEADER)
		return new_head(w, p);
	if (!w->head.live || !locate(at, n, &number, &inside))
		return failure(FAIL_DISK, "SQLite wrote the log in a way that the seal does not serve");
	TRY(hold_frame(w, number, &unit));
	memcpy(unit + inside, p, n);
	return OK;
}

result wal_sync(struct wal *w)
{
	w->ending = true;
	result r = flush(w);
	w->ending = false;
	TRY(r);
	TRY(sync_file(w));
	return give_back(w, wal_frame_at(SEAL_LOG_KEEP));
}

/* Cutting to nothing leaves the room and says "empty" in the header. */
result wal_truncate(struct wal *w, uint64_t size)
{
	if (size == 0)
		return w->head.live ? new_head(w, NULL) : OK;
	TRY(flush(w));
	uint64_t frames = size < WAL_HEADER ? 0 : (size - WAL_HEADER) / WAL_FRAME;
	if (frames < w->frames)
		w->frames = (uint32_t)frames;
	frame_forget(w, w->frames);
	if (w->ended > w->frames)
		w->ended = w->frames;
	if (w->synced > w->ended)
		w->synced = w->ended;
	return OK;
}

/* SQLite has synced the log before it carries it over, at FULL and NORMAL;
 * at OFF this does it, for a log whose beginning alone is on disk must never
 * be carried over again by the next open. */
result wal_carry(struct wal *w)
{
	if (!w->head.live || (!w->dirty && w->count == 0 && w->head.floor >= w->ended))
		return OK;
	TRY(wal_sync(w));
	if (w->head.floor >= w->ended)
		return OK;
	uint32_t floor = w->head.floor;
	w->head.floor = w->ended;
	result r = put_head(w, !w->durable_slot);
	if (failed(r)) {
		w->head.floor = floor;
		return r;
	}
	w->head_due = true;
	TRY(sync_file(w));
	w->twin_due = false;
	return OK;
}

void wal_trim(struct wal *w)
{
	if (w->count > 0)
		return;
	mem_free(w->spare);
	w->spare = NULL;
	w->room = 0;
	drop_mirror(w);
	frame_trim(w);
	/* Frames that an older header counts may be cut off only when the newer one is durable. */
	if (!w->head.live && w->size > SEAL_LOG_REST && !failed(sync_file(w)))
		(void)!failed(give_back(w, SEAL_LOG_REST));
}

void wal_close(struct wal *w)
{
	(void)!failed(flush(w)); /* nothing is held back here unless SQLite was told not to sync */
	w->count = 0;
	mem_free(w->spare);
	drop_mirror(w);
	frame_trim(w);
	file_close(&w->file);
}

/* Chooses between the slots. `other` tells that the slot which was not chosen does not open. */
static result choose_head(struct wal *w, bool salvage, bool *other)
{
	struct wal_head head[2];
	bool good[2] = {get_head(w, 0, &head[0]), get_head(w, 1, &head[1])};
	unsigned best = good[1];
	if (good[0] && good[1])
		best = head[1].generation > head[0].generation ||
		       (head[1].generation == head[0].generation && head[1].floor > head[0].floor);
	*other = !good[!best];
	if (good[best]) {
		w->head = head[best];
		w->durable_slot = best;
		w->durable_generation = w->head.generation;
		return OK;
	}
	*other = false;
	if (w->size > WAL_FRAMES_AT && !salvage)
		return failure(FAIL_DAMAGE, "both headers of the database's log are damaged; restore from a backup");
	/* A log that was never used, or is given up. The number starts at random, so that frames of a
	 * log which was here before never fit. */
	unsigned char draw[BOX_NONCE];
	box_nonce(w->box, draw);
	w->durable_generation = box_get_u64(draw) >> 2;
	w->durable_slot = 1;
	w->head = (struct wal_head){.generation = w->durable_generation, .layout = WAL_LAYOUT};
	return OK;
}

/* What this open relies on must not be lost by the next crash. It may be in the
 * machine's memory alone, and after a sync that failed no later one writes it,
 * unless it is written again: the same bytes, so that nothing can tear. */
static result write_again(struct wal *w)
{
	uint64_t end = wal_frame_at(w->ended);
	AUTO_MEM char *p = mem_alloc(AGAIN);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	if (end > w->size)
		end = w->size;
	for (uint64_t at = 0; at < end;) {
		size_t n = end - at < AGAIN ? (size_t)(end - at) : AGAIN;
		TRY(file_read(w->file, at, p, &n));
		if (n == 0)
			return failure(FAIL_DISK, "the database's log became shorter while it was read");
		TRY(file_write(w->file, at, str_of(p, n)));
		at += n;
	}
	return end > 0 ? file_sync(w->file) : OK;
}

result wal_open(struct wal *w, bool salvage)
{
	bool other = false;
	TRY(file_size(w->file, &w->size));
	TRY(choose_head(w, salvage, &other));
	TRY(wal_scan(w, other, salvage));
	TRY(write_again(w));
	w->twin_due = w->head.live;
	w->synced = w->ended;
	return OK;
}
