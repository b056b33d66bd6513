/* Sets of message numbers or UIDs: sequence-set of RFC 9051, "$" of RFC 5182.
 *
 * Parsed as written; before use imap_set_resolve() puts the highest number in
 * the place of "*", sorts and merges. The ranges live in the arena. */
#ifndef GRAMMAR_IMAP_SET_H
#define GRAMMAR_IMAP_SET_H

#include "base/buf.h"
#include "grammar/imap/imap_lex.h"

enum { IMAP_STAR = 0 }; /* "*" in a range that is not resolved */

struct imap_range {
	uint32_t first;
	uint32_t last;
};

struct imap_set {
	struct imap_range *r;
	size_t n;
	bool saved;    /* "$": the result of the last SEARCH RETURN (SAVE); r is empty */
	bool resolved; /* sorted, disjoint, not adjacent, no star */
};

struct imap_set imap_sequence_set(struct imap_lex *x);
struct imap_set imap_known_uids(struct imap_lex *x); /* without "*" and "$" (RFC 7162 section 7) */

/* max is the highest number in use. With max 0 ranges that name "*" vanish. */
void imap_set_resolve(struct imap_set *s, uint32_t max);

/* The next two take resolved sets only. */
bool imap_set_has(const struct imap_set *s, uint32_t n);
uint64_t imap_set_count(const struct imap_set *s);

void imap_put_set(buf *out, const struct imap_set *s); /* "1:3,7"; a set that is not resolved as written */

/* Prints numbers as they come; runs of successive ones become "a:b". */
struct imap_set_writer {
	buf *out;
	uint32_t first; /* 0: nothing yet */
	uint32_t last;
	bool any;
};
void imap_set_add(struct imap_set_writer *w, uint32_t n); /* n > 0 */
bool imap_set_end(struct imap_set_writer *w); /* false when nothing was added, and nothing is printed */

#endif
