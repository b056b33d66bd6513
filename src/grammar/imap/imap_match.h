/* Does a mailbox name match a LIST pattern (RFC 9051 section 6.3.9)?
 *
 * "*" stands for any octets, "%" for any but "/". Both in inner form (see
 * imap_name.h), so without regard to case in the first level INBOX only. The
 * cost is at most name times pattern, whatever the pattern. */
#ifndef GRAMMAR_IMAP_MATCH_H
#define GRAMMAR_IMAP_MATCH_H

#include "base/str.h"

enum { IMAP_PATTERN_MAX = 1000 }; /* octets; a longer pattern matches nothing */

bool imap_match(str pattern, str name);

#endif
