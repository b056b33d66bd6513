/* Text as JSON has it (RFC 8259 7), and hexadecimal digits.
 *
 * Bytes that are not UTF-8 become U+FFFD; quotes, backslashes, control characters
 * (C0, DEL, C1) and what turns a line's direction or breaks it (U+2028, U+2029,
 * U+202A-202E, U+2066-2069) are escaped, so that any text is one harmless line.
 * What is read is this form alone: \", \\ and \uXXXX without surrogates.
 * Owns nothing; the caller looks at buf_result. Nothing suspends. */
#ifndef GRAMMAR_JSON_TEXT_H
#define GRAMMAR_JSON_TEXT_H

#include "base/buf.h"
#include "base/cursor.h"

void json_put(buf *out, str s); /* with its quotes */
/* What json_put printed, without its quotes; sets bad. */
str json_take(cursor *c);
bool json_undo(str escaped, buf *out); /* the text again, in UTF-8 */

void hex_put(buf *out, const void *p, size_t n);
bool hex_read(str digits, void *p, size_t n); /* exactly n octets, in lower case */

#endif
