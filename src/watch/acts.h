/* Measures that concern an account: passed on to auth, which carries them out and
 * remembers them. Asking never waits; one fiber asks auth, again while it does not
 * answer. What waits is lost with this process: its detector asks again. */
#ifndef WATCH_ACTS_H
#define WATCH_ACTS_H

#include "base/fail.h"
#include "watch/measures.h"

enum { ACTS_WAITING = 1000, ACTS_RETRY_MS = 1000, ACTS_ANSWER_MS = 20000 };

struct acts;

result acts_open(struct acts **out) NODISCARD; /* on a fiber */
/* NOTICE and HOLD, which without `contains` is a notice. Beyond ACTS_WAITING it is dropped and counted. */
void acts_take(struct acts *a, const struct measure *m, bool contains);
void acts_close(struct acts **a); /* suspends */

#endif
