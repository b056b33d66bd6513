/* A connection as a session sees it: lines and runs of bytes in, replies out,
 * over a descriptor or TLS on it.
 *
 * The stream owns the descriptor and the TLS session. Buffers exist only while
 * they hold something: a session that waits for its next command has none.
 * Views from reading end with the next reading call; writing does not touch
 * them. All calls marked "suspends" return TIMEOUT, CANCELLED, CLOSED (ended in
 * order, or closed under us) or NETWORK. What ended reading sticks, but for
 * TIMEOUT and CANCELLED; what interrupted a flush sticks always, since a reply
 * cut in the middle must not be followed by another. Before a reading call waits
 * it flushes: whoever waits for what we hold back would wait with us. */
#ifndef RUN_STREAM_H
#define RUN_STREAM_H

#include "base/fail.h"
#include "base/str.h"
#include "run/fiber.h"

enum {
	STREAM_BLOCK = 16 * 1024,     /* one read; one TLS record */
	STREAM_BULK = 64 * 1024,      /* one read of what is long, when those before it were full */
	STREAM_WRITE_MAX = 16 * 1024, /* gathered before it is sent without being asked */
	STREAM_COPY_MAX = 4 * 1024,   /* longer pieces are sent from where they are */
	STREAM_SKIP_MAX = 4 << 20,    /* of a line that is too long */
	STREAM_STEPS_MAX = 64,        /* reads or writes in a row that did not wait; then others run */
};

struct stream;
struct tls;
struct tls_context;

result stream_open(int fd, struct stream **out) NODISCARD; /* takes fd when OK */
void stream_free(struct stream **s);   /* closes at once; what was not flushed is lost */
result stream_end(struct stream *s) NODISCARD; /* suspends: flushes, sends close_notify, shuts the sending side */

/* Each single wait takes at most this (default forever). */
void stream_set_idle(struct stream *s, uint64_t ms);
/* All waits from now on end after ms together; FIBER_FOREVER lifts it. */
void stream_set_deadline(struct stream *s, uint64_t ms);

/* STARTTLS, or TLS from the start. Suspends (with the handshake's own limit).
 * CONFLICT when bytes were buffered before it: the caller ends the connection. */
result stream_start_tls(struct stream *s, struct tls_context *c) NODISCARD;
result stream_start_tls_client(struct stream *s, struct tls_context *c, str name) NODISCARD;
struct tls *stream_tls(struct stream *s); /* NULL without */

/* LINE_CRLF: only CRLF ends a line, other CR and LF are in the view. LINE_ANY:
 * LF ends it, one CR before it goes too. */
enum line_end { LINE_CRLF, LINE_ANY };
/* Suspends. The view is without its end. LIMIT when it is longer than max: the
 * rest of that line was skipped in bounded memory and the next call gives the
 * next line. INPUT, for good, when there is no end within STREAM_SKIP_MAX.
 * The connection's end in the middle of a line is CLOSED; stream_peek has it. */
result stream_read_line(struct stream *s, size_t max, enum line_end end, str *line) NODISCARD;

str stream_peek(const struct stream *s);           /* what is buffered, may be empty */
void stream_consume(struct stream *s, size_t n);   /* n <= what was peeked */
/* Suspends until at least one byte is buffered that was not there before.
 * LIMIT when STREAM_BLOCK bytes wait unconsumed. */
result stream_fill(struct stream *s) NODISCARD;
/* The same of at most so many bytes: what follows stays on the descriptor, for TLS that begins behind. */
result stream_fill_most(struct stream *s, size_t most) NODISCARD;
/* Suspends until something is buffered (at once when it is). */
result stream_read_some(struct stream *s, str *out) NODISCARD;
/* The same, of a message's data and the like: at most STREAM_BULK bytes. */
result stream_read_bulk(struct stream *s, str *out) NODISCARD;
/* Does the peer have something to say, or has it gone? For one that should be silent. A system call; not suspending. */
bool stream_has_news(const struct stream *s);
/* Has the peer sent something that nobody has read? In clear; a system call. */
bool stream_is_ahead(const struct stream *s);
bool stream_pending(const struct stream *s); /* bytes the peer sent that nobody consumed */

result stream_write(struct stream *s, str bytes) NODISCARD; /* suspends only past STREAM_WRITE_MAX */
result stream_flush(struct stream *s) NODISCARD;            /* suspends */

uint64_t stream_bytes_in(const struct stream *s);  /* inside TLS, as the session sees them */
uint64_t stream_bytes_out(const struct stream *s);

#endif
