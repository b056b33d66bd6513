/* From a section of FETCH to where its octets lie in the stored message
 * (RFC 9051 6.4.5.1). Nothing is parsed: the part table of facts names the
 * places; a header block is cut into fields by grammar/mime/header.h. Pure; errors
 * are the arena's and the buf's. */
#ifndef ACCOUNT_IMAP_SECTION_H
#define ACCOUNT_IMAP_SECTION_H

#include "grammar/imap/imap_fetch.h"
#include "grammar/mime/mime.h"

/* What is known of the message: `trace` octets of trace block stand before the
 * body that the part table counts in. */
struct section_source {
	const struct mime_table *parts; /* may be NULL when no section names a part */
	uint64_t trace;
	uint64_t header; /* trace block and header block */
	uint64_t size;   /* of the whole */
};

enum section_kind {
	SECTION_NIL,     /* there is no such part, or it has no such piece */
	SECTION_RANGE,   /* the octets as they are */
	SECTION_FIELDS,  /* chosen fields of the header block there */
	SECTION_DECODED, /* the octets there, undone by `encoding` */
	SECTION_UNKNOWN, /* BINARY of an encoding nobody knows (UNKNOWN-CTE) */
};

struct section_place {
	enum section_kind kind;
	uint64_t from; /* in the whole message */
	uint64_t n;
	enum content_encoding encoding;
};

struct section_place section_find(const struct section_source *m, const struct imap_section *s);

/* The field names of HEADER.FIELDS in order, to be looked up quickly. */
struct section_names {
	str *v;
	size_t n;
	bool but; /* .NOT: all fields but these */
};
result section_names(const struct imap_section *s, arena *a, struct section_names *out) NODISCARD;
/* Appends the fields chosen, each as it stands, and the empty line. */
void section_put_fields(str header, const struct section_names *names, buf *out);

/* Cuts n octets to <origin.length>: `from` moves, `n` shrinks. */
void section_cut(const struct imap_section *s, uint64_t *from, uint64_t *n);

#endif
