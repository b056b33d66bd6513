/* Printing what IMAP answers carry, so that no content can break a line or a
 * parenthesis (RFC 9051 section 9).
 *
 * `utf8`: the client enabled UTF8=ACCEPT or IMAP4rev2, so quoted strings may
 * hold UTF-8. Errors stick in the buf. See also imap_put_set, imap_put_flags,
 * imap_put_time, imap_put_section, imap_name.h for mailbox names. */
#ifndef GRAMMAR_IMAP_PRINT_H
#define GRAMMAR_IMAP_PRINT_H

#include "base/buf.h"

enum { IMAP_QUOTED_MAX = 1000 }; /* octets; longer strings are printed as literals */

/* Quoted where content and length permit, else a literal. A NUL octet cannot
 * stand in either: it becomes "?". */
void imap_put_string(buf *out, str s, bool utf8);
void imap_put_nstring(buf *out, str s, bool utf8); /* NIL when s.p is NULL */
void imap_put_astring(buf *out, str s, bool utf8); /* an atom where that is unambiguous */

/* "{n}" CRLF or "~{n}" CRLF; the caller sends n octets behind it. */
void imap_put_literal_head(buf *out, uint64_t n, bool binary);

/* resp-text: one line of visible text. Controls become "?"; so do octets above
 * 127 unless utf8 and well formed; a "[" at the start, which would begin a
 * response code, gets a space before it; an empty text becomes "-". */
void imap_put_text(buf *out, str s, bool utf8);

#endif
