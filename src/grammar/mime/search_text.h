/* The search text of a message: what search_walk gives, kept beside it.
 *
 * Layout, little-endian: u8 version, u8 what was cut; then for each piece u8
 * kind (enum search_kind), u8 length of the name and the name, u32 length of
 * the text and the text. A text that is most of the message and fold_ascii of
 * its bytes is not repeated: kind has SEARCH_COPY added, and in the text's place
 * stand u32 offset in the message and u32 length. A SEARCH key is folded once by search_fold and then
 * looked for bytewise: a field's key in the pieces SEARCH_FIELD of that name
 * (FROM, TO, CC, BCC, SUBJECT too), BODY in SEARCH_INNER_FIELD and SEARCH_TEXT,
 * TEXT in all.
 *
 * Whoever has the message at hand gives it to search_text_has; without it a
 * text that was not repeated is SEARCH_UNSURE.
 *
 * Bounded: fields of the header beyond SEARCH_FIELDS_MAX and everything beyond
 * SEARCH_TEXT_MAX bytes are cut, in the middle of a piece too, and this is noted. To
 * be exact a searcher asks search_text_has first; at SEARCH_UNSURE it goes to
 * the message and asks search_message_has, which looks through the whole of it
 * by the same walk. Nothing suspends. */
#ifndef GRAMMAR_SEARCH_TEXT_H
#define GRAMMAR_SEARCH_TEXT_H

#include "base/cursor.h"
#include "grammar/mime/search_walk.h"
#include "grammar/text/fold.h"

enum search_limits {
	SEARCH_TEXT_MAX = 1 << 20,     /* bytes of the whole */
	SEARCH_FIELDS_MAX = 256 << 10, /* of which the header's fields may take */
};

enum { SEARCH_VERSION = 3, SEARCH_VERSION_OLDEST = 2, SEARCH_CUT_FIELDS = 1, SEARCH_CUT_BODY = 2, SEARCH_COPY = 0x80 };
enum { SEARCH_COPY_SHARE = 4 /* of the message, one such part at least, is not repeated */ };

/* Makes it at the end of `out`; MEMORY, or LIMIT when `out` is too small. */
result search_text_make(const struct search_source *from, buf *out) NODISCARD;

struct search_text {
	uint8_t cut;
	cursor in; /* bad once a piece does not fit */
};

struct search_piece {
	enum search_kind kind;
	bool copied;    /* the text is fold_ascii of the message's bytes from `at`, `n` of them */
	uint32_t at, n;
	str name, text;
};

bool search_text_open(str stored, struct search_text *out); /* false: not of this version */
bool search_text_next(struct search_text *t, struct search_piece *out);

enum search_scope { SEARCH_IN_FIELD, SEARCH_IN_BODY, SEARCH_IN_ALL };

struct search_key {
	enum search_scope scope;
	str name;   /* of the field, any case; for SEARCH_IN_FIELD */
	str needle; /* folded; empty: the field exists, or true */
};

enum search_answer { SEARCH_NO, SEARCH_YES, SEARCH_UNSURE };

/* Does the key look into such a piece? */
bool search_key_wants(const struct search_key *key, enum search_kind kind, str name);
/* This one links no ICU (search_text_read.c), as little as the two above.
 * `message`: all of it as it was when the text was made; p NULL: not at hand. */
enum search_answer search_text_has(str stored, str message, const struct search_key *key);
bool search_text_copies(str stored); /* would the message help? */
result search_message_has(const struct search_source *from, const struct search_key *key, bool *out) NODISCARD;

#endif
