/* Message flags and keywords (RFC 9051 section 2.3.2), and the special uses of
 * mailboxes (RFC 6154): the words, their bits, reading and printing. */
#ifndef GRAMMAR_IMAP_FLAGS_H
#define GRAMMAR_IMAP_FLAGS_H

#include "base/buf.h"
#include "grammar/imap/imap_lex.h"

enum imap_flag {
	IMAP_ANSWERED = 1,
	IMAP_FLAGGED = 2,
	IMAP_DELETED = 4,
	IMAP_SEEN = 8,
	IMAP_DRAFT = 16,
	IMAP_RECENT = 32, /* printed only: no client may set it */
};

enum imap_use {
	IMAP_USE_ALL = 1,
	IMAP_USE_ARCHIVE = 2,
	IMAP_USE_DRAFTS = 4,
	IMAP_USE_FLAGGED = 8,
	IMAP_USE_JUNK = 16,
	IMAP_USE_SENT = 32,
	IMAP_USE_TRASH = 64,
};

struct imap_flags {
	unsigned system; /* enum imap_flag */
	struct imap_strs keywords; /* as written, twins not removed */
};

/* (\Seen $Work), the parentheses included. */
struct imap_flags imap_flag_list(struct imap_lex *x);
struct imap_flags imap_bare_flags(struct imap_lex *x); /* \Seen $Work, to the end */

/* The bit of one word such as "\Sent", case ignored; 0 when there is none. */
unsigned imap_use_of(str word);

void imap_put_flags(buf *out, const struct imap_flags *f); /* with parentheses */
void imap_put_uses(buf *out, unsigned uses);               /* "\Sent \Trash", no parentheses */

#endif
