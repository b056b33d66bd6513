/* Takes messages to the relay, a destination's transaction at a time. */
#ifndef QUEUE_CARRIER_H
#define QUEUE_CARRIER_H

#include "queue/queue.h"

/* Starts a fiber with the turn's next message. On failure the turn has ended. */
result carrier_send(struct queue *q, struct turn *t) NODISCARD;

#endif
