/* The owner's POP3 sessions (RFC 1939, 2449, 3206, 6856): a login handed over by
 * auth becomes a fiber that reads commands until QUIT or the connection's end.
 *
 * A session sees the INBOX as it was at login, whatever other sessions do: what
 * they remove keeps its number and size, and is answered -ERR when it is asked
 * for. Several sessions may be open at once. Unique ids are the email ids of
 * RFC 8474: they survive moves, copies and a restore, and two copies of one
 * message have the same. Messages go at QUIT only, all that were marked in one
 * transaction; a connection that ends otherwise removes nothing. No flag is
 * changed: \Seen is for readers. Messages are sent octet for octet, UTF-8 in
 * header fields too, whether the client said UTF8 or not: a refusal would stop
 * older programs at that message for good. */
#ifndef ACCOUNT_POP3_POP3_H
#define ACCOUNT_POP3_POP3_H

#include "account/store/store.h"
#include "base/list.h"

enum pop3_limits {
	POP3_OUT_MAX = 64 * 1024,  /* octets of answers that are gathered */
	POP3_OUT_SEND = 32 * 1024, /* from here on they are given to the stream */
	POP3_PIECE = 64 * 1024,    /* of a message, read and sent at a time */
	POP3_COMMAND_MAX = 1024,   /* octets of one command */
};

struct pop3_home {
	struct actor owner;
	uint64_t idle_ms;
	uint64_t command_cpu_ms; /* processor time of one command (run/effort.h); 0: no limit */
	void (*stirred)(void); /* a command was run; may be NULL */
	struct list sessions;  /* of pop3_session_run calls under way */
};

void pop3_home_init(struct pop3_home *h);
/* Takes the socket; answers the login first. `credential`: the app password that was used; 0: the owner's own
 * password. Suspends until the session has ended. */
void pop3_session_run(struct pop3_home *h, int socket, uint64_t credential);
/* Every session ends without removing anything: at once where it waits for a
 * command, else after that command or SPEECH_STOP_MS (account/speech.h). Suspends until the last one has gone. */
void pop3_sessions_stop(struct pop3_home *h);

#endif
