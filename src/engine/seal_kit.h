/* For the sealed database's tests only: a database on a disk in memory and a
 * workload that can be computed anew. Turn n writes some of 24 slots (the
 * table slot: n, turn, body) with bodies that follow from n alone, so that
 * what must be there after turn n needs no record of it.
 *
 * The caller owns each struct sim and each struct db it gets; a database is
 * closed before its disk is freed. The files are "t.db" and "t.db-wal". What
 * is not a `result` ends the test when it fails. */
#ifndef ENGINE_SEAL_KIT_H
#define ENGINE_SEAL_KIT_H

#include "base/test.h"
#include "engine/db.h"
#include "engine/files_sim.h"
#include "engine/seal_wal.h"

extern const unsigned char kit_key[BOX_KEY], kit_id[BOX_ID];

int kit_start(void **state); /* the group's setup */

/* A log that is carried over after 30 frames; borrow the disk. */
struct db_options kit_options(struct sim *sim);
result kit_open(struct sim *sim, struct db **out) NODISCARD;

/* One transaction; when it fails it was rolled back. */
result kit_turn(struct db *db, int64_t turn) NODISCARD;
/* The database holds exactly what the turns 1..last wrote; `last` is read from it. */
void kit_expect_turns(struct db *db, int64_t *last);

/* A new database, open, whose log holds the turns 1..turns and no checkpoint has carried over. */
struct db *kit_logged(struct sim *sim, int64_t turns);
/* As after kill -9: the files are as they are, the connection is gone. */
void kit_copy(struct sim *from, struct sim *to);
struct sim *kit_killed_after(int64_t turns); /* what kit_logged leaves then */

/* Of a log's bytes, in frames: the room, and what is written (without the zeros behind). */
size_t kit_room_in(str log);
size_t kit_frames_in(str log);

#endif
