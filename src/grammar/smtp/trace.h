/* The trace fields a server puts in front of a message (RFC 5321 section 4.4).
 *
 * Received is printed folded, each value on a line of its own part, with the
 * protocol names of RFC 3848 and RFC 6531 and the tls clause of RFC 8314.
 * What clients say is printed so that it cannot end its place: characters that
 * do not belong into a domain, literal or atom become "?", values are cut at
 * TRACE_VALUE_MAX. Lines end in CRLF. Owns nothing, nothing suspends. */
#ifndef GRAMMAR_TRACE_H
#define GRAMMAR_TRACE_H

#include "grammar/mime/date.h"
#include "grammar/smtp/mailbox.h"

enum { TRACE_VALUE_MAX = 255 };

/* How the message came, as bits. Without TRACE_EXTENDED (HELO was said) the others are not told. */
enum trace_with {
	TRACE_EXTENDED = 1,
	TRACE_LMTP = 2,
	TRACE_TLS = 4,
	TRACE_AUTH = 8,
	TRACE_UTF8 = 16,
};

struct trace_received {
	str helo;      /* what the client called itself */
	str rdns;      /* its verified name; empty when there is none */
	struct ip ip;  /* n is 0 when unknown */
	str by;	       /* this server's name */
	unsigned with; /* bits of trace_with */
	str tls;       /* the cipher suite; empty without TLS */
	str id;
	const struct mailbox *recipient; /* the only one, or NULL: several are never told of each other */
	struct date_time when;
};

void trace_print_received(buf *out, const struct trace_received *t);
void trace_print_return_path(buf *out, const struct mailbox *from);

/* How many Received fields say that this host received the message ("by host"),
 * in either case; what stands in comments does not count. */
size_t trace_count_by(str head, str host);

#endif
