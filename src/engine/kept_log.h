/* Records that are durable before the commit that takes them in: a sealed file beside a database.
 *
 * The file is units, each at a multiple of FILES_BLOCK: u32 octets, u32 0, u64
 * generation; then so many octets sealed (seal_box.h), bound to their place and
 * generation; then zeros up to the next multiple. Those of one generation follow
 * each other from the first octet on. What lies behind the last one is room:
 * zeros that were really written, or units of older generations, which open as
 * none of this one.
 *
 * A unit that does not open ends them, as one that a crash tore; where another of
 * that generation opens behind it, it was damaged: DAMAGE, and nothing is cut off
 * (with `salvage` those that open are given). Not noticed: damage to the last
 * one, a file that was cut off or put back.
 *
 * One thread at a time; calls block on the disk. Nothing suspends. */
#ifndef ENGINE_KEPT_LOG_H
#define ENGINE_KEPT_LOG_H

#include "engine/files.h"
#include "engine/seal_box.h"

enum {
	KEPT_ROOM = 512 << 10,    /* the file's octets at most */
	KEPT_STEP = 64 << 10,     /* by which it grows */
	KEPT_UNIT_MAX = 32 << 10, /* a unit's, with its head and zeros */
	KEPT_HEAD = 16,
	KEPT_RECORD_MAX = KEPT_UNIT_MAX - KEPT_HEAD - BOX_SPARE,
};

struct kept_log;

struct kept_log_plan {
	struct files *files;
	const char *path;         /* outlives it */
	const unsigned char *key; /* BOX_KEY and */
	const unsigned char *id;  /* BOX_ID octets: the database's; copied */
	bool salvage;
};
result kept_log_new(const struct kept_log_plan *plan, struct kept_log **out) NODISCARD; /* touches no file */
void kept_log_free(struct kept_log **l);

/* Looks what there is of that generation, and makes sure of it once more: what a process wrote that died may be only in
 * the system's memory (on a full disk it stays there). ABSENT: nothing. */
result kept_log_find(struct kept_log *l, uint64_t generation) NODISCARD;
/* Each record of this generation in order; its error ends it and is returned. */
result kept_log_read(struct kept_log *l, result (*each)(void *ctx, str record), void *ctx) NODISCARD;
/* Durable when OK. LIMIT: it is too long, or there is no room before the next generation; FULL: no room on the disk;
 * nothing was done. Any other failure: nobody knows. */
result kept_log_add(struct kept_log *l, str record) NODISCARD;
void kept_log_begin(struct kept_log *l, uint64_t generation); /* which has nothing yet */
void kept_log_trim(struct kept_log *l);                       /* gives memory back */

#endif
