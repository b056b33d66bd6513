/* One message to all its accounts, at the same time, each exactly once.
 *
 * An account that answers keeps it; for one that cannot take it now the queue
 * does. Only when every copy is on stable storage the delivery counts as kept.
 * The delivery id is the same for every copy and every repeat, so a repeat
 * changes nothing. A large copy for the queue is sealed only while no other of
 * this process is, so that a message for many does not take memory for each of
 * them. Suspends; also when cancelled it returns only after its copies' calls. */
#ifndef EDGE_DELIVER_H
#define EDGE_DELIVER_H

#include "edge/smtp.h"
#include "talk/body.h"

enum {
	DELIVER_AT_ONCE = 32,       /* accounts at the same time */
	DELIVER_ANSWER_MS = 120000, /* an account that takes longer gets its copy from the queue */
	DELIVER_WHOLE_MS = 300000,  /* all copies; with examining below the 10 minutes of RFC 5321 4.5.3.2.6 */
	DELIVER_TRIES = 2,          /* before the queue; an account that just ended in order is started again */
};

struct delivery {
	struct client *client;
	trace_id id;
	str sender;
	str trace;            /* ready to print */
	int64_t received;
	struct body facts, message;
	enum smtp_ret ret;    /* DSN parameters, for whoever reports */
	str envid;
	int64_t hold_until;   /* the queue keeps every copy until then; 0: now */
	const struct smtp_target *targets;
	size_t n;
	uint64_t until;       /* on the monotonic clock; deliver sets it */
};

/* OK: every copy is kept. Otherwise some copy is nowhere: the client must try
 * again, and copies that were kept come twice then, as RFC 5321 6.1 prefers. */
result deliver(struct delivery *d) NODISCARD;

#endif
