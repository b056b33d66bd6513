/* The process's one loop: it runs fibers and callbacks until the last fiber
 * has returned.
 *
 * Call loop_open once, before the first fiber and before the jail; then start
 * fibers, then loop_run. Nothing here suspends. */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include "base/fail.h"

result loop_open(void) NODISCARD; /* MEMORY, LIMIT (descriptors) */
void loop_run(void);              /* returns when no fiber is left */
void loop_close(void);            /* no fiber, watch or worker may be left */

/* Orderly end: every fiber is cancelled, no further one is started, and
 * loop_run returns when they have unwound. */
void loop_end(void);
bool loop_ending(void);

/* Calls fn on the loop for each arrival of a signal; one fn a signal. */
result loop_on_signal(int signo, void (*fn)(void *ctx), void *ctx) NODISCARD;

struct uv_loop_s *loop_uv(void); /* for the files of run/ */

#endif
