/* What the files of the channel share; nobody else includes this. */
#ifndef TALK_CHANNEL_CORE_H
#define TALK_CHANNEL_CORE_H

#include <uv.h>

#include "talk/speak.h"

enum { FLAG_CALL = 1, FLAG_ANSWER = 2, FLAG_REFUSED = 4 };

struct packet_head {
	uint16_t number;
	uint16_t flags;
	uint32_t request;
	trace_id trace;
};

/* A packet that found the socket full. */
struct pending {
	struct list node;
	struct gate sent;
	bool settled;
	result outcome;
	char head[TALK_HEADER];
	struct talk_out out;
	bool detached; /* nobody waits for it: it holds all octets and frees itself */
};

struct call {
	struct gate answered;
	bool done;
	result outcome;
	const struct hearing *hearing;
};

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_ABANDONED };

/* A call keeps its slot until the answer came, also when its caller has gone:
 * so each answer belongs to exactly one call, and unanswered ones are bounded. */
struct call_slot {
	enum slot_state state;
	uint16_t generation;
	uint16_t next_free;
	uint16_t answer; /* number of the declared answer */
	struct call *call;
};

struct channel {
	uv_poll_t poll;
	int fd;
	int armed;
	bool open;
	bool peer_gone;  /* writing failed; what it had said before is still to be read */
	bool gathers;
	bool bursty;     /* more than one packet was there last time */
	unsigned refs;   /* the owner, the poll handle, running handlers, callers */
	unsigned full_tries;
	const struct channel_kind *kind;
	const void *handlers;
	void *ctx;
	void (*ended)(void *ctx, struct channel *c, result why);
	char *peer;
	unsigned state;
	uint32_t behind; /* states the peer may still be in: we left them by our own messages */
	uint64_t once_out, once_in;
	struct call_slot *slots;
	size_t slots_n;
	size_t slot_first_free; /* SLOT_NONE */
	struct gate slot_freed;
	size_t calls_out, calls_in, one_way;
	struct list pending;
	struct gate settled;
	struct channel_counts counts;
};

enum { SLOT_NONE = 0xffff };

/* channel.c */
void channel_ref(struct channel *c);
void channel_unref(struct channel *c);
void channel_nonsense(struct channel *c, const struct packet_head *h, const char *field, result why);
void channel_arm(struct channel *c); /* sets the poll's interest to what is wanted now */
bool channel_may_say(struct channel *c, const struct talk_message *m);
void channel_said(struct channel *c, unsigned number);
bool channel_heard(struct channel *c, unsigned number); /* false: not in this state, or twice */
void channel_trace(struct channel *c, const char *arrow, const struct talk_shape *s, const void *m);

/* channel_send.c */
struct parcel {
	struct packet_head head;
	const struct talk_shape *shape; /* NULL: a refusal, in `refusal` */
	const void *message;
	result refusal;
};
enum when_full { WHEN_FULL_WAIT, WHEN_FULL_BUSY, WHEN_FULL_DETACH };
result channel_put(struct channel *c, const struct parcel *p, enum when_full how, uint64_t deadline) NODISCARD;
void channel_flush(struct channel *c);
void channel_drop_pending(struct channel *c, result why);
void channel_send_trim(void);

/* channel_call.c */
void channel_answered(struct channel *c, const struct packet_head *h, struct talk_in *in);
void channel_end_calls(struct channel *c, result why);

/* channel_read.c */
void channel_read(struct channel *c, bool to_end);
void channel_read_trim(void);

/* channel_serve.c */
void channel_serve(struct channel *c, const struct packet_head *h, struct talk_in *in);
void channel_serve_trim(void);

#endif
