/* IMAP sessions of one account's owner (RFC 9051, RFC 3501), from the moment
 * the login is done until the connection ends.
 *
 * A session is a straight-line procedure on the fiber that calls
 * imap_session_run: read a command, act, answer. It owns its stream. What it
 * needs of the room stands in `struct imap_home`, which outlives all sessions.
 * Every limit is a row of imap_limits. */
#ifndef ACCOUNT_IMAP_IMAP_H
#define ACCOUNT_IMAP_IMAP_H

#include "account/store/message.h"
#include "base/list.h"
#include "run/budget.h"

enum imap_limits {
	IMAP_COMMAND_MAX = 64 * 1024,          /* octets of one command, literals included, messages not */
	IMAP_LITERAL_MAX = 8 * 1024,           /* of one literal that is no message */
	IMAP_TAG_MAX = 64,                     /* octets of a tag that is answered as it came */
	IMAP_COMMAND_ARENA = 128 * 1024 * 1024, /* memory of one command: a mailbox of three million */
	IMAP_FETCH_ARENA = 64 * 1024 * 1024,   /* of one batch of FETCH or SEARCH: one message's facts may be 16 MB */
	IMAP_OUT_MAX = 4 * 1024 * 1024,        /* octets of one response without the message's own */
	IMAP_OUT_SEND = 32 * 1024,             /* from here on responses are given to the stream */
	IMAP_GATHER = 16 * 1024,               /* a message's octets up to here are gathered with others */
	IMAP_PIECE = 64 * 1024,                /* of a message, read and sent at a time */
	IMAP_APPEND_MESSAGES = 100,            /* messages of one APPEND */
};

struct body;
struct imap_home;

/* What inspect found in a message, as the store takes it; all in the arena.
 * Suspends. */
typedef result imap_examine(const struct imap_home *home, struct body *message, arena *m, struct letter *out);

/* A text to look for, folded as search texts are, or a name in Unicode's NFC
 * (grammar/text/nfc.h). ABSENT: nobody knows the charset (empty: UTF-8). Suspends. */
struct imap_needle {
	str charset;
	str text;
	bool name;
};
typedef result imap_fold(const struct imap_home *home, const struct imap_needle *needle, arena *m, str *out);

/* Does the whole message hold that? For one whose search text was cut. Suspends. */
struct search_key;
typedef result imap_look(const struct imap_home *home, struct body *message, const struct search_key *key, bool *yes);

struct imap_home {
	struct actor owner;
	uint64_t message_max;
	uint64_t idle_ms;
	uint64_t command_cpu_ms; /* processor time of one command (run/effort.h); 0: no limit */
	struct budget append; /* octets of messages that APPENDs are holding */
	imap_examine *examine;
	imap_fold *fold;
	imap_look *look;
	void (*stirred)(void); /* a command was run; may be NULL */
	struct list sessions; /* of imap_session_run calls under way */
};

struct imap_login_done {
	int socket; /* taken */
	str tag;    /* of the command that logged in; the first answer carries it */
	trace_id trace;
	uint64_t credential; /* the app password that was used; 0: the owner's own password */
};

void imap_home_init(struct imap_home *h);
/* Suspends until the session has ended. The views of `l` may end meanwhile. */
void imap_session_run(struct imap_home *h, const struct imap_login_done *l);
/* Every session says BYE and ends: at once where it waits for a command, else
 * after that command or SPEECH_STOP_MS (account/speech.h). Suspends until the last one has gone. */
void imap_sessions_stop(struct imap_home *h);

#endif
