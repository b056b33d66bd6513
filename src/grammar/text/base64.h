/* Base64 (RFC 4648 section 4, RFC 2045 section 6.8).
 *
 * Strict for protocol words: canonical padding, no byte outside the alphabet,
 * no bits left over. Lenient for mail bodies: a stream that never fails, steps
 * over foreign bytes, and takes a new start after padding (bodies glued from
 * several encoders). Output goes to the caller's buf, whose ceiling shows in
 * buf_result. Nothing is owned, nothing suspends. */
#ifndef GRAMMAR_BASE64_H
#define GRAMMAR_BASE64_H

#include "base/buf.h"

enum { BASE64_LINE = 76 }; /* RFC 2045: the longest line of a body */

/* A body being decoded: zero it to begin. */
struct base64_stream {
	uint32_t bits;
	unsigned have; /* sextets in `bits`, 0 to 3 */
	bool damaged;  /* foreign bytes or a lone last sextet were dropped */
};

/* The one-shot forms. `line` is 0 for one run, else a multiple of 4: CRLF
 * follows every full line and the last one. */
void base64_encode(buf *out, str in, size_t line);
result base64_decode(buf *out, str in) NODISCARD; /* INPUT, LIMIT, MEMORY; out keeps what came before */

void base64_feed(struct base64_stream *s, str in, buf *out);
void base64_finish(struct base64_stream *s, buf *out); /* gives out what padding was missing for */

#endif
