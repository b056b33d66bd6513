/* What the Content-* fields of a part say (RFC 2045 5-8, 2183, 2231, 3282).
 *
 * Lenient: comments are dropped, quotes may stay open, values without quotes
 * may hold blanks, a missing semicolon is forgiven. Continuations (RFC 2231 3)
 * are joined in order of their numbers. Every view points into the header or
 * the caller's arena. No call suspends; errors are the arena's. */
#ifndef GRAMMAR_CONTENT_H
#define GRAMMAR_CONTENT_H

#include "grammar/mime/header.h"

enum content_limits {
	CONTENT_PARAMS_MAX = 64,    /* per field; the rest is not seen */
	CONTENT_VALUE_MAX = 8192,   /* bytes of one parameter's value; the rest is cut off */
	CONTENT_SECTION_MAX = 999,  /* highest number of a continuation */
	CONTENT_LANGUAGES_MAX = 16,
};

struct content_param {
	str name;      /* without the "*" of RFC 2231 */
	str value;     /* quotes off */
	bool extended; /* value is charset'language'text with %XX (RFC 2231 4) */
};

struct content_params {
	const struct content_param *list;
	uint32_t n;
};

enum content_encoding {
	ENCODING_7BIT,
	ENCODING_8BIT,
	ENCODING_BINARY,
	ENCODING_QUOTED_PRINTABLE,
	ENCODING_BASE64,
	ENCODING_OTHER, /* bytes are served and searched as they are */
};

struct content {
	str type, subtype;    /* as written; p is NULL when absent or not type/subtype */
	struct content_params type_params;
	str disposition;      /* p is NULL when absent */
	struct content_params disposition_params;
	str encoding_name;    /* as written; p is NULL when absent */
	enum content_encoding encoding;
	str id, description, md5, location; /* unfolded; p is NULL when absent */
	str languages[CONTENT_LANGUAGES_MAX];
	uint32_t languages_n;
};

result content_parse(const struct header *h, arena *a, struct content *out) NODISCARD;

/* The parameter of that name, the RFC 2231 form first; NULL when absent. */
const struct content_param *content_param(const struct content_params *p, str name);

/* The parameter that names a file: Content-Disposition's, else Content-Type's; or NULL. */
const struct content_param *content_file_name(const struct content *c);

static inline bool encoding_is_identity(enum content_encoding e)
{
	return e <= ENCODING_BINARY;
}

#endif
