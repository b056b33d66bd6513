/* The header block of a message or of a MIME part (RFC 5322 2.2, 3.6, 4.5).
 *
 * Lenient where mail in the wild is: blanks before the colon, bare LF as line
 * end, a byte order mark, lines that are no field (an mbox From_ line among
 * them), which are stepped over with their continuations. The block ends behind
 * the first empty line or where the text ends. Views point into the text; a
 * `struct header` lives in the caller's arena. Nothing suspends; errors are
 * LIMIT and MEMORY of the arena. */
#ifndef GRAMMAR_HEADER_H
#define GRAMMAR_HEADER_H

#include "base/arena.h"

enum header_limits {
	HEADER_BYTES_MAX = 1 << 20, /* bytes of one block that are looked at; fields behind are not seen */
	HEADER_FIELDS_MAX = 5000,   /* fields of one block kept */
	HEADER_NAME_MAX = 250,      /* a longer name makes the line no field */
};

/* The fields this program asks for by name. */
#define HEADER_IDS(X)                                                                        \
	X(BCC, "Bcc") X(CC, "Cc") X(CONTENT_DESCRIPTION, "Content-Description")              \
	X(CONTENT_DISPOSITION, "Content-Disposition") X(CONTENT_ID, "Content-ID")            \
	X(CONTENT_LANGUAGE, "Content-Language") X(CONTENT_LOCATION, "Content-Location")      \
	X(CONTENT_MD5, "Content-MD5") X(CONTENT_TYPE, "Content-Type")                        \
	X(CONTENT_TRANSFER_ENCODING, "Content-Transfer-Encoding") X(DATE, "Date")            \
	X(FROM, "From") X(IN_REPLY_TO, "In-Reply-To") X(MESSAGE_ID, "Message-ID")            \
	X(RECEIVED, "Received") X(REFERENCES, "References") X(REPLY_TO, "Reply-To")          \
	X(SENDER, "Sender") X(SUBJECT, "Subject") X(TO, "To")

enum header_id {
#define X(ID, NAME) HEADER_##ID,
	HEADER_IDS(X)
#undef X
	HEADER_OTHER,
};

struct header_field {
	str name;  /* without blanks and colon */
	str value; /* folded as it came, blanks and line ends at both ends off */
	str raw;   /* the whole field with its line ends */
	enum header_id id;
};

struct header_walk {
	str text;
	size_t at; /* where the next line starts; behind the block once next() said false */
};

struct header {
	const struct header_field *fields;
	uint32_t n;
	uint32_t first[HEADER_OTHER]; /* index of the first field of each id; n when there is none */
};

/* Where the line that starts at `at` ends: behind its LF, or at the end. */
size_t line_end(str text, size_t at);
bool line_is_empty(str text, size_t at, size_t end); /* CRLF or LF alone */

bool header_next(struct header_walk *w, struct header_field *out);
size_t header_length(str text); /* with the empty line */
result header_parse(str block, uint32_t fields_max, arena *a, struct header *out) NODISCARD;

/* The first field of that id, or NULL; the next one behind `f`, or NULL. */
const struct header_field *header_first(const struct header *h, enum header_id id);
const struct header_field *header_after(const struct header *h, const struct header_field *f);
str header_value(const struct header *h, enum header_id id); /* p is NULL when absent */

/* The value on one line (2.2.3): a view of it when it is not folded, else a
 * copy in the arena (p is NULL when refused). A CR or LF alone becomes a space. */
str header_unfold(arena *a, str value);

#endif
