/* What an event says about a client or an account, in types.
 *
 * Most events say nothing of that kind. Views point into the record. Nothing
 * suspends. */
#ifndef WATCH_DETECT_SIGHTING_H
#define WATCH_DETECT_SIGHTING_H

#include "run/places.h"
#include "watch/entry.h"

enum sighting_kind {
	SEEN_CONNECT = 1,
	SEEN_END = 2,          /* n: octets that came; stalled: its time was over */
	SEEN_TLS_FAILED = 4,
	SEEN_LOGIN = 8,        /* account; name, protocol, word: by which means */
	SEEN_WRONG = 16,       /* a wrong secret; account: whose, 0: nobody has that name; repeat, names */
	SEEN_UNKNOWN = 32,     /* a recipient that is not here; name */
	SEEN_RELAY = 64,       /* mail for elsewhere without a login */
	SEEN_GARBAGE = 128,    /* refused for its syntax or order */
	SEEN_ABUSE = 256,      /* word: which */
	SEEN_MAIL = 512,       /* a message was taken from another server */
	SEEN_SENT = 1024,      /* account; n: recipients elsewhere */
	SEEN_FIRST = 2048,     /* account; n: of them it never wrote to */
	SEEN_ARRIVED = 4096,   /* account: another server took its message */
	SEEN_BOUNCED = 8192,   /* account: it can never be delivered */
	SEEN_ERASED = 16384,   /* account */
	SEEN_FREED = 32768,    /* account: it was contained, and somebody decided that it need not be */
};

struct sighting {
	enum sighting_kind kind;
	int64_t at;        /* milliseconds since 1970 */
	bool placed;       /* `client` is known */
	net_addr client;
	struct place place; /* where that is; filled in by sighting_place */
	bool looked_up;
	uint64_t account;
	str name, protocol, word;
	uint64_t mark;     /* of the name, whatever its case */
	uint64_t n;
	bool repeat;       /* the same wrong secret was tried with this name before */
	uint64_t names;    /* that this wrong secret was tried with lately; 0: not known */
	bool stalled;
};

/* False: it is none. */
bool sighting_of(const struct entry *e, const struct log_record *r, struct sighting *out);
const struct place *sighting_place(struct sighting *s, const struct places *p);

#endif
