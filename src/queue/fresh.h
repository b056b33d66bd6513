/* Letters that came just now, with their sealed octets, so that who carries
 * them on need not read them back: a copy of what the rows say.
 *
 * A turn that is `all_fresh` has everything of it that waits here, in the order
 * in which it was kept. Whatever else happens to its rows ends that: the copies
 * are dropped, and the rows are asked, until a look at them finds no more.
 * Bounded by letters and octets. Nothing suspends; without memory the rows are
 * asked. */
#ifndef QUEUE_FRESH_H
#define QUEUE_FRESH_H

#include "queue/mail_core.h"

enum { FRESH_LETTERS = 128, FRESH_OCTETS = 2 << 20 };

/* After the commit: the message's one recipient waits in this turn. */
void fresh_keep(struct queue *q, const struct posting *p, struct turn *turn);
/* Of an all_fresh turn, as mail_take: n 0 where nothing of it waits. */
void fresh_take(struct queue *q, struct turn *turn, struct parcel *out, uint64_t *at);
void fresh_drop(struct queue *q, struct turn *turn);
void fresh_free(struct queue *q); /* all, at the end */

#endif
