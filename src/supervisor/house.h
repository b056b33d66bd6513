/* The processes of the running server: starting, replacing, connecting, ending.
 *
 * Every room but the accounts is always there: one that ends is started again,
 * at once the first time and then with growing waits. An account's process runs
 * while somebody needs it. The house owns the processes and their channels. */
#ifndef SUPERVISOR_HOUSE_H
#define SUPERVISOR_HOUSE_H

#include "base/hash.h"
#include "run/fiber.h"
#include "supervisor/databases.h"
#include "supervisor/listeners.h"
#include "supervisor/spawn.h"
#include "talk/channel.h"

enum {
	HOUSE_ACCOUNTS = 1 << 20, /* account processes at the same time */
	HOUSE_START_MS = 20000,   /* a room that is not ready by then is replaced */
	HOUSE_STOP_MS = 8000,     /* a room that has not ended by then is killed */
	HOUSE_WAIT_FIRST = 50,    /* before another start of a room that lived less than HOUSE_CALM_MS */
	HOUSE_WAIT_MOST = 5000,
	HOUSE_CALM_MS = 2000,
	HOUSE_LOOK_MS = 200,      /* while starting: how often to look whether to stop instead */
};

enum process_state {
	PROCESS_DOWN,     /* has no process; a room gets one again unless the house ends */
	PROCESS_STARTING, /* exec'd and told everything; not jailed yet */
	PROCESS_RUNNING,  /* said ready */
	PROCESS_STOPPING, /* told to stop, or killed; its end will come */
};

struct process {
	struct house *house;
	enum role role;
	uint64_t number;
	enum process_state state;
	pid_t pid;
	struct channel *channel; /* NULL while down */
	int64_t started;         /* seconds since 1970 */
	uint64_t started_mono;
	uint64_t wait;           /* before the next start, milliseconds */
	uint64_t not_before;     /* on the monotonic clock: an account that ended by itself starts no sooner */
	uint32_t restarts;
	const char *killed;      /* why; NULL when it was not, or has ended */
	unsigned pings;          /* that it has not answered (pulse.h) */
	struct gate changed;     /* the state is another now */
	unsigned held;           /* fibers that use this struct; an account's is freed at 0 */
};

struct house {
	struct options *options;
	struct folders folders;
	struct programs programs;
	struct listeners listeners;
	buf certificate, private_key;
	struct databases databases;
	bool best_effort; /* go on without a whole jail, loudly */
	bool ending;
	int bans;         /* the page of bans in force, -1 before the first watch */
	int next_bans;    /* that of a watch that is starting, or -1 */
	bool locked;      /* the vault waits for its passphrase, and most rooms for the vault */
	struct process *rooms; /* all but accounts */
	size_t rooms_n;
	uint64_t turn;         /* which worker was picked last */
	hash accounts;         /* number -> process */
	hash pids;             /* pid -> process */
	struct gate ended;     /* some process ended, or an account's was forgotten */
};

result house_open(struct house *h) NODISCARD; /* options, folders, programs, listeners, PEMs are set */
void house_close(struct house *h);

/* Starts every room and returns when all are ready. Suspends. TIMEOUT when one does not come up. */
result house_start(struct house *h) NODISCARD;
/* Edges and accounts, then the rest, each with HOUSE_STOP_MS. Suspends. */
void house_stop(struct house *h);
/* Reaps every child that has ended; call it at SIGCHLD. */
void house_reap(struct house *h);

#define HOUSE_ANY UINT64_MAX
/* A room of that kind; HOUSE_ANY: by turns. For accounts the process is started
 * when needed. On OK it runs, or is starting, and is held: house_release.
 * ABSENT: no such room or account. Suspends. */
result house_find(struct house *h, enum role role, uint64_t number, struct process **out) NODISCARD;
void house_release(struct process *p);
/* That very one if it runs now, else NULL. Starts nothing, holds nothing. */
struct process *house_running(struct house *h, enum role role, uint64_t number);

/* A database of places was replaced: the rooms that look addresses up are given it. Suspends. */
void house_publish_places(struct house *h);
/* Watch is ready: its page of bans is in force, and every edge is told. Suspends. */
void house_publish_bans(struct house *h);

void house_kill(struct process *p, const char *why);
/* Asks an account's process to end; who wants it meanwhile waits and gets a new one. Suspends. */
void house_retire(struct process *p);
/* Ends an account's process for good and waits until it is gone. Suspends. */
void house_remove_account(struct house *h, uint64_t number);

#endif
