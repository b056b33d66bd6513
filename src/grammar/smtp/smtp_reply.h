/* SMTP replies (RFC 5321 section 4.2, enhanced status codes of RFC 2034):
 * the printer, and the reader for a client.
 *
 * The text is free of CR, LF and other than printable ASCII on the wire,
 * whatever is put in, and no line is longer than 512 octets with its CRLF.
 * Nothing is owned, nothing suspends. */
#ifndef GRAMMAR_SMTP_REPLY_H
#define GRAMMAR_SMTP_REPLY_H

#include "base/buf.h"

enum {
	SMTP_REPLY_LINE_MAX = 512,  /* with CRLF, as printed */
	SMTP_REPLY_LINES_MAX = 200, /* as read */
	SMTP_REPLY_READ_MAX = 2048, /* octets of a line as read, without CRLF: others exceed 512 */
};

/* Each LF in `text` begins another line; a long line is broken at a blank.
 * `status` ("2.1.0") goes in front of each line, NULL leaves it out. */
void smtp_reply_print(buf *out, unsigned code, const char *status, str text);

/* A reply being read: zero it to begin, and again for each reply. */
struct smtp_reply {
	unsigned code;	    /* 200 to 599, 0 before the first line */
	unsigned status[3]; /* the enhanced status of the last line that had one; all 0 when none had */
	unsigned lines;
	bool done;
};

/* Takes one line without its CRLF and appends its text, without code and
 * status, to `text` (lines joined by LF). INPUT when it is no reply line or
 * its code differs from the first line's, LIMIT above the limits. */
result smtp_reply_read(struct smtp_reply *r, str line, buf *text) NODISCARD;

#endif
