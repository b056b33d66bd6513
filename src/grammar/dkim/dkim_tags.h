/* Tag lists (RFC 6376 section 3.2, with UTF-8 as RFC 8616 section 4 adds it):
 * "v=1; a=rsa-sha256; ...", as DKIM-Signature fields, key records and, with
 * other tags, ARC and DMARC write them.
 *
 * A list with a tag twice, with another character than the grammar has, or
 * with more than DKIM_TAGS_MAX tags is refused whole (INPUT). White space and
 * line ends around names and values are gone; inside values they stay. Values
 * are views of the text. Nothing suspends. */
#ifndef GRAMMAR_DKIM_TAGS_H
#define GRAMMAR_DKIM_TAGS_H

#include "base/buf.h"
#include "base/arena.h"

enum { DKIM_TAGS_MAX = 64 };

struct dkim_tag {
	str name;
	str value; /* may be empty */
};

struct dkim_tags {
	struct dkim_tag list[DKIM_TAGS_MAX];
	size_t n;
};

result dkim_tags_parse(str text, struct dkim_tags *out) NODISCARD;
/* NULL when there is no such tag. Names are case-sensitive. */
const str *dkim_tag(const struct dkim_tags *t, str name);

/* A value made of words between colons (h=, q=): false at the end. Start with the value. */
bool dkim_word_next(str *rest, str *word);
/* Base64 with white space anywhere, decoded into the arena. INPUT, LIMIT, MEMORY. */
result dkim_base64(str value, arena *a, str *out) NODISCARD;

/* "name=value", a separator before it and a fold where the line would get
 * longer than DKIM_LINE. `line` is where the line began in `out`. */
enum { DKIM_LINE = 76 };
void dkim_tag_print(buf *out, size_t *line, const struct dkim_tag *tag);

#endif
