/* A sealed database under another key: each of its pages opened and sealed anew
 * into a second file, which the caller puts into the first one's place.
 *
 * The database is closed and its log carried over (db_checkpoint). Calls block
 * on the disk and are made where nobody waits. DISK, FULL, DAMAGE, MEMORY. */
#ifndef ENGINE_RESEAL_H
#define ENGINE_RESEAL_H

#include "engine/files.h"
#include "engine/seal_box.h"

struct resealing {
	const char *from, *to;     /* paths; `to` is made, or written over */
	const unsigned char *key;  /* BOX_KEY bytes that open it */
	const unsigned char *next; /* BOX_KEY bytes to seal it with */
	const unsigned char *id;   /* BOX_ID bytes of the database */
};
/* Durable when it returns OK. */
result reseal(struct files *f, const struct resealing *r) NODISCARD;

/* Does the database's first page open by this key? ABSENT: there is none. */
struct reseal_key {
	const unsigned char *key, *id;
};
result reseal_opens(struct files *f, const char *path, const struct reseal_key *k, bool *out) NODISCARD;

#endif
