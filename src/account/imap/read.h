/* From the connection to whole commands: lines, literals, and the way past
 * what is refused. APPEND's messages are read by append.c. */
#ifndef ACCOUNT_IMAP_READ_H
#define ACCOUNT_IMAP_READ_H

#include "account/imap/session.h"

enum imap_read {
	IMAP_READ_COMMAND, /* s->text holds it */
	IMAP_READ_APPEND,  /* s->text ends in the announcement of an APPEND's first message */
	IMAP_READ_REFUSED, /* was answered */
	IMAP_READ_ENDED,
};

/* Suspends until a command is there. */
enum imap_read imap_read_command(struct imap_session *s, struct imap_append *append);
/* LIMIT: the line was longer and is gone. All other failures end the connection (s->link). */
result imap_read_line(struct imap_session *s, size_t max, str *line) NODISCARD;

struct imap_octets_sink {
	result (*take)(void *ctx, str piece); /* after a failure the rest is dropped */
	void *ctx;
};
/* Gives the n octets that follow in pieces; suspends. */
result imap_read_octets(struct imap_session *s, uint64_t n, const struct imap_octets_sink *to) NODISCARD;
/* What follows a refused literal: swallows it if it comes unasked, and the rest
 * of the command. LIMIT when it is more than anybody should send. */
result imap_swallow(struct imap_session *s, struct imap_literal literal) NODISCARD;

/* An APPEND whose first message was announced: reads, keeps and answers it. Suspends. */
void imap_append(struct imap_session *s, struct imap_append *m);

#endif
