/* What a detector can ask for, and who carries it out (bans.h; a recorder in tests).
 *
 * A measure against a network never names an account, and one about an account
 * never shuts it to its owner: HOLD stops what goes out, and ends sessions and
 * tokens, until it is released or the owner's password is changed. Who carries
 * measures out decides what outlives a restart, tells the edges, and writes to
 * whom a notice is for. Asking again for what is in force already lengthens it;
 * a stronger measure replaces a weaker one of the same network. `take` must
 * neither suspend nor keep the views. Times are milliseconds since 1970. */
#ifndef WATCH_MEASURES_H
#define WATCH_MEASURES_H

#include "run/net.h"

enum measure_kind {
	MEASURE_DELAY,  /* the network's clients wait a little before each answer */
	MEASURE_TARPIT, /* ... and much longer */
	MEASURE_BAN,    /* its connections are closed as they come */
	MEASURE_NOTICE, /* somebody is told */
	MEASURE_HOLD,   /* the account's outgoing mail waits, its sessions and tokens end, owner and administrator hear */
	MEASURES
};

enum measure_reader { NOTICE_OWNER = 1, NOTICE_ADMIN = 2 };

struct measure {
	enum measure_kind kind;
	net_cidr network;      /* DELAY, TARPIT, BAN */
	uint64_t account;      /* NOTICE (0: about none), HOLD */
	unsigned readers;      /* NOTICE: bits of measure_reader */
	int64_t until;         /* DELAY, TARPIT, BAN */
	uint64_t score;
	str detector;          /* "brute-force": a row of docs/detection.md */
	str evidence;          /* one sentence: what was seen, how often */
};

/* By value: two words. */
struct measures {
	void (*take)(void *ctx, const struct measure *m);
	void *ctx;
};

#endif
