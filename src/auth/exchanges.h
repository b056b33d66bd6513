/* SCRAM exchanges under way: what the client and this server have said, until
 * the proof comes.
 *
 * Bounded in number and in time: above EXCHANGES_MAX the oldest is forgotten, and
 * after EXCHANGE_MS any; its client has to begin again. An exchange is found only
 * on the channel on which it began. The table owns what is in it; what was taken
 * out is the caller's. Nothing suspends. */
#ifndef AUTH_EXCHANGES_H
#define AUTH_EXCHANGES_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "talk/edge_auth.h"

enum { EXCHANGES_MAX = 4000, EXCHANGE_MS = 120000, EXCHANGE_TEXT = 4096 };

struct exchange {
	struct list node;
	trace_id id;
	const void *channel;
	uint64_t since;   /* clock_mono_ms */
	uint64_t account; /* 0: nobody whose proof could be right */
	enum edge_auth_protocol protocol;
	bool encrypted;
	const char *mechanism; /* static */
	buf user, client;
	buf nonce;   /* both parts */
	buf binding; /* what the client's c= has to hold */
	buf said;    /* the first two messages, as they are proved */
};

struct exchanges {
	hash table; /* by id */
	struct list oldest;
};

void exchanges_init(struct exchanges *x);
void exchanges_free(struct exchanges *x);
/* Takes *e over; MEMORY: it was freed. Its id is made here. */
result exchanges_keep(struct exchanges *x, struct exchange **e, trace_id *id) NODISCARD;
struct exchange *exchanges_take(struct exchanges *x, const void *channel, const trace_id *id); /* NULL: forgotten */
void exchanges_drop_channel(struct exchanges *x, const void *channel);

struct exchange *exchange_new(void); /* NULL without memory */
void exchange_free(struct exchange **e);

#endif
