/* Why something did not go: what a recipient's outcome is made of.
 *
 * Texts live in the arena of the errand (or are static). Nothing suspends. */
#ifndef RELAY_TROUBLE_H
#define RELAY_TROUBLE_H

#include "base/arena.h"
#include "grammar/smtp/smtp_reply.h"
#include "talk/queue_relay.h"

struct trouble {
	bool lasting;    /* trying again does not help */
	uint16_t code;   /* of the reply; 0: there was none */
	str status;      /* RFC 3463; empty: there is no trouble */
	str text;
	bool slow_down;  /* the other side asks for fewer connections */
};

static inline bool is_trouble(const struct trouble *t)
{
	return t->status.n > 0;
}

/* A sentence in the arena, cut to RELAY_TEXT_MAX; the format's own text when the arena is full. */
str say(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct trouble trouble_later(str status, str text);
struct trouble trouble_lasting(str status, str text);
/* From a reply that is no success: 4xx is later, 5xx lasting, others later. `text` is what smtp_reply_read gave. */
struct trouble trouble_of_reply(arena *a, const struct smtp_reply *r, str text);
/* Of a reply, whatever its class. */
struct queue_relay_outcome outcome_of_reply(arena *a, const struct smtp_reply *r, str text);
struct queue_relay_outcome outcome_of_trouble(const struct trouble *t);
/* Foreign text as one printable line of UTF-8, at most RELAY_TEXT_MAX octets. */
str printable(arena *a, str text);

#endif
