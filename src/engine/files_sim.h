/* A disk in memory that forgets, for tests only: every write that was not
 * synced may be lost, kept or torn by a crash, names that were not synced may
 * come back or vanish, and the N-th operation can fail.
 *
 * Blocks are 4096 bytes; a torn block keeps a run of new 512-byte sectors at
 * its front or its back. Names are lost from the newest on (the folder's own
 * journal keeps their order). */
#ifndef ENGINE_FILES_SIM_H
#define ENGINE_FILES_SIM_H

#include "engine/files.h"

enum sim_fault {
	SIM_NONE,
	SIM_REFUSE, /* one operation answers DISK; half of a write is done; what a sync did not write is never written */
	SIM_FULL,   /* from here on no write finds room; half of the first is done */
	SIM_FULL_COPYING, /* the same where every write needs room, as on file systems that copy on write */
	SIM_FULL_ONCE, /* one write finds no room, and nothing of it is done */
	SIM_FULL_SYNC, /* as REFUSE, but a sync answers FULL */
	SIM_CRASH,  /* the machine stops in the middle of this operation */
};

struct sim;

struct sim *sim_new(uint64_t seed);
void sim_free(struct sim **sim);
struct files *sim_files(struct sim *sim);

/* The N-th write, sync, truncate, rename, unlink or new name from now. */
void sim_fault_at(struct sim *sim, enum sim_fault fault, uint64_t n);
bool sim_dead(const struct sim *sim);
uint64_t sim_steps(const struct sim *sim); /* operations counted since sim_fault_at */
void sim_crash(struct sim *sim);           /* power off and on again; all files must be closed */
void sim_restart(struct sim *sim);         /* only the process had ended: what it wrote is there; the same */

/* The bytes of a file as they are, to be looked at and damaged; p is NULL when absent. */
str sim_bytes(struct sim *sim, const char *name);
void sim_put(struct sim *sim, const char *name, str bytes); /* the whole file, durably */
uint64_t sim_random(uint64_t *state);

#endif
