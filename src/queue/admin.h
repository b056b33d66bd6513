/* What an administrator sees and does: the items for accounts and the
 * recipients at other servers, numbered together, are one list. A change is
 * durable before the call returns. ABSENT: nothing is meant by that. */
#ifndef QUEUE_ADMIN_H
#define QUEUE_ADMIN_H

#include "queue/mail.h"

/* All that is not empty must match. */
struct choice {
	uint64_t item;
	str message; /* the beginning of its id in hexadecimal */
	str sender;
	str destination; /* a domain, or a complete address */
};

enum admin_act { ADMIN_RETRY, ADMIN_HOLD, ADMIN_RELEASE, ADMIN_DROP };

result admin_list(struct queue *q, const struct web_queue_list *m, arena *a, struct web_queue_items *out) NODISCARD;
result admin_show(struct queue *q, const struct web_queue_show *m, arena *a,
	struct web_queue_message_is *out) NODISCARD;
/* *n: how many; those that an account is just given are left out. */
result admin_act(struct queue *q, const struct choice *c, enum admin_act act, uint64_t *n) NODISCARD;
result admin_flush(struct queue *q, uint64_t *n) NODISCARD;
result admin_suppressed(struct queue *q, str after, arena *a, struct web_queue_suppressed_are *out) NODISCARD;
result admin_lift(struct queue *q, str address) NODISCARD;

#endif
