/* Small files: keys, counters, certificates, configuration. Databases and
 * bodies have their own seam in the engine layer.
 *
 * Calls block (small files on a local disk); at start or on a worker. Paths
 * are operator's or our own, never a client's. `at` is a directory descriptor
 * or AT_FDCWD. */
#ifndef RUN_FILES_H
#define RUN_FILES_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends the whole file; ABSENT, DENIED, DISK, or LIMIT above the buf's max. */
result file_load(const char *path, buf *out) NODISCARD;
result file_read_at(int at, const char *path, buf *out) NODISCARD;
/* Puts it in place whole or not at all, durable when OK is returned: a
 * temporary beside it is written, synced and renamed, then the directory is
 * synced. FULL, DENIED, DISK. */
result file_write_at(int at, const char *path, str bytes, mode_t mode) NODISCARD;
result dir_make_at(int at, const char *path, mode_t mode) NODISCARD; /* OK when it is there already */
result dir_open_at(int at, const char *path, int *fd) NODISCARD;

#endif
