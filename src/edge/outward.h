/* What of a transaction goes to other servers: the recipients there, and the
 * message handed to the queue for them.
 *
 * A recipient is here only by one of four ways, which are the whole answer to
 * "whose mail leaves this server": a login wrote to it, a login wrote to an alias
 * that leads there, such an alias got mail from elsewhere, or this server is a
 * backup for its domain. Each address is kept once. The session owns the list,
 * its arena the texts.
 *
 * outward_post seals the message for the relay alone and returns when the queue
 * holds it: one parcel for all that leave with the same sender on the same way,
 * more where there are too many for one. Each parcel is a message of its own to
 * the queue; the first that a login wrote has the transaction's id. Suspends. */
#ifndef EDGE_OUTWARD_H
#define EDGE_OUTWARD_H

#include "base/hash.h"
#include "talk/body.h"

struct smtp_session;
struct smtp_asked;

enum outward_limits {
	OUTWARD_PARCEL = 1000,          /* recipients of one parcel (edge-queue), */
	OUTWARD_PARCEL_OCTETS = 65536,  /* and octets of their addresses: it travels in one packet */
	OUTWARD_OWN_HOPS = 4,           /* Received fields of this server in what it is to forward: a circle */
};

enum outward_kind { OUTWARD_WRITTEN, OUTWARD_ALIASED, OUTWARD_FORWARDED, OUTWARD_RELAYED, OUTWARD_DELIVERED };

struct outward_recipient {
	enum outward_kind kind;
	bool routed;      /* auth said its way, when the directory had changed so often: */
	uint64_t changes, route;
	str address;
	const struct smtp_asked *asked;
	size_t place; /* in the list as it grew */
};

struct outward {
	struct outward_recipient *p;
	size_t n, cap;
	hash seen;
	bool foreign; /* some are not of a login: mail of others passes through here */
};

void outward_init(struct outward *o);
void outward_clear(struct outward *o);
/* LIMIT or MEMORY. The address lives as long as the list. */
result outward_add(struct outward *o, const struct outward_recipient *r) NODISCARD;
void outward_drop(struct outward *o, size_t keep); /* all but the first so many */

struct outward_letter {
	const struct body *message;
	str trace;       /* the fields above it; no Return-Path */
	int64_t received;
	unsigned flags;  /* bits of mail_flag (talk/mail_flags.h) */
	uint64_t until;  /* on the monotonic clock */
};

/* OK: the queue holds every parcel. */
result outward_post(struct smtp_session *s, const struct outward_letter *l) NODISCARD;
/* The same for recipients here (OUTWARD_DELIVERED), whose delivery the queue only reports (RFC 3461). */
result outward_tell(struct smtp_session *s, const struct outward_letter *l) NODISCARD;

#endif
