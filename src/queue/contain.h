/* Accounts that somebody else seems to use: auth says which. What they sent to other
 * servers and what they will send is held, like what an administrator holds, until
 * auth lets them go. Durable before a call returns; what a server is just given goes.
 * Suspend. Errors as in queue/items.h. */
#ifndef QUEUE_CONTAIN_H
#define QUEUE_CONTAIN_H

#include "queue/mail.h"

/* *n: recipients that it concerned. */
result contain_hold(struct queue *q, uint64_t account, uint64_t *n) NODISCARD;
/* `release`: what is held goes now, or at the time until which its sender has it wait; else it stays held, and *n says
 * how many. */
result contain_free(struct queue *q, uint64_t account, bool release, uint64_t *n) NODISCARD;

/* Within a transaction. */
result contain_holds(struct db *db, uint64_t account, bool *out) NODISCARD;

#endif
