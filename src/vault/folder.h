/* The names in a folder of keys. Blocks; ours alone writes there. */
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

#endif
