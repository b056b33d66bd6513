/* Everything the house wants to know about a message, found out once, and its
 * form on the way from the room that reads mail to those that keep it.
 *
 * facts_of never refuses a message for what is in it: errors are MEMORY, and
 * LIMIT only when the arena is smaller than FACTS_ARENA_MAX. Strings live in
 * the arena or are views of the message. facts_decode believes nothing: each
 * offset lies inside the message and inside its parent, trees are trees, the
 * printed answers are complete IMAP lists (so that no line can be forged in a
 * client's stream), else INPUT. Its strings are views of the encoded form, its
 * parts have no `content` and `header`. Nothing suspends. */
#ifndef GRAMMAR_FACTS_H
#define GRAMMAR_FACTS_H

#include "base/buf.h"
#include "grammar/mime/mime.h"
#include "grammar/text/charset.h"

enum facts_limits {
	FACTS_IDS_MAX = 200,      /* references kept: the first, and the last ones */
	FACTS_ID_MAX = 1000,      /* bytes of a message id; longer ones are none */
	FACTS_NAME_MAX = 1000,    /* bytes of a file's name; the rest is cut off */
	FACTS_SUBJECT_MAX = 8192, /* bytes of the decoded subject; the rest is cut off */
	FACTS_ARENA_MAX = 128 << 20,
	FACTS_ENCODED_MAX = 16 << 20,
};

enum facts_flags {
	FACTS_8BIT = 1,
	FACTS_NUL = 2,
	FACTS_DATED = 4,        /* `date` and `zone` hold */
	FACTS_REPLY = 8,        /* the subject says it answers or forwards */
};

struct facts_ids {
	const str *list; /* what stands between "<" and ">" */
	uint32_t n;
};

struct facts {
	uint64_t size;
	uint32_t flags;
	uint32_t received;           /* Received fields */
	int64_t date;                /* of the Date field: seconds since 1970 */
	int32_t zone;                /* minutes east */
	str message_id;              /* without brackets, which it may lack; p is NULL when there is none */
	struct facts_ids in_reply_to, references;
	str subject, base_subject;   /* UTF-8; RFC 5256 2.1 */
	str envelope, body, structure; /* ENVELOPE, BODY, BODYSTRUCTURE ready to send */
	str search_text;             /* search_text.h; p is NULL when not wanted */
	struct mime_table parts;
};

struct facts_wants {
	struct charsets *charsets;
	bool search_text;
};

result facts_of(str message, const struct facts_wants *wants, arena *a, struct facts *out) NODISCARD;

void facts_encode(const struct facts *f, buf *out);
result facts_decode(str encoded, uint64_t size, arena *a, struct facts *out) NODISCARD;

/* The same without the printed answers and the search text: what a store keeps
 * beside these. Decoding leaves them empty. */
void facts_stored_encode(const struct facts *f, buf *out);
result facts_stored_decode(str encoded, uint64_t size, arena *a, struct facts *out) NODISCARD;

#endif
