/* Pages on their way into the database's file: neighbours are written together.
 *
 * What is carried over from the log is mostly a mailbox's newest pages, one behind
 * the other, and each would be a call of its own. A page
 * waits here, sealed, until one comes that does not follow it, or whoever reads,
 * measures or flushes the file has them written first. A write that fails then was
 * another page's too: that is nobody's loss, as the log keeps all of them until
 * they are durable. */
#ifndef ENGINE_SEAL_RUN_H
#define ENGINE_SEAL_RUN_H

#include "engine/files.h"
#include "engine/seal.h"
#include "engine/seal_box.h"

enum { SEAL_RUN_MAX = 16 }; /* pages of one write */

struct seal_run {
	struct file *file; /* borrowed */
	uint64_t at;       /* of the first, in octets */
	size_t n;          /* pages that wait */
	unsigned char *space; /* NULL: nothing waits */
};

/* Seals a copy of the page. DISK, FULL: of what had waited; MEMORY: of this page. */
result seal_run_put(struct seal_run *run, struct box *box, uint64_t at, const unsigned char *page) NODISCARD;
/* Writes what waits and gives the memory back. What could not be written is forgotten. */
result seal_run_end(struct seal_run *run) NODISCARD;

#endif
