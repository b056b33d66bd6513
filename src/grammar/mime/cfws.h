/* White space and comments between the words of a structured header field
 * (CFWS, RFC 5322 section 3.2.2), line ends of folds included.
 *
 * Nesting is counted, not recursed into: a comment may be as deep as it likes.
 * Nothing here sets the cursor's `bad`. */
#ifndef GRAMMAR_MIME_CFWS_H
#define GRAMMAR_MIME_CFWS_H

#include "base/cursor.h"

bool cfws_blank(unsigned char c);
/* From its parenthesis to behind the last one; false: it stays open and ran to the end. */
bool cfws_comment(cursor *c);
void cfws_skip(cursor *c);

#endif
