/* The load generator: one thread, one epoll, many SMTP sessions that send
 * messages one after the other, with pipelined envelopes (RFC 2920) where the
 * server offers that.
 *
 * Each session owns its socket, its TLS state and its buffers; the message
 * body is one shared run of bytes. Times are nanoseconds of CLOCK_MONOTONIC. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <openssl/ssl.h>

#include "base/buf.h"

struct plan {
	str host, domain;
	str login, password; /* where AUTH is offered; empty login: none. Then it is the sender too */
	uint64_t port, connections, messages, size, recipients, users, per_connection, seconds;
	bool starttls;
};

enum stage {
	CONNECTING, /* the socket is not yet writable */
	GREETING,   /* waits for 220 */
	HELLO,      /* waits for the whole reply to EHLO */
	GOING_TLS,  /* waits for the 220 to STARTTLS */
	HANDSHAKE,  /* TLS is being set up */
	LOGIN,      /* waits for the reply to AUTH */
	ENVELOPE,   /* waits for the replies to MAIL, each RCPT and DATA */
	BODY,       /* waits for the reply to the message */
	ENDED,      /* has no more to do */
};

struct session {
	int fd;
	uint32_t watched;     /* the events that epoll knows of */
	SSL *tls;             /* NULL in clear */
	enum stage stage;
	bool secured;
	bool pipelining;      /* the server offers it, so the envelope goes out at once */
	bool auth;            /* the server offers it */
	uint64_t replies_due; /* in ENVELOPE */
	uint64_t sent_here;   /* messages over this connection */
	uint64_t number;      /* of the message under way */
	uint64_t began;       /* when its MAIL was sent */
	buf in, out;
	buf held;             /* lines of the envelope that wait for their turn */
	str body;             /* goes out after `out` */
};

struct load {
	struct plan plan;
	SSL_CTX *tls;
	int poll;
	struct session *sessions;
	uint64_t next, done, errors, first, last;
	uint64_t *latency; /* of each message done */
	uint64_t alive;    /* sessions not ended */
	buf text;          /* the body of every message, its final dot included */
	char first_error[200];
};

/* Reads the command line; ends the program with a sentence when it is wrong. */
struct plan plan_from(int argc, char **argv);
/* Fills `text` with a body of `size` bytes that hardly compresses, ready for DATA. */
void plan_text(const struct plan *plan, buf *text);
/* One line of JSON about what was measured. */
void load_report(struct load *load);
uint64_t now_ns(void);

#endif
