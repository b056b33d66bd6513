/* An edge whose neighbours are handlers of the same process, for tests: a client
 * on one end of a socket pair plays dialogues with a session on the other.
 *
 * People: user1@ and user2@here.test (accounts 1, 2), both@ (both), full@ (3,
 * over quota), crowd@ (4 to 43), unknown@, later@, disabled@; out@ leads to a@far.test and b@far.test,
 * mixed@ to user1 and c@far.test. Whatever is not of here.test is elsewhere, but
 * of back.test, for which this is a backup: its primary knows good@. A login may
 * not write to limited@. The password is "secret". Time stands still but for kit_wait.
 * One kit at a time. All but kit_run is called on a fiber. Tests only. */
#ifndef EDGE_EDGE_KIT_H
#define EDGE_EDGE_KIT_H

#include "edge/edge.h"

enum { KIT_ACCOUNTS = 48, KIT_KEPT_MAX = 64, KIT_PATIENCE = 20000 };

/* Neighbours as bits: those of enum neighbour, and all accounts. */
enum { KIT_AUTH = 1, KIT_INSPECT = 2, KIT_QUEUE = 4, KIT_VAULT = 8, KIT_RELAY = 16, KIT_WEB = 32,
	KIT_ACCOUNT = 64, KIT_OFFERS = 128 /* auth, when it is asked what to offer */ };
enum { KIT_USER = 1000 }; /* of the machine; account 1 */
enum { KIT_ROOMS = 6 }; /* without the accounts */

struct kit_kept {
	uint64_t account;
	bool queued, posted;
	unsigned recipients, flags; /* of what is posted */
	bool routed;
	uint64_t route; /* of the first recipient */
	int64_t hold_until, deliver_by; /* the latter negative in mode R */
	/* With terminators; the kit's. Of a queued one `trace` tells the DSN parameters, of a posted one
	 * `recipient` has all of them. */
	char *recipient, *sender, *trace, *message;
	size_t size;
};

struct kit {
	struct edge edge;
	unsigned silent;  /* take calls and answer nothing */
	unsigned refuses; /* answer calls with a refusal */
	unsigned gone;    /* no channel to them */
	bool unable;      /* accounts answer a delivery with unable */
	bool too_large;   /* accounts can never take it */
	bool device;      /* 192.0.2.1, the client outside of the demo, is one that logs in without TLS */
	uint32_t delay;   /* auth's, before a login is answered */
	unsigned lookups, logins, logouts, sealing, sealing_most, wrote, asked_signers, asked_to_sign,
		asked_senders, asked_keys, delivering; /* the last: copies that accounts were given and have not answered */
	struct kit_kept kept[KIT_KEPT_MAX];
	size_t kept_n;
	struct gate loud; /* the silent ones may go on */
	struct channel *near[KIT_ROOMS + KIT_ACCOUNTS], *far[KIT_ROOMS + KIT_ACCOUNTS];
	int client;       /* the client's end; -1 when it hung up */
	struct client guest;
	struct fiber *fiber; /* its session's */
	bool over;        /* the session has returned */
	char said[65536]; /* read and not yet looked at */
	size_t said_n;
	str step;         /* of the dialogue, for complaints */
};

/* Runs fn on a fiber over a loop of its own, with a kit that fn opens and kit_run closes. */
void kit_run(void (*fn)(struct kit *k));
void kit_open(struct kit *k, bool demo); /* with defaults; options may be set before kit_begin */
void kit_close(struct kit *k);           /* checks that the edge holds nothing any more */
/* A client has connected from 192.0.2.1, or from loopback in the demo. */
void kit_begin(struct kit *k, enum client_protocol protocol);
void kit_say(struct kit *k, str bytes);
void kit_change_directory(struct kit *k); /* auth tells the edge so; it has not read it yet */
void kit_wait(uint64_t ms);              /* lets everybody come to rest, then moves the time */
/* The next line without CRLF, valid until the next call; false at the connection's end. */
bool kit_hear(struct kit *k, str *line);
void kit_hang_up(struct kit *k);         /* and lets the session end */

/* edge_play.c: a dialogue, a line a step.
 *   "C: text"   the client sends it with CRLF; "c: text" without; \r and \n mean CR and LF
 *   "S: text"   the next reply begins so (SMTP: its last line; else each line is one)
 *   "H: text"   that reply holds this; "N: text": it does not
 *   "L:"        the silent neighbours say what they had to say
 *   "W: n"      nothing is said for n milliseconds
 *   "K: n"      so many copies are kept by now; "Q: n": so many of them by the queue
 *   "P: n"      so many parcels for other servers; "T: text" occurs in what is told of them (expect_told)
 *   "END"       the connection has ended
 * Ends the program with the step that went wrong. */
void kit_play(struct kit *k, const char *dialogue);

#endif
