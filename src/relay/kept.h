/* Open sessions that nobody uses now, to be used again: by host, policy and login.
 *
 * Owns what it keeps. Bounded in number and time (limits.h); the oldest goes
 * first, with QUIT. Zero it to begin. */
#ifndef RELAY_KEPT_H
#define RELAY_KEPT_H

#include "base/hash.h"
#include "base/list.h"
#include "run/fiber.h"

struct session;

struct kept {
	struct hash by_key; /* the newest session of a key; others hang on its ring `same` */
	struct list all;    /* oldest first */
	size_t n;
	bool open, sweeping;
	struct gate closing;
};

void kept_open(struct kept *k);
/* One that is still there, or NULL. Not suspending. */
struct session *kept_take(struct kept *k, str key);
/* Takes the session; ends it where it cannot be kept. Suspends. */
void kept_put(struct kept *k, str key, struct session **s);
void kept_close(struct kept *k); /* QUIT to all. Suspends */

#endif
