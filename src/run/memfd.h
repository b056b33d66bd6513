/* Bytes in memory behind a descriptor: how a large body travels between rooms.
 *
 * The sender writes, seals and sends it; a sealed one can be changed by nobody
 * any more, so the receiver's map neither shifts under a parser nor faults.
 * The receiver checks the seals before it maps. The caller owns descriptors
 * and maps. Nothing suspends. */
#ifndef RUN_MEMFD_H
#define RUN_MEMFD_H

#include <stdint.h>

#include "base/fail.h"
#include "base/str.h"

result memfd_create_empty(const char *name, int *fd) NODISCARD; /* LIMIT (descriptors), MEMORY */
result memfd_append(int fd, str bytes) NODISCARD;               /* MEMORY */
result memfd_seal(int fd) NODISCARD; /* from now on nobody can write, grow or shrink it */
result memfd_of(str bytes, int *fd) NODISCARD; /* create, append and seal */

/* PEER when it is no sealed memfd or larger than max; *size otherwise. */
result memfd_check(int fd, uint64_t max, uint64_t *size) NODISCARD;
/* The pages are there: to map them at once spares who reads them a fault for each, or for a few; who passes them on
 * does without. */
enum memfd_for { MEMFD_READING, MEMFD_CARRYING };
/* Checks as above and maps it read-only. An empty one gives an empty view. */
result memfd_map(int fd, uint64_t max, enum memfd_for what, str *out) NODISCARD;
void memfd_unmap(str *view);

/* Memory that one room goes on writing while others read it. Whoever makes it gives
 * the descriptor to the writer, which maps it and closes it to all others: from then
 * on nobody, not even with the descriptor, can write, map it for writing, grow or
 * shrink it. Readers check that. What is in it is the writer's word and no more. */
result memfd_window_make(const char *name, size_t size, int *fd) NODISCARD; /* all zero */
result memfd_window_write(int fd, size_t size, void **out) NODISCARD;       /* CONFLICT: it has a writer; PEER */
bool memfd_window_is_shut(int fd, size_t size);
result memfd_window_read(int fd, size_t size, const void **out) NODISCARD;  /* PEER: not shut, or another size */
void memfd_window_unmap(const void *p, size_t size);                        /* NULL is fine */

#endif
