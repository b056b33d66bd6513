/* One message to all its accounts, at the same time, each exactly once.
 *
 * An account that answers keeps it; for one that cannot take it now the queue
 * does. Only when every copy is on stable storage the delivery counts as kept.
 * The delivery id is the same for every copy and every repeat, so a repeat
 * changes nothing. Suspends. */
#ifndef EDGE_DELIVER_H
#define EDGE_DELIVER_H

#include "edge/smtp.h"
#include "talk/body.h"

enum {
	DELIVER_AT_ONCE = 32,       /* accounts at the same time */
	DELIVER_ANSWER_MS = 120000, /* an account that takes longer gets its copy from the queue */
	DELIVER_TRIES = 2,          /* before the queue; an account that just ended in order is started again */
};

struct delivery {
	struct client *client;
	trace_id id;
	str sender;
	str trace;            /* ready to print */
	int64_t received;
	struct body facts, message;
	const struct smtp_target *targets;
	size_t n;
};

/* OK: every copy is kept. Otherwise some copy is nowhere: the client must try
 * again, and copies that were kept come twice then, as RFC 5321 6.1 prefers. */
result deliver(const struct delivery *d) NODISCARD;

#endif
