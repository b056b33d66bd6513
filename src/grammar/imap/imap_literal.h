/* The literal that a command line may announce at its end (RFC 9051 section
 * 4.3, RFC 7888): {n} {n+} ~{n} ~{n+}.
 *
 * For the reader of lines, before any parsing: it appends the line, CRLF and
 * the literal's octets to the command text and reads on. Owns nothing. */
#ifndef GRAMMAR_IMAP_LITERAL_H
#define GRAMMAR_IMAP_LITERAL_H

#include "base/str.h"

struct imap_literal {
	uint64_t size; /* octets, at most IMAP_NUMBER64_MAX */
	size_t head;   /* octets of the announcement, "{12+}" = 5 */
	bool sync;     /* the client waits for a continuation request */
	bool binary;   /* "~": NUL octets are permitted */
};

enum imap_line {
	IMAP_LINE_WHOLE,   /* no literal: the command ends here */
	IMAP_LINE_LITERAL, /* `out` is set */
	IMAP_LINE_BAD,     /* a literal of a size nobody can read: the stream is lost when it does not wait */
};

/* `line` is without its CRLF. */
enum imap_line imap_literal_at_end(str line, struct imap_literal *out);

#endif
