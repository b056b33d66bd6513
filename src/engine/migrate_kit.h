/* What the tests of migrations share: a database that each earlier version left
 * behind, in that version's own words, is brought forward. Tests only. */
#ifndef ENGINE_MIGRATE_KIT_H
#define ENGINE_MIGRATE_KIT_H

#include "engine/db.h"

struct migrate_from {
	const struct db_schema *schema;
	const char *const *earlier; /* what a database of version 1, 2, ... held, as SQL */
	size_t earlier_n;
	void (*look)(struct db *db); /* at what has become of it */
};

/* Also with every operation of the first opening failing, out of room, or cut off
 * by a crash, after which the next one must find what was there; and no version is
 * without a row. Asserts. */
void migrate_all(const struct migrate_from *m);

#endif
