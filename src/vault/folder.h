/* Folders of keys, which ours alone writes. Blocks. */
#ifndef VAULT_FOLDER_H
#define VAULT_FOLDER_H

#include "base/arena.h"

enum { FOLDER_NAMES_MAX = 64 << 20 }; /* octets of names: a million keys */

struct folder_names {
	str *p; /* in the arena */
	size_t n;
};

/* All but those that begin with a dot or are on their way (".new"). DISK, MEMORY. */
result folder_names(int folder, arena *a, struct folder_names *out) NODISCARD;
/* Calls `each` for all of these, on a turn of the loop of its own; its error ends the walk. Suspends. */
result folder_each(int folder, result (*each)(void *ctx, str name), void *ctx) NODISCARD;

/* A principal's or a key's name as a file's: 1 to FOLDER_NAME_MAX letters, digits and hyphens, so that it leads
 * nowhere else. INPUT. */
enum { FOLDER_NAME_MAX = 64 };
struct folder_name {
	char p[FOLDER_NAME_MAX + 1];
};
result folder_name_of(str name, struct folder_name *out) NODISCARD;

/* A file of exactly n octets, at most FOLDER_FILE_MAX; no copy stays behind. ABSENT, DISK, DAMAGE for another size. */
enum { FOLDER_FILE_MAX = 255 };
result folder_read(int at, const char *name, unsigned char *p, size_t n) NODISCARD;

/* The file `from` takes the place of `to`, which is destroyed for good. A crash leaves `to` as it was, or `from` in
 * its place. ABSENT, DISK (also above FOLDER_DESTROYED_MAX). */
result folder_replace(int at, const char *from, const char *to) NODISCARD;
/* Destroys a file for good, and what a crash left on its way to its place: zeros over them first, because a file
 * system that writes in place keeps no copy then. ABSENT, DISK (also above FOLDER_DESTROYED_MAX). */
enum { FOLDER_DESTROYED_MAX = 8192 };
result folder_destroy(int at, const char *name) NODISCARD;

#endif
