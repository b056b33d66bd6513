/* The parts of a message (RFC 2045, 2046, 5322, 6532) as one flat table, made
 * in a single pass whose time is linear in the message, whatever it holds.
 *
 * Part 0 is the message itself. Parents stand before their children. A part of
 * kind MESSAGE has exactly one child: the message inside it. Offsets count
 * from the start of the whole text and lie inside it; a part's header and body lie
 * inside its parent's body. What passes a limit, and a multipart or message
 * that cannot be one (no boundary, nothing inside, an encoding), is `opaque`:
 * one leaf of text/plain, or application/octet-stream when it is encoded.
 *
 * The table lives in the caller's arena, views point into it and into the
 * text. Nothing suspends. LIMIT only if the arena is smaller than
 * MIME_ARENA_MAX: no input makes the parser fail otherwise. */
#ifndef GRAMMAR_MIME_H
#define GRAMMAR_MIME_H

#include "grammar/mime/content.h"

enum mime_limits {
	MIME_PARTS_MAX = 1000,
	MIME_DEPTH_MAX = 64,          /* of parts below part 0 */
	MIME_BOUNDARY_MAX = 250,      /* bytes; RFC 2046 allows 70 */
	MIME_FIELDS_MAX = 20000,      /* in the headers of all parts together */
	MIME_HEADERS_MAX = 4 << 20,   /* header bytes looked at in all parts together */
	MIME_ARENA_MAX = 64 << 20,
};

#define MIME_NONE UINT32_MAX

enum mime_kind { MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE, MIME_OTHER };

struct mime_part {
	uint32_t parent, child, next; /* indices: enclosing part, first child, next sibling; or MIME_NONE */
	uint32_t number;              /* among its siblings, from 1; 0: a message's multipart, which has none */
	uint32_t children;
	uint16_t depth;
	uint8_t kind;
	bool opaque;
	uint64_t header_at, header_n; /* with the empty line, if there is one */
	uint64_t body_at, body_n;
	uint64_t lines;               /* LFs in the body */
	uint8_t encoding;             /* enum content_encoding */
	str type, subtype;            /* effective: defaults filled in */
	str charset, disposition;     /* as written; p is NULL when absent */
	str name;                     /* a file's, decoded; filled in by facts.h only */
	struct content *content;      /* what the header says; never NULL from mime_parse */
	struct header *header;        /* never NULL from mime_parse */
};

struct mime_table {
	struct mime_part *parts;
	uint32_t n; /* at least 1 */
};

result mime_parse(str message, arena *a, struct mime_table *out) NODISCARD;

/* The part an IMAP section's numbers name (RFC 9051 6.4.5.1), MIME_NONE when
 * there is none. No numbers: part 0. */
uint32_t mime_section(const struct mime_table *t, const uint32_t *numbers, size_t n);

/* The message inside a MESSAGE, else MIME_NONE: its header and body are what
 * BODY[<part>.HEADER] and BODY[<part>.TEXT] mean. (BODY[HEADER] and BODY[TEXT]
 * mean part 0 itself.) */
uint32_t mime_inner(const struct mime_table *t, uint32_t part);

static inline str mime_header(str message, const struct mime_part *p)
{
	return str_sub(message, p->header_at, p->header_n);
}

static inline str mime_body(str message, const struct mime_part *p)
{
	return str_sub(message, p->body_at, p->body_n);
}

static inline bool mime_is(const struct mime_part *p, str type, str subtype)
{
	return str_ieq(p->type, type) && str_ieq(p->subtype, subtype);
}

#endif
