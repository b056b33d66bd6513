/* BODY and BODYSTRUCTURE of a message, ready to send (RFC 9051 7.5.2).
 *
 * Parameter continuations come joined, under their name or name"*" (RFC 2231 6).
 * Opaque parts are what mime.h says they are. Always valid and with every part:
 * past STRUCTURE_MAX parts are printed without parameters, nested envelopes
 * and extension data. Recursion is as deep as the parts, MIME_DEPTH_MAX at most.
 * `mem` is scratch; `out` holds the errors. */
#ifndef GRAMMAR_BODYSTRUCTURE_H
#define GRAMMAR_BODYSTRUCTURE_H

#include "base/buf.h"
#include "grammar/mime/mime.h"

enum structure_limits {
	STRUCTURE_MAX = 256 << 10,
	STRUCTURE_TEXT_MAX = 2 << 10, /* bytes of one string; the rest is cut off */
};

void bodystructure_print(const struct mime_table *t, bool extended, arena *mem, buf *out);

#endif
