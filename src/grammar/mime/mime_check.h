/* Invariants of a part table, for tests and fuzz targets only: must() ends the
 * process when one does not hold. */
#ifndef GRAMMAR_MIME_CHECK_H
#define GRAMMAR_MIME_CHECK_H

#include "grammar/mime/mime.h"

static inline uint64_t mime_check_lines(str s)
{
	uint64_t n = 0;
	for (size_t at = 0; at < s.n; at = line_end(s, at))
		n += s.p[line_end(s, at) - 1] == '\n';
	return n;
}

static inline void mime_check_part(str text, const struct mime_table *t, uint32_t i)
{
	const struct mime_part *p = &t->parts[i];
	must(p->header_at <= text.n && p->header_n <= text.n - p->header_at);
	must(p->body_at == p->header_at + p->header_n && p->body_n <= text.n - p->body_at);
	must(p->type.n > 0 && p->subtype.n > 0 && p->content && p->header);
	must(p->lines == mime_check_lines(mime_body(text, p)));
	must((p->kind == MIME_MULTIPART) == (str_ieq(p->type, STR("multipart"))) && p->depth <= MIME_DEPTH_MAX);
	must((p->children > 0) == (p->kind == MIME_MULTIPART || p->kind == MIME_MESSAGE));
	must(p->kind != MIME_MESSAGE || p->children == 1);
	must((p->child == MIME_NONE) == (p->children == 0));
	uint32_t count = 0;
	uint64_t from = p->body_at;
	for (uint32_t c = p->child; c != MIME_NONE; c = t->parts[c].next) {
		const struct mime_part *child = &t->parts[c];
		must(c > i && c < t->n && child->parent == i && child->depth == p->depth + 1);
		must(child->header_at >= from && child->body_at + child->body_n <= p->body_at + p->body_n);
		from = child->body_at + child->body_n;
		count++;
		must(child->number == (p->kind == MIME_MESSAGE ? child->kind != MIME_MULTIPART : count));
	}
	must(count == p->children);
}

static inline void mime_check(str text, const struct mime_table *t)
{
	must(t->n >= 1 && t->n <= MIME_PARTS_MAX && t->parts[0].parent == MIME_NONE);
	must(t->parts[0].header_at == 0 && t->parts[0].body_at + t->parts[0].body_n == text.n);
	for (uint32_t i = 0; i < t->n; i++)
		mime_check_part(text, t, i);
}

#endif
