/* What SEARCH looks into, decoded and folded (fold.h), piece by piece as a
 * stream: RFC 9051 6.4.4, "BODY", "TEXT", "HEADER" and the like.
 *
 * Pieces, in this order: each field of the message's header; then for each part
 * in order the fields of its header (not part 0's) and, for types "text" and
 * "message" (other than a message itself), its decoded text; of HTML its text.
 * A field's text is unfolded (a line end with its blanks becomes one blank) with
 * its encoded words decoded; fields behind HEADER_BYTES_MAX are not seen. A file
 * name in the form of RFC 2231 makes a field "FILENAME" of its own.
 *
 * Takes the part table of mime_parse or of facts_decode. The sink's views live
 * until its function returns. Nothing suspends; errors are MEMORY. */
#ifndef GRAMMAR_SEARCH_WALK_H
#define GRAMMAR_SEARCH_WALK_H

#include "grammar/mime/mime.h"
#include "grammar/text/charset.h"

enum search_kind {
	SEARCH_FIELD,        /* of the message's own header */
	SEARCH_INNER_FIELD,  /* of a part's header: belongs to the body */
	SEARCH_TEXT,
};

struct search_sink {
	/* A piece begins. `name` is a field's, in upper case. False: not wanted. */
	bool (*begin)(void *ctx, enum search_kind kind, str name);
	/* May be NULL. The whole text of the piece is fold_ascii of the message's
	 * bytes from `at`. False: give it as text. */
	bool (*copy)(void *ctx, size_t at, size_t n);
	/* The next stretch of its text. False: no more of this piece. */
	bool (*text)(void *ctx, str folded);
	/* After each wanted piece. False: no more of this message. */
	bool (*end)(void *ctx);
	void *ctx;
};

struct search_source {
	str message;
	const struct mime_table *parts;
	struct charsets *charsets;
};

result search_walk(const struct search_source *from, const struct search_sink *to) NODISCARD;

#endif
