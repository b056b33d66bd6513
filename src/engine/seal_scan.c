/* What an open finds in the log: where it ends, and whether it ended there by
 * itself. See seal.h for what can be told and what can't. */
#include "engine/seal_frame.h"
#include "base/mem.h"

enum { CHUNK = 32 };

struct scan {
	struct wal *w;
	bool suspect;       /* the newest header may be lost: look for its frames */
	bool over;          /* the log's end was passed */
	bool next;          /* a frame of the next generation was seen */
	uint32_t durable;   /* the greatest count that a frame behind the end vouches for */
	uint32_t sum[2];    /* SQLite's running checksum */
	unsigned char spare[WAL_FRAME];
};

static uint32_t big_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* SQLite's WAL checksum (fileformat2, "Checksum Algorithm"). */
static void add_sum(uint32_t sum[2], bool big, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		sum[0] += (big ? big_u32(p + i) : box_get_u32(p + i)) + sum[1];
		sum[1] += (big ? big_u32(p + i + 4) : box_get_u32(p + i + 4)) + sum[0];
	}
}

static bool follows(struct scan *s, const unsigned char *unit)
{
	bool big = s->w->head.sqlite[3] & 1;
	add_sum(s->sum, big, unit, 8);
	add_sum(s->sum, big, unit + WAL_FRAME_HEAD, SEAL_PAGE);
	return s->sum[0] == big_u32(unit + 16) && s->sum[1] == big_u32(unit + 20) && big_u32(unit) != 0;
}

/* A frame that is ours is the log's next one, or vouches for what was durable before it. */
static void judge(struct scan *s, uint32_t number, const unsigned char *unit, bool good)
{
	struct wal *w = s->w;
	uint32_t durable = box_get_u32(unit + 8);
	if (!s->over && good && follows(s, unit)) {
		w->frames = number + 1;
		if (box_get_u32(unit + 4) != 0)
			w->ended = w->frames;
		return;
	}
	if (durable > s->durable)
		s->durable = durable;
	s->over = true;
}

static result look(struct scan *s, uint32_t number, unsigned char *unit)
{
	struct wal *w = s->w;
	enum frame_state state = FRAME_STRANGE;
	if (s->suspect)
		memcpy(s->spare, unit, WAL_FRAME);
	if (w->head.live)
		TRY(frame_open(w, number, unit, &state));
	if (state != FRAME_STRANGE) {
		judge(s, number, unit, state == FRAME_GOOD);
		return OK;
	}
	if (s->suspect)
		s->next = s->next || frame_is_next(w, number, s->spare);
	s->over = true;
	return OK;
}

static result scan_file(struct scan *s, unsigned char *chunk)
{
	uint32_t number = 0;
	for (size_t n = (size_t)CHUNK * WAL_FRAME; n == (size_t)CHUNK * WAL_FRAME;) {
		TRY(file_read(s->w->file, wal_frame_at(number), chunk, &n));
		for (size_t i = 0; i + WAL_FRAME <= n; i += WAL_FRAME)
			TRY(look(s, number++, chunk + i));
	}
	return OK;
}

result wal_scan(struct wal *w, bool suspect, bool salvage)
{
	struct scan s = {.w = w, .suspect = suspect, .durable = w->head.floor};
	w->frames = w->ended = 0;
	if (!w->head.live && !suspect)
		return OK;
	s.sum[0] = big_u32(w->head.sqlite + 24);
	s.sum[1] = big_u32(w->head.sqlite + 28);
	AUTO_MEM unsigned char *chunk = mem_array(CHUNK, WAL_FRAME);
	if (!chunk)
		return failure(FAIL_MEMORY, "out of memory");
	TRY(scan_file(&s, chunk));
	if (salvage)
		return OK;
	if (s.next)
		return failure(FAIL_DAMAGE, "the newest header of the database's log is damaged; restore from a "
					    "backup, or open with salvage to go back to before it");
	if (s.durable > w->ended)
		return failure(FAIL_DAMAGE, "the database's log is damaged before transactions that were kept; "
					    "restore from a backup, or open with salvage to keep what is before it");
	return OK;
}
