/* A message's header as DKIM counts it: fields of one name from the bottom up
 * (RFC 6376 sections 5.4.2), and what goes into the hash of a signature.
 *
 * Made once for a message, used for each of its signatures. All lives in the
 * arena and is views of the text. Time is linear in the fields and in the names
 * of h=. Needs hash_seed. Errors: LIMIT, MEMORY. Nothing suspends. */
#ifndef GRAMMAR_DKIM_HEADER_H
#define GRAMMAR_DKIM_HEADER_H

#include "base/hash.h"
#include "grammar/dkim/dkim_canon.h"
#include "grammar/dkim/dkim_tags.h"

enum {
	DKIM_FIELDS_MAX = 20000, /* fields of a header that are counted, from above */
	DKIM_REPEATS_MAX = 3,    /* fields of one name that we sign, the lowest ones */
};

struct dkim_header {
	hash by_name;      /* lower case -> struct dkim_group */
	struct dkim_field *fields;
	uint32_t n;
	arena *mem;
	uint64_t round;    /* of the signature under way */
};

result dkim_header_open(str text, arena *a, struct dkim_header *out) NODISCARD;
void dkim_header_close(struct dkim_header *h);

/* h= of a signature of ours: each field of the list in dkim_fields.h that is
 * there, and once more each one that must not be added behind our back. */
void dkim_header_names(const struct dkim_header *h, buf *out);

/* What is signed: the fields that h= names, then `own`, the signature's field
 * with an empty b=. `limit` is not looked at. */
struct dkim_covered {
	str names;
	str own;
	enum dkim_canon canon;
};
void dkim_header_hash(struct dkim_header *h, const struct dkim_covered *c, struct dkim_sink to);

#endif
