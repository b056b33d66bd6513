/* ENVELOPE of a message, ready to send (RFC 9051 7.5.2).
 *
 * Strings are the header's raw text, unfolded, encoded words untouched; bytes
 * above 127 make a literal. Sender and Reply-To default to From. An address
 * without a domain has the empty string as host (NIL would mean a group). All
 * fields of one name are taken for To, Cc and Bcc, the first one for the others.
 * Always a complete list of ten: past ENVELOPE_MAX the address lists end early.
 * `mem` is scratch for the caller to clear; `out` holds the errors. */
#ifndef GRAMMAR_ENVELOPE_H
#define GRAMMAR_ENVELOPE_H

#include "base/buf.h"
#include "grammar/mime/header.h"

enum envelope_limits {
	ENVELOPE_MAX = 64 << 10,     /* bytes printed at which address lists end */
	ENVELOPE_TEXT_MAX = 8 << 10, /* bytes of one string; the rest is cut off */
};

void envelope_print(const struct header *h, arena *mem, buf *out);

/* The first `max` bytes at most, not cutting a UTF-8 character in two. */
str text_cut(str s, size_t max);

#endif
