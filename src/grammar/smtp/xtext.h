/* The encodings of values in SMTP parameters: xtext (RFC 3461 section 4) and
 * utf-8-addr (RFC 6533 section 3).
 *
 * Decoding gives a view into the arena and fails with INPUT, LIMIT or MEMORY;
 * beyond the RFC it takes lower-case hexadecimal digits and, in xtext, an "="
 * that a client forgot to encode. Nothing suspends. */
#ifndef GRAMMAR_XTEXT_H
#define GRAMMAR_XTEXT_H

#include "base/arena.h"
#include "base/buf.h"

void xtext_encode(buf *out, str plain);
result xtext_decode(str coded, arena *a, str *out) NODISCARD;

/* `plain` is UTF-8. With `utf8` other than ASCII stays as it is (unitext), else it becomes \x{...}. */
void utf8_addr_encode(buf *out, str plain, bool utf8);
result utf8_addr_decode(str coded, arena *a, str *out) NODISCARD;

#endif
