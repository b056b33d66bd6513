/* Address lists of header fields (RFC 5322 3.4 and 4.4), as ENVELOPE shows
 * them (RFC 9051 7.5.2).
 *
 * Read lazily, one address at a time, in time linear in the field. Lenient:
 * 8-bit bytes, open quotes and brackets, unquoted dots, an "@" in a display
 * name, addresses without a domain. Encoded words stay as they are (words.h decodes
 * them). A comment is the name where there is no other. Views point into the
 * value or into the arena. Nothing suspends. If the arena refuses, the walk ends early
 * and the arena says so. */
#ifndef GRAMMAR_ADDRESS_LIST_H
#define GRAMMAR_ADDRESS_LIST_H

#include "base/arena.h"
#include "base/cursor.h"

enum address_limits {
	ADDRESS_TEXT_MAX = 8192, /* bytes of a name, local part or domain; the rest is cut off */
};

enum address_kind { ADDRESS_MAILBOX, ADDRESS_GROUP_START, ADDRESS_GROUP_END };

struct address {
	enum address_kind kind;
	str name;    /* quotes off; a group's name too; p is NULL when absent */
	str route;   /* "@a,@b", obsolete; p is NULL when absent */
	str mailbox; /* the local part, quotes off */
	str host;    /* p is NULL when there was no "@" */
};

struct address_walk {
	cursor in;
	arena *mem;
	bool in_group;
};

static inline struct address_walk address_walk_on(str value, arena *a)
{
	return (struct address_walk){.in = cursor_on(value), .mem = a};
}

/* A group that is not closed ends with the list: every start has its end. */
bool address_next(struct address_walk *w, struct address *out);

#endif
