/* Whether the rooms are alive: each is asked every PULSE_MS, and one that owes
 * PULSE_MISSED answers is killed and so replaced. What is counted is questions,
 * not time: a machine that slept, or was short of everything for a while, asks
 * again before it judges. What hangs beside a room's loop (a worker's thread)
 * is not seen here: its callers' times end. */
#ifndef SUPERVISOR_PULSE_H
#define SUPERVISOR_PULSE_H

#include "supervisor/house.h"

enum { PULSE_MS = 10000, PULSE_MISSED = 6 };

/* A fiber's: asks until the house ends. Suspends. */
void pulse_watch(void *house);

#endif
