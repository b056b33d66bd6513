/* One message on its way to one destination: what is sent, to whom, and what has
 * become of each recipient so far. Views into the queue's message and the opened
 * item; all else lives in the arena. */
#ifndef RELAY_ERRAND_H
#define RELAY_ERRAND_H

#include "relay/session.h"
#include "talk/mail_flags.h"

struct letter {
	str head;       /* printed header fields in front of */
	str body;
	bool bare;      /* a CR or LF outside CRLF occurs: DATA cannot carry it (RFC 5321 2.3.8) */
	uint32_t flags; /* bits of mail_flag */
	str sender, envid;
	uint8_t ret;
	int64_t deliver_by;
	bool by_return;
};

struct errand {
	arena *arena;
	const trace_id *trace;
	struct way way;
	struct letter letter;
	const struct queue_relay_recipient *recipients;
	struct queue_relay_outcome *outcomes; /* of the recipient at the same place */
	bool *settled;
	size_t n;
	size_t left;      /* not settled */
	bool slow_down;
};

static inline uint64_t letter_size(const struct letter *l)
{
	return (uint64_t)l->head.n + l->body.n;
}

void letter_look(struct letter *l); /* sets `bare` */
void errand_settle(struct errand *e, size_t i, const struct queue_relay_outcome *o);
void errand_settle_rest(struct errand *e, const struct trouble *t);

#endif
