/* One SEQPACKET socket between two rooms, spoken as a declared pair says.
 *
 * The principal ("account 42") is fixed when the supervisor makes the channel;
 * nothing a peer sends changes it. What arrives out of its declaration (octets,
 * side, state, a `once` twice, an unknown answer, surplus descriptors) is
 * nonsense: it is logged, the channel closes, waiting callers get CLOSED (the
 * one whose answer it was PEER), and `ended` tells the owner with PEER. The
 * receiver never dies of it.
 *
 * Calls suspend until the answer, a refusal (the handler's failed result, its
 * sentence in the arena), CLOSED, TIMEOUT, CANCELLED or a full arena (LIMIT).
 * Views in an answer live in the arena; what holds a body or a descriptor is
 * given to the generated ..._release. A sender keeps its own descriptors; those
 * of an answer are closed when it is sent. A handler runs on a fiber of its
 * own, started in order of arrival, and may suspend; its message is released
 * when it returns, so talk_take_fd takes what shall stay.
 *
 * Bounds: at most CHANNEL_CALLS unanswered calls each way (callers beyond wait;
 * a peer beyond speaks nonsense). Above CHANNEL_ONE_WAY running one-way handlers
 * the socket is not read, unless answers are awaited; above CHANNEL_ONE_WAY_HARD
 * never. A full socket suspends senders in order; `offer` gives BUSY instead. */
#ifndef TALK_CHANNEL_H
#define TALK_CHANNEL_H

#include "run/fiber.h"
#include "talk/codec.h"

enum channel_limit {
	CHANNEL_CALLS = 256,
	CHANNEL_ONE_WAY = 64,
	CHANNEL_ONE_WAY_HARD = 1024,
	CHANNEL_ARENA_MAX = 16 << 20, /* memory of one arrival and its answer */
};

struct channel;

struct arrival {
	struct channel *channel;
	void *ctx;
	trace_id trace;
	arena *arena; /* for the answer; lives until it is sent */
};

/* One side of one pair; generated. */
struct channel_kind {
	const struct talk_pair *pair;
	unsigned side;
	result (*dispatch)(const void *handlers, unsigned number, struct arrival *in, void *m, void *answer);
};

struct channel_options {
	int fd;           /* the channel's from now on, also when opening fails */
	const char *peer; /* copied */
	void *ctx;        /* outlives the handlers: see channel_drain */
	/* Called once, on the loop's stack, when the peer or its nonsense ended the
	 * channel; may call channel_close. May be NULL. */
	void (*ended)(void *ctx, struct channel *c, result why);
	bool gathers;   /* reads all that is there before handlers run, at one system call more */
	unsigned first; /* number of the message that channel_first took, 0: none */
};

/* The generated ..._open_as_... calls these with its kind and typed handlers. */
result channel_open(const struct channel_options *o, const struct channel_kind *kind, const void *handlers,
		    struct channel **out) NODISCARD;
/* At once; handlers under way go on, their answers are lost. Not suspending. */
void channel_close(struct channel **c);
/* Suspends until no handler runs and nothing waits to be sent, or the timeout. */
result channel_drain(struct channel *c, uint64_t timeout_ms) NODISCARD;

/* Ends it as the peer's end would, `ended` included. Not suspending. */
void channel_shut(struct channel *c, result why);

bool channel_is_open(const struct channel *c);
/* Open only for the peer's last words. */
bool channel_is_ending(const struct channel *c);
/* Has the peer said something by now, or gone, that no handler has seen to the
 * end? Answers count until they are read. A system call; not suspending. */
bool channel_has_news(const struct channel *c);
str channel_peer(const struct channel *c);
void *channel_ctx(const struct channel *c);

struct channel_counts {
	uint64_t sent, received;        /* packets */
	uint64_t octets_out, octets_in; /* without what memfds hold */
	uint64_t offers_dropped;
	uint64_t late; /* answers after their caller had gone */
};
struct channel_counts channel_counts(const struct channel *c);

/* Every message of this process as a line, for debugging; NULL ends it. */
void channel_set_tracer(void (*see)(void *ctx, str line), void *ctx);
/* Gives the process's idle packet buffers back to the machine. */
void channel_trim(void);

#endif
