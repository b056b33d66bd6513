/* A fiber that works for its owner until that closes, and how the two agree on the end.
 *
 * Who gives it work wakes `changed`, where others may wait too. It looks at `closing`
 * when nothing is left to do, and calls keeper_ends last of all. */
#ifndef WATCH_KEEPER_H
#define WATCH_KEEPER_H

#include "run/fiber.h"

enum { KEEPER_LULL_MS = 3000 };

struct keeper {
	struct gate changed;
	bool closing, ended;
};

static inline void keeper_init(struct keeper *k)
{
	*k = (struct keeper){.closing = false};
	gate_init(&k->changed);
}

/* Waits for work; suspends. TIMEOUT: a lull has begun, and the memory that the owner `holds` for its work can go. */
static inline result keeper_wait(struct keeper *k, bool holds)
{
	return gate_wait(&k->changed, holds ? KEEPER_LULL_MS : FIBER_FOREVER);
}

static inline void keeper_ends(struct keeper *k)
{
	k->ended = true;
	gate_wake_all(&k->changed);
}

/* Of one whose fiber was started; suspends until that has ended. */
static inline void keeper_close(struct keeper *k)
{
	k->closing = true;
	gate_wake_all(&k->changed);
	while (!k->ended && !failed(gate_wait(&k->changed, FIBER_FOREVER)))
		;
	must(k->ended); /* watch stops before its fibers are cancelled */
}

#endif
