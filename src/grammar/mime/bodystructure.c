#include "grammar/mime/bodystructure.h"
#include "grammar/imap/imap_print.h"
#include "grammar/mime/envelope.h"

struct printer {
	const struct mime_table *table;
	bool extended;
	arena *mem;
	buf *out;
	size_t end; /* of the plentiful part */
};

static bool is_full(const struct printer *p)
{
	return p->out->n >= p->end;
}

static void put(struct printer *p, const char *s)
{
	buf_put(p->out, str_from(s));
}

static void put_string(struct printer *p, str s)
{
	imap_put_string(p->out, text_cut(s, STRUCTURE_TEXT_MAX), false);
}

static void put_nstring(struct printer *p, str s)
{
	imap_put_nstring(p->out, is_full(p) ? (str){NULL, 0} : text_cut(s, STRUCTURE_TEXT_MAX), false);
}

static void put_name(struct printer *p, const struct content_param *param)
{
	char name[256];
	str short_name = str_sub(param->name, 0, sizeof name - 1);
	if (short_name.n)
		memcpy(name, short_name.p, short_name.n);
	name[short_name.n] = '*';
	put_string(p, str_of(name, short_name.n + param->extended));
}

static void put_params(struct printer *p, const struct content_params *params)
{
	uint32_t i = 0;
	for (; i < params->n && !is_full(p); i++) {
		buf_putc(p->out, i ? ' ' : '(');
		put_name(p, &params->list[i]);
		buf_putc(p->out, ' ');
		put_string(p, params->list[i].value);
	}
	put(p, i ? ")" : "NIL");
}

static void put_disposition(struct printer *p, const struct content *c)
{
	if (c->disposition.n == 0 || is_full(p)) {
		put(p, "NIL");
		return;
	}
	buf_putc(p->out, '(');
	put_string(p, c->disposition);
	buf_putc(p->out, ' ');
	put_params(p, &c->disposition_params);
	buf_putc(p->out, ')');
}

static void put_languages(struct printer *p, const struct content *c)
{
	uint32_t n = is_full(p) ? 0 : c->languages_n;
	if (n == 0)
		put(p, "NIL");
	else if (n == 1)
		put_string(p, c->languages[0]);
	for (uint32_t i = 0; n > 1 && i < n; i++) {
		buf_putc(p->out, i ? ' ' : '(');
		put_string(p, c->languages[i]);
	}
	if (n > 1)
		buf_putc(p->out, ')');
}

/* body-fld-dsp, body-fld-lang, body-fld-loc, which both kinds end with. */
static void put_tail(struct printer *p, const struct content *c)
{
	buf_putc(p->out, ' ');
	put_disposition(p, c);
	buf_putc(p->out, ' ');
	put_languages(p, c);
	buf_putc(p->out, ' ');
	put_nstring(p, c->location);
}

static void put_type_params(struct printer *p, const struct mime_part *part)
{
	if (part->kind == MIME_TEXT && (part->opaque || !part->content->type.p))
		put(p, "(\"charset\" \"us-ascii\")");
	else
		put_params(p, &part->content->type_params);
}

static void put_fields(struct printer *p, const struct mime_part *part)
{
	const struct content *c = part->content;
	put_string(p, part->type);
	buf_putc(p->out, ' ');
	put_string(p, part->subtype);
	buf_putc(p->out, ' ');
	put_type_params(p, part);
	buf_putc(p->out, ' ');
	put_nstring(p, c->id);
	buf_putc(p->out, ' ');
	put_nstring(p, c->description);
	buf_putc(p->out, ' ');
	put_string(p, c->encoding_name.n ? c->encoding_name : STR("7bit"));
	buf_putc(p->out, ' ');
	buf_put_u64(p->out, part->body_n);
}

static void put_part(struct printer *p, const struct mime_part *part);

static void put_message(struct printer *p, const struct mime_part *part)
{
	const struct mime_part *inner = &p->table->parts[part->child];
	buf_putc(p->out, ' ');
	if (is_full(p))
		put(p, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	else
		envelope_print(inner->header, p->mem, p->out);
	buf_putc(p->out, ' ');
	put_part(p, inner);
}

static void put_leaf(struct printer *p, const struct mime_part *part)
{
	put_fields(p, part);
	if (part->kind == MIME_MESSAGE)
		put_message(p, part);
	if (part->kind == MIME_MESSAGE || part->kind == MIME_TEXT) {
		buf_putc(p->out, ' ');
		buf_put_u64(p->out, part->lines);
	}
	if (!p->extended)
		return;
	buf_putc(p->out, ' ');
	put_nstring(p, part->content->md5);
	put_tail(p, part->content);
}

static void put_multipart(struct printer *p, const struct mime_part *part)
{
	for (uint32_t c = part->child; c != MIME_NONE; c = p->table->parts[c].next)
		put_part(p, &p->table->parts[c]);
	buf_putc(p->out, ' ');
	put_string(p, part->subtype);
	if (!p->extended)
		return;
	buf_putc(p->out, ' ');
	put_params(p, &part->content->type_params);
	put_tail(p, part->content);
}

static void put_part(struct printer *p, const struct mime_part *part)
{
	buf_putc(p->out, '(');
	if (part->kind == MIME_MULTIPART)
		put_multipart(p, part);
	else
		put_leaf(p, part);
	buf_putc(p->out, ')');
}

void bodystructure_print(const struct mime_table *t, bool extended, arena *mem, buf *out)
{
	struct printer p = {t, extended, mem, out, out->n + STRUCTURE_MAX};
	put_part(&p, &t->parts[0]);
}
