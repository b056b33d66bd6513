/* One frame of the sealed log, on its way to the disk and back.
 *
 * In memory a frame is what SQLite sees: a head of 24 bytes and the page. Most
 * pages that a commit writes have changed by a few octets only, so on disk
 * lies what differs from the page's base, the last frame of this log that
 * held the page whole; where there is none, from a page of zeros:
 *
 *   zeros     up to WAL_FRAME
 *   n bytes   page number, size after commit, frames durable (u32 each), SQLite's
 *             checksum (8); then the page whole when n is FRAME_WHOLE, else the
 *             base's number + 1 (u32; 0: zeros) and runs: u16 place, u16 length, octets
 *   u16       n, the length of the sealed unit, which is bound to it too
 *
 * So a commit is whole only with the last octet that was written for it: what a
 * full disk took of one that was refused, by whole blocks, never opens.
 * A base has no base itself, and belongs to a transaction that had ended before:
 * SQLite writes the frames of such a one never again. When what was written
 * against a base adds up to a page, the page is written whole anew. Logs of older
 * layouts (wal_head.layout) have n and the unit first and the zeros behind, or
 * every page whole.
 *
 * Bases are kept in clear, FRAME_BASES at most, until wal_trim; without memory
 * for them pages are written whole. */
#ifndef ENGINE_SEAL_FRAME_H
#define ENGINE_SEAL_FRAME_H

#include "engine/seal_wal.h"

enum {
	FRAME_BASES = 32,
	FRAME_HEAD = 20,
	FRAME_WHOLE = FRAME_HEAD + SEAL_PAGE - SEAL_RESERVED + BOX_SPARE,
};

enum frame_state {
	FRAME_STRANGE,  /* not sealed for this place: torn, damaged, older; the bytes are lost */
	FRAME_BASELESS, /* authentic, but its base does not open */
	FRAME_GOOD,
};

/* In place: `unit` has WAL_FRAME bytes. */
void frame_seal(struct wal *w, uint32_t number, unsigned char *unit);
/* In place: afterwards, in place of the salts, the count of frames that were durable (u32) and zeros. */
result frame_open(struct wal *w, uint32_t number, unsigned char *unit, enum frame_state *state) NODISCARD;
/* Whether it was sealed for the generation after the log's; the bytes are lost. */
bool frame_is_next(const struct wal *w, uint32_t number, unsigned char *unit);

void frame_forget(struct wal *w, uint32_t from); /* frames from this number on are bases no more */
void frame_trim(struct wal *w);

#endif
