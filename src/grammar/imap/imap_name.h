/* Mailbox names between the wire and the store (RFC 9051 section 5.1, RFC 9755).
 *
 * Inside, a name is UTF-8 with "/" between its levels, and the first level
 * INBOX is in capitals. On the wire it is modified UTF-7, or UTF-8 once the
 * client enabled UTF8=ACCEPT or IMAP4rev2 (`utf8`). NFC is the
 * caller's. Errors: FAIL_INPUT with a sentence, or LIMIT and MEMORY. */
#ifndef GRAMMAR_IMAP_NAME_H
#define GRAMMAR_IMAP_NAME_H

#include "base/buf.h"

#define IMAP_SEPARATOR '/'

enum {
	IMAP_NAME_MAX = 1000,      /* octets of the UTF-8 */
	IMAP_NAME_LEVELS_MAX = 40,
};

/* Appends the inner form of a name as the client wrote it. Looks at spelling
 * only: imap_name_check is for names that are to exist. */
result imap_name_read(str wire, bool utf8, buf *out) NODISCARD;

/* Appends LIST's reference and pattern, both from the wire, as one pattern for
 * imap_match. They are simply joined: LIST "a/" "%" asks for "a/%". */
result imap_name_read_pattern(str reference, str pattern, bool utf8, buf *out) NODISCARD;

/* May a mailbox of this name be made? Not empty, no level empty (so no "/" at
 * the ends), no control characters and no line separators, within the limits.
 * CREATE takes one "/" off the end before (section 6.3.4). */
result imap_name_check(str name) NODISCARD;

/* As an astring. A name that is not UTF-8 cannot come from imap_name_read. */
void imap_put_name(buf *out, str name, bool utf8);

bool imap_name_is_inbox(str name);           /* the mailbox itself, inner form or not */

#endif
