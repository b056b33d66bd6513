/* What an intruder inside a room would try.
 *
 * `attempts` is the table; each row is one system call. Its arguments are
 * numbers, or one of the places below, which the intruder fills in. */
#ifndef TESTS_JAIL_INTRUDER_H
#define TESTS_JAIL_INTRUDER_H

#include <stddef.h>
#include <stdint.h>

enum place {
	PLACE_NONE,
	PLACE_OUTSIDE, /* a file anybody may read and write */
	PLACE_OTHER,   /* a file of another account or room */
	PLACE_NEW,     /* a name beside the first that is free */
	PLACE_FOLDER,  /* where the first lies */
	PLACE_UP,      /* out of the room's own folder */
	PLACE_PASSWD,
	PLACE_MEMORY,  /* /proc/self/mem */
	PLACE_SHELL,
	PLACE_HERE,    /* "." */
	PLACE_EMPTY,   /* "" */
	PLACE_ATTRIBUTE,
	PLACE_ZEROS,   /* 256 octets of 0 */
	PLACES,
};

#define AT(PLACE) (0x7f00505354000000ULL | (uint64_t)(PLACE))
#define OTHER_PROCESS 0x7f00505355000000ULL /* the number of another process */

struct attempt {
	const char *name;
	long call;
	uint64_t args[6];
};

extern const struct attempt attempts[];
extern const size_t attempts_n;

#endif
