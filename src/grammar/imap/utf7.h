/* Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3).
 *
 * Every name has exactly one accepted spelling: the decoder refuses printable
 * ASCII in base64, needless shifts, set padding bits, lone surrogates and
 * octets above 127, so that decoding and encoding again gives the same octets.
 * Both append to `out`; on failure out may hold a part. FAIL_INPUT, or the
 * buf's own LIMIT and MEMORY. */
#ifndef GRAMMAR_UTF7_H
#define GRAMMAR_UTF7_H

#include "base/buf.h"

result utf7_decode(str name, buf *out) NODISCARD;  /* to UTF-8 */
result utf7_encode(str utf8, buf *out) NODISCARD;  /* FAIL_INPUT when it is not UTF-8 */

#endif
