/* A file that holds room on the disk, so that deleting still works when it is
 * full: let go when a delete finds no room, made again when there is some.
 *
 * A delete first writes to the log, and the log can be used anew only after it
 * was carried over to the database, which may have to grow by as many pages. So
 * the ballast follows the database's size, up to what a whole log needs.
 * Calls block on the disk; nothing suspends a fiber. */
#ifndef ENGINE_BALLAST_H
#define ENGINE_BALLAST_H

#include "engine/files.h"

enum { BALLAST_MIN = 256 * 1024, BALLAST_MAX = 2304 * 1024 };

/* For a database of that many bytes. OK when it is there already; FULL leaves what there was. `size`: what there is. */
result ballast_make(struct files *f, uint64_t database, uint64_t *size) NODISCARD;
result ballast_drop(struct files *f) NODISCARD; /* ABSENT when there was none */

#endif
