/* The operator's databases of countries and networks (run/places.h), as sealed
 * memory that the rooms which look addresses up are given.
 *
 * Read at the start, and again when a file was replaced: databases_look is called
 * every DATABASES_LOOK_MS and takes a file once it stayed the same between two
 * looks, so that one that is being written is left alone. A file that went away
 * or is none counts for nothing; the rooms keep what they have. Reading blocks. */
#ifndef SUPERVISOR_DATABASES_H
#define SUPERVISOR_DATABASES_H

#include <sys/stat.h>

#include "config/options.h"

enum { DATABASES = 2, DATABASES_LOOK_MS = 1000 };

struct database_file {
	const char *path; /* of the options */
	int fd;           /* sealed memory; -1: there is none */
	struct stat taken, seen;
};

struct databases {
	struct database_file of[DATABASES]; /* countries, networks */
};

/* INPUT, ABSENT, DISK, MEMORY. The options live longer. */
result databases_open(struct databases *d, const struct options *o) NODISCARD;
void databases_close(struct databases *d);
bool databases_any(const struct databases *d);
bool databases_look(struct databases *d); /* something new was taken */

/* Whether the file looks like a MaxMind DB: its mark is there. INPUT, ABSENT, DENIED. */
result databases_check(str path) NODISCARD;

#endif
