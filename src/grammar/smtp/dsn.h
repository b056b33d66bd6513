/* Delivery status notifications: what became of a message, for its sender.
 *
 * A multipart/report (RFC 6522) of three parts: sentences for people, which come
 * first; the fields for programs (RFC 3464, RFC 3461); the message reported on,
 * whole or its header. Where an address or the header is internationalised and
 * the reader takes that, the forms of RFC 6533. The report says that a program
 * wrote it (RFC 3834).
 *
 * What rows say is printed so that it cannot end its place. The whole message
 * comes along only when it is asked for, at most DSN_WHOLE_MAX long and made of
 * lines as mail has them; a header is cut at DSN_HEADER_MAX. The buf's ceiling
 * shows in buf_result; nothing else fails or suspends. */
#ifndef GRAMMAR_DSN_H
#define GRAMMAR_DSN_H

#include "base/buf.h"

enum dsn_limits {
	DSN_WHOLE_MAX = 1 << 20,
	DSN_HEADER_MAX = 64 << 10,
	DSN_SUBJECT_MAX = 120, /* octets of the subject that are repeated */
	DSN_LINE_MAX = 998,    /* RFC 5322 2.1.1 */
};

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED, DSN_ACTIONS };

struct dsn_row {
	str address;
	str orcpt;        /* type;address, or empty */
	enum dsn_action action;
	str status;       /* RFC 3463; empty: the action's general one */
	str host;         /* of the last reply; empty: there was none */
	str diagnostic;   /* its text, or our own words when code is 0 */
	uint16_t code, advice;
	int64_t last, until; /* seconds since 1970; 0: not known */
};

struct dsn {
	str to, from_domain, reporting_mta;
	str message_id;      /* without brackets */
	int64_t now, arrived;
	str envid;           /* decoded */
	str subject;         /* of the original, decoded, UTF-8 */
	bool whole;
	bool utf8;           /* the reader takes internationalised mail (RFC 6531) */
	const struct dsn_row *rows;
	size_t n;
	str original;
};

struct dsn_made {
	bool utf8;      /* needs SMTPUTF8 */
	bool eight_bit; /* needs 8BITMIME */
};
void dsn_print(buf *out, const struct dsn *d, struct dsn_made *how);

/* dsn_text.c: the part for people, in UTF-8 with CRLF line ends; and the subject's words. */
void dsn_print_text(buf *out, const struct dsn *d);
const char *dsn_subject(const struct dsn *d);
void dsn_put_line(buf *out, str s); /* without anything that would end a line */
void dsn_carry(buf *out, const buf *from); /* a piece that found no memory breaks the whole */

#endif
