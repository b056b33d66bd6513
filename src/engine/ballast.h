/* A file that holds room on the disk, so that deleting still works when it is
 * full: let go when a delete finds no room, made again when there is some.
 *
 * Calls block on the disk; nothing suspends a fiber. */
#ifndef ENGINE_BALLAST_H
#define ENGINE_BALLAST_H

#include "engine/files.h"

enum { BALLAST_SIZE = 256 * 1024 };

result ballast_make(struct files *f) NODISCARD; /* OK when it is there already; FULL leaves none */
result ballast_drop(struct files *f) NODISCARD; /* ABSENT when there was none */

#endif
