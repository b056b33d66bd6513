/* APPEND, whose messages never lie in the command text (RFC 9051 section
 * 6.3.12; several messages RFC 3502; UTF8 RFC 9755).
 *
 * The reader of lines asks at every line that ends in a literal: is that a
 * message? The message's octets go their own way; then imap_append_more() takes
 * the line behind them, and so on until the command ends. Views and lists as in
 * imap_command.h; `out` is zeroed by the caller before the first call and keeps
 * the tag after a failure, when the literal's octets follow all the same if it
 * does not wait (literal.sync of imap_literal_at_end). FAIL_ABSENT: CATENATE is
 * not offered. Nothing suspends. */
#ifndef GRAMMAR_IMAP_APPEND_H
#define GRAMMAR_IMAP_APPEND_H

#include "grammar/imap/imap_flags.h"
#include "grammar/imap/imap_literal.h"
#include "grammar/imap/imap_time.h"

enum imap_append_step {
	IMAP_APPEND_NOT,     /* another command, or nothing that can be told: go on as always */
	IMAP_APPEND_NAME,    /* the literal is the mailbox name: add its octets, ask again */
	IMAP_APPEND_MESSAGE, /* the literal is the next message */
	IMAP_APPEND_END,     /* of imap_append_more: the command is whole */
};

struct imap_append {
	str tag;
	str mailbox;
	bool utf8_name; /* the name was a quoted string of UTF-8 */
	size_t error_at;
	/* Of the message at hand: */
	struct imap_flags flags;
	bool has_date;
	struct imap_time date;
	struct imap_literal literal;
	bool utf8; /* UTF8 (~{n}: ")" follows the octets */
};

/* `text` ends in a literal's announcement (imap_literal_at_end said so). */
result imap_append_head(str text, arena *a, struct imap_append *out, enum imap_append_step *step) NODISCARD;
/* `line` is what followed the message's octets up to CRLF, often empty. */
result imap_append_more(str line, arena *a, struct imap_append *out, enum imap_append_step *step) NODISCARD;

#endif
