#include "account/imap/section.h"

#include <stdlib.h>

static struct section_place range(uint64_t from, uint64_t n)
{
	return (struct section_place){.kind = SECTION_RANGE, .from = from, .n = n};
}

static struct section_place header_of(const struct section_source *m, const struct mime_part *p)
{
	return range(m->trace + p->header_at, p->header_n);
}

static struct section_place body_of_part(const struct section_source *m, const struct mime_part *p)
{
	return range(m->trace + p->body_at, p->body_n);
}

static struct section_place of_message(const struct section_source *m, enum imap_section_text text)
{
	switch (text) {
	case IMAP_SECTION_ALL:
		return range(0, m->size);
	case IMAP_SECTION_TEXT:
		return range(m->header, m->size - m->header);
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
	case IMAP_SECTION_MIME:
		break;
	}
	return range(0, m->header);
}

/* HEADER and TEXT behind numbers mean the message inside a message/rfc822 part. */
static struct section_place of_part(const struct section_source *m, uint32_t part, enum imap_section_text text)
{
	const struct mime_part *parts = m->parts->parts;
	uint32_t inner = mime_inner(m->parts, part);
	switch (text) {
	case IMAP_SECTION_ALL:
		return body_of_part(m, &parts[part]);
	case IMAP_SECTION_MIME:
		return header_of(m, &parts[part]);
	case IMAP_SECTION_TEXT:
		return inner == MIME_NONE ? (struct section_place){0} : body_of_part(m, &parts[inner]);
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
		break;
	}
	return inner == MIME_NONE ? (struct section_place){0} : header_of(m, &parts[inner]);
}

/* Only leaves have an encoding to undo; that of a multipart or message is identity (RFC 2045 6.4). */
static void undo_encoding(const struct mime_part *p, struct section_place *at)
{
	bool leaf = p->kind == MIME_TEXT || p->kind == MIME_OTHER;
	if (!leaf || encoding_is_identity(p->encoding))
		return;
	at->encoding = p->encoding;
	at->kind = at->encoding == ENCODING_OTHER ? SECTION_UNKNOWN : SECTION_DECODED;
}

static enum imap_section_text text_of(const struct imap_section *s)
{
	if (s->name == IMAP_RFC822_HEADER)
		return IMAP_SECTION_HEADER;
	return s->name == IMAP_RFC822_TEXT ? IMAP_SECTION_TEXT : s->text;
}

struct section_place section_find(const struct section_source *m, const struct imap_section *s)
{
	bool binary = s->name == IMAP_BINARY || s->name == IMAP_BINARY_SIZE;
	struct section_place at;
	if (!s->depth) {
		at = of_message(m, text_of(s));
	} else {
		uint32_t part = mime_section(m->parts, s->part, s->depth);
		if (part == MIME_NONE)
			return (struct section_place){0};
		at = of_part(m, part, s->text);
		if (binary)
			undo_encoding(&m->parts->parts[part], &at);
	}
	if (at.kind == SECTION_RANGE && (s->text == IMAP_SECTION_FIELDS || s->text == IMAP_SECTION_FIELDS_NOT))
		at.kind = SECTION_FIELDS;
	return at;
}

static int by_name(const void *a, const void *b)
{
	const str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	for (size_t i = 0; i < n; i++) {
		int d = ascii_lower(str_at(*x, i)) - ascii_lower(str_at(*y, i));
		if (d)
			return d;
	}
	return (x->n > y->n) - (x->n < y->n);
}

result section_names(const struct imap_section *s, arena *a, struct section_names *out)
{
	size_t n = s->fields.n;
	*out = (struct section_names){.v = arena_array(a, n ? n : 1, sizeof *out->v), .n = n};
	TRY(arena_result(a));
	if (n)
		memcpy(out->v, s->fields.v, n * sizeof *out->v);
	qsort(out->v, n, sizeof *out->v, by_name);
	out->but = s->text == IMAP_SECTION_FIELDS_NOT;
	return OK;
}

void section_put_fields(str header, const struct section_names *names, buf *out)
{
	struct header_walk w = {.text = header};
	struct header_field f;
	while (header_next(&w, &f)) {
		bool named = bsearch(&f.name, names->v, names->n, sizeof *names->v, by_name) != NULL;
		if (named != names->but)
			buf_put(out, f.raw);
	}
	buf_put(out, STR("\r\n"));
}

void section_cut(const struct imap_section *s, uint64_t *from, uint64_t *n)
{
	if (!s->partial)
		return;
	uint64_t skip = s->origin < *n ? s->origin : *n;
	*from += skip;
	*n -= skip;
	if (*n > s->length)
		*n = s->length;
}
