/* The common life of every room: started by the supervisor with its channel on
 * descriptor 3, told its settings, jailed, at work, stopped.
 *
 * room_main blocks for `begin`; calls prepare (load now what libraries read
 * lazily; the message's views end with it); opens the loop; enters the jail;
 * then on a fiber calls start (fetch the key, open the database), says ready and
 * serves. Listeners and visitors that come earlier wait until start returned.
 * At stop it calls stop, lets the visitors' handlers finish, hands over the log
 * and ends the loop. A sentence on stderr and status 1 tell what failed before.
 *
 * Started by hand, a room prints the system calls that its jail permits (its
 * ROOM.md lists the same) and ends with status 2.
 *
 * Every process is one room, so these calls need no handle. Hooks that are NULL
 * do nothing. SIGINT and SIGTERM are ignored: the supervisor says when to stop. */
#ifndef TALK_ROOM_H
#define TALK_ROOM_H

#include "base/log.h"
#include "run/sandbox.h"
#include "talk/supervisor_room.h"

enum {
	ROOM_CONNECT_MS = 30000, /* the supervisor may have to start the other room */
	ROOM_DRAIN_MS = 5000,    /* for handlers under way when the room stops */
	ROOM_LOG_MS = 100,       /* event records are gathered so long, */
	ROOM_LOG_PROMPT_MS = 5,  /* or so long, where watch decides by them what an account may still do, */
	ROOM_LOG_PACKET = 32768, /* or up to so many octets; errors go at once */
	ROOM_PEERS = 1 << 20,
	ROOM_TRIES = 6,          /* of room_ask_again, */
	ROOM_ATTEST_MS = 10000,  /* for a record of the audit log to reach the disk */
	ROOM_PAUSE_MS = 10,      /* the first pause; each further one is three times as long */
};
#define ROOM_ANY UINT64_MAX

/* Another room that the supervisor let in; the ctx of its handlers. */
struct room_visitor {
	const char *role;
	uint64_t number;
	struct channel *channel;
	void *own;    /* the room's */
	const struct room_door *door;
	struct list node;
};

/* A pair that visitors may speak. `left`: the channel has ended, no handler runs. */
struct room_door {
	const struct channel_kind *kind;
	const void *handlers;
	void (*left)(struct room_visitor *v);
	bool gathers; /* what has come meanwhile is worth reading together (a shared commit) */
};

/* What a room that this one asks may say by itself. The ctx of these handlers is
 * nothing. `ended`: that channel has ended, and none to the same room was made since. */
struct room_ear {
	const struct channel_kind *kind;
	const void *handlers;
	void (*ended)(void);
};

struct room {
	result (*prepare)(const struct supervisor_room_begin *b);
	/* The jail's tables; paths are filled in: the room's own folder, the current
	 * one, when it has one. What the machine lacks is told with `ready`, and is a
	 * failure unless the supervisor said best_effort. */
	const struct sandbox *sandbox;
	bool own_folder;
	result (*jail)(bool best_effort, buf *lacks); /* instead, in tests */
	result (*start)(void);                                             /* suspends */
	void (*listener)(str protocol, str address, int fd);               /* takes fd; suspends */
	/* New databases for run/places.h, before start if there are any; the descriptors (-1: none) end with the call. */
	result (*places)(int countries, int networks);
	/* The page of bans (talk/ban_page.h), after prepare, and an edge's again with each watch; takes fd. */
	void (*bans)(int fd);
	void (*stop)(void);                                                /* suspends */
	void (*close)(void); /* the last fiber has returned: end threads, free; must not suspend */
	const struct room_door *doors;
	size_t doors_n;
	const struct room_ear *ears;
	size_t ears_n;
	bool keeps_log; /* watch: sets the log's sink itself, in prepare */
};

int room_main(const struct room *r);

/* The channel to a room of that role, speaking that side; made when there is
 * none or it has ended. It is the room's: use it at once and ask again after
 * the next wait. The supervisor is told of a neighbour's nonsense. Suspends.
 * DENIED, ABSENT, BUSY, TIMEOUT, CLOSED, CANCELLED. */
result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out) NODISCARD;

/* For a call that changes nothing, after it failed for the `tried`-th time (from
 * 1): waits a little and says whether to ask again, because the other room is
 * being replaced (CLOSED, BUSY). Suspends. */
bool room_ask_again(result r, unsigned tried);

/* As log_event, but OK means that the record is in the audit log and on the disk
 * (an audited event of log_events.h). Suspends. FULL, DISK, BUSY, TIMEOUT ... */
#define room_attest(ID, TRACE, ...) \
	room_attest_fields((ID), (TRACE), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(,)(struct log_field){0}})
result room_attest_fields(enum log_name event, const trace_id *trace, const struct log_field *fields) NODISCARD;

/* For what only some rooms ask of the supervisor (accounts, the list of rooms). */
struct channel *room_supervisor(void);
uint64_t room_number(void);
bool room_stopping(void);
void room_ready(void); /* says it before start returns, where that may take long; suspends */
/* This process cannot go on (its disk failed): it stops in order, with status 1,
 * and the supervisor starts another. */
void room_give_up(result why);
void room_idle(void);  /* nothing is going on: the supervisor may stop this room */
size_t room_visitors(void);

#endif
