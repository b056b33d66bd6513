/* Takes an account's items to its process, one after the other. */
#ifndef QUEUE_COURIER_H
#define QUEUE_COURIER_H

#include "queue/queue.h"

/* Starts a fiber that works on the line until nothing of it is due, the account
 * cannot be reached, or its turn is over. The line is not dropped meanwhile. */
result courier_send(struct queue *q, struct line *l) NODISCARD;

#endif
