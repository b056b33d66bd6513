/* Room on the disk for who deletes: the ballast (engine/ballast.h) is made as the
 * database is about to grow, and a full disk that has none takes no more letters.
 *
 * What counts is the database as it was when somebody looked, and the octets that
 * came since; those of removed messages are used anew. */
#ifndef ACCOUNT_STORE_ROOM_H
#define ACCOUNT_STORE_ROOM_H

#include "engine/db.h"
#include "engine/files.h"

struct store;

struct room {
	uint64_t ballast;  /* its octets */
	uint64_t database; /* octets at that time, */
	uint64_t content;  /* and of the account's messages */
};

enum {
	ROOM_PER_MESSAGE = 1024, /* octets of a message's rows beside its own */
	ROOM_PAGES = 256,        /* of free ones as many are given back to the disk at once */
};

/* Store thread. FULL: the ballast is as it was. */
result room_make(struct files *f, struct db *db, uint64_t more, struct room *out) NODISCARD;
/* On the loop: */
void room_is_for(struct store *s, const struct room *r); /* what room_make said, of the account as it is */
bool room_is_enough(const struct store *s, uint64_t more); /* with what is kept, and so many octets more */
result room_grow(struct store *s, uint64_t more) NODISCARD; /* FULL; suspends */
/* The log is carried over so that it can be used anew: it has room of its own. Suspends. */
result room_let_go(struct store *s) NODISCARD;

#endif
