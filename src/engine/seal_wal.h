/* The sealed write-ahead log: what SQLite sees as its WAL file.
 *
 * SQLite sees a header of 32 bytes and frames of 24 + 4096 bytes. On disk:
 * two header slots (at 0 and 4096), then from 8192 on places of 4120 bytes,
 * each with one frame (seal_frame.h). The file is kept and written over, so old frames lie
 * behind the new ones; each is bound to its number and to the generation, a
 * number that grows with each new start of the log. Behind all frames lie
 * zeros: the file grows in steps, so that few flushes have to write its size.
 *
 * If a slot of generation g is durable, every frame of g was written after
 * it, and the log of g-1 had been carried over whole into a durable database.
 * A header goes to the slot that is not the durable one. Each frame names the
 * count of frames (whole transactions) that were durable when it was written, in place of
 * SQLite's salts, which are the header's: that is how damage is told from a
 * torn write. Before the database file is written the slot's `floor` says
 * durably how many frames may be in it. */
#ifndef ENGINE_SEAL_WAL_H
#define ENGINE_SEAL_WAL_H

#include "engine/seal.h"

enum {
	WAL_HEADER = 32,
	WAL_FRAME_HEAD = 24,
	WAL_FRAME = WAL_FRAME_HEAD + SEAL_PAGE,
	WAL_SLOT = 56 + BOX_SPARE,
	WAL_SLOT_AT = 4096, /* of the second slot */
	WAL_FRAMES_AT = 8192,
	WAL_LAYOUT = 3, /* of the frames in a log that is begun now */
};

struct wal_head {
	uint64_t generation;
	uint32_t floor;
	bool live;       /* false: the log is empty */
	unsigned layout; /* 1: every page whole; 2: the zeros behind the sealed unit */
	unsigned char sqlite[WAL_HEADER];
};

struct wal {
	struct file *file;
	struct box *box;
	struct wal_head head;
	unsigned durable_slot;
	uint64_t durable_generation;
	bool head_due;   /* head was written to the other slot and not synced */
	bool head_torn;  /* the last header was not written, or half */
	bool twin_due;   /* the other slot still holds an older header */
	bool dirty;      /* something was written since the last sync; false: all is durable up to `ended` */
	bool ending;     /* a sync follows what is written */
	bool is_new;     /* the file's name is not durable yet */
	bool tight;      /* the disk had no room to spare */
	bool broken;     /* a sync failed: what is on disk is unknown */
	uint32_t frames; /* of this generation, in the file */
	uint32_t ended;  /* of those, up to the end of the last transaction */
	uint32_t synced; /* of those, durable */
	uint64_t size;   /* of the file */
	/* Frames held back, in clear: [first, first + count), in the mirror when `inside`, else in `spare`. */
	uint32_t first, count, room; /* room: of `spare` */
	bool inside;
	unsigned char *held, *spare;
	/* The first `mirrored` frames as they are in the file, of at most `window`: what is written whole blocks at a
	 * time needs its neighbours, and what the system keeps no copy of is read here. */
	uint32_t window, mirrored;
	unsigned char *mirror, *mirror_space; /* the former is aligned */
	struct bases *bases; /* seal_frame.c's; NULL: none */
};

/* Takes the open file; reads and judges it. DAMAGE unless salvage. */
result wal_open(struct wal *w, bool salvage) NODISCARD;
void wal_close(struct wal *w); /* writes what is held back, frees, closes the file */

uint64_t wal_size(const struct wal *w); /* as SQLite sees it */
result wal_read(struct wal *w, uint64_t at, unsigned char *p, size_t *n) NODISCARD;
result wal_write(struct wal *w, uint64_t at, const unsigned char *p, size_t n) NODISCARD;
result wal_sync(struct wal *w) NODISCARD;
result wal_truncate(struct wal *w, uint64_t size) NODISCARD;
result wal_carry(struct wal *w) NODISCARD; /* before the database file is written */
void wal_trim(struct wal *w); /* an empty log also gives room back */

/* For the files of the log. */
uint64_t wal_frame_at(uint32_t number);
/* A frame's bytes as they are in the file; not `there` behind its end. */
result wal_raw(struct wal *w, uint32_t number, unsigned char *unit, bool *there) NODISCARD;
/* Finds the log's end: sets frames and ended. `suspect`: the other slot does not open. */
result wal_scan(struct wal *w, bool suspect, bool salvage) NODISCARD;

#endif
