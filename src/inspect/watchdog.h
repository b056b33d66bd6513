/* Hostile input may find a parser that does not end. This runs `fn` on the
 * loop's own, large stack and ends the whole process (SIGPROF) when that takes
 * more than WATCHDOG_CPU_S of processor time; the supervisor starts another,
 * and whoever asked reads a temporary refusal. */
#ifndef INSPECT_WATCHDOG_H
#define INSPECT_WATCHDOG_H

/* The largest message permitted takes about two seconds. */
enum { WATCHDOG_CPU_S = 20 };

void watchdog_run(void (*fn)(void *arg), void *arg);

#endif
