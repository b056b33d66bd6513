#include "grammar/mime/mime.h"

/* A part whose end is not yet seen. */
struct open_part {
	uint32_t index;
	uint32_t last_child;
	uint64_t body_lf; /* LFs before its body */
	str boundary;     /* p is NULL for a leaf, and once the close delimiter was seen */
	bool digest;
};

struct parser {
	str text;
	arena *mem;
	struct mime_part *parts;
	uint32_t n, cap;
	struct open_part open[MIME_DEPTH_MAX + 1];
	size_t depth;       /* open parts; the innermost is open[depth - 1] */
	bool in_header;     /* of the innermost */
	bool any_boundary;
	size_t at;          /* start of the line looked at */
	uint64_t lf;        /* LFs before `at` */
	uint32_t fields_left;
	size_t bytes_left;  /* of headers still looked at */
};

static struct open_part *innermost(struct parser *p)
{
	return &p->open[p->depth - 1];
}

static struct mime_part *part_of(struct parser *p, const struct open_part *o)
{
	return &p->parts[o->index];
}

static bool make_room(struct parser *p)
{
	if (p->n < p->cap)
		return true;
	uint32_t cap = p->cap ? p->cap * 4 : 4;
	struct mime_part *parts = arena_array(p->mem, cap, sizeof *parts);
	if (!parts)
		return false;
	if (p->n)
		memcpy(parts, p->parts, p->n * sizeof *parts);
	p->parts = parts;
	p->cap = cap;
	return true;
}

/* Opens a child of the innermost part (or part 0) whose header starts at `at`. */
static bool open_part(struct parser *p, size_t at)
{
	if (!make_room(p))
		return false;
	uint32_t index = p->n++;
	struct mime_part *part = &p->parts[index];
	*part = (struct mime_part){.parent = MIME_NONE, .child = MIME_NONE, .next = MIME_NONE, .number = 1,
	                           .header_at = at, .body_at = at};
	if (p->depth > 0) {
		struct open_part *o = innermost(p);
		struct mime_part *parent = part_of(p, o);
		part->parent = o->index;
		part->depth = (uint16_t)(parent->depth + 1);
		part->number = ++parent->children;
		if (parent->children == 1)
			parent->child = index;
		else
			p->parts[o->last_child].next = index;
		o->last_child = index;
	}
	p->open[p->depth++] = (struct open_part){.index = index};
	p->in_header = true;
	return true;
}

static bool may_nest(const struct parser *p)
{
	return p->depth <= MIME_DEPTH_MAX && p->n < MIME_PARTS_MAX;
}

static void set_type(struct mime_part *part, str type, str subtype)
{
	part->type = type;
	part->subtype = subtype;
}

/* RFC 2045 5.2 and RFC 2046 5.1.5: what a part is that does not say it well. */
static void effective_type(const struct parser *p, struct mime_part *part)
{
	bool in_digest = p->depth > 1 && p->open[p->depth - 2].digest;
	if (part->content->type.p)
		set_type(part, part->content->type, part->content->subtype);
	else if (in_digest && !header_first(part->header, HEADER_CONTENT_TYPE))
		set_type(part, STR("message"), STR("rfc822"));
	else
		set_type(part, STR("text"), STR("plain"));
}

static void make_opaque(struct mime_part *part)
{
	bool encoded = !encoding_is_identity(part->content->encoding) && part->kind == MIME_MESSAGE;
	part->opaque = true;
	part->charset = (str){NULL, 0};
	part->kind = encoded ? MIME_OTHER : MIME_TEXT;
	if (encoded)
		set_type(part, STR("application"), STR("octet-stream"));
	else
		set_type(part, STR("text"), STR("plain"));
}

static void note_boundary(struct parser *p, struct open_part *o, struct mime_part *part)
{
	const struct content_param *b = content_param(&part->content->type_params, STR("boundary"));
	str boundary = b ? b->value : (str){NULL, 0};
	/* Trailing blanks cannot be told from padding (RFC 2046 5.1.1). */
	while (boundary.n > 0 && (boundary.p[boundary.n - 1] == ' ' || boundary.p[boundary.n - 1] == '\t'))
		boundary.n--;
	if (boundary.n == 0 || boundary.n > MIME_BOUNDARY_MAX || !may_nest(p)) {
		make_opaque(part);
		return;
	}
	o->boundary = boundary;
	o->digest = str_ieq(part->subtype, STR("digest"));
	p->any_boundary = true;
	if (part->parent == MIME_NONE || p->parts[part->parent].kind == MIME_MESSAGE)
		part->number = 0;
}

static enum mime_kind kind_of(const struct mime_part *part)
{
	if (str_ieq(part->type, STR("multipart")))
		return MIME_MULTIPART;
	if (mime_is(part, STR("message"), STR("rfc822")) || mime_is(part, STR("message"), STR("global")))
		return MIME_MESSAGE;
	return str_ieq(part->type, STR("text")) ? MIME_TEXT : MIME_OTHER;
}

static void fill_views(struct mime_part *part)
{
	const struct content_param *charset = content_param(&part->content->type_params, STR("charset"));
	part->kind = (uint8_t)kind_of(part);
	part->encoding = (uint8_t)part->content->encoding;
	part->disposition = part->content->disposition;
	if (charset)
		part->charset = charset->value;
}

static result read_header(struct parser *p, struct mime_part *part)
{
	str block = str_sub(p->text, part->header_at, part->header_n);
	block = str_sub(block, 0, HEADER_BYTES_MAX);
	block = str_sub(block, 0, p->bytes_left);
	p->bytes_left -= block.n;
	part->header = arena_alloc(p->mem, sizeof *part->header);
	part->content = arena_alloc(p->mem, sizeof *part->content);
	if (!part->header || !part->content)
		return arena_result(p->mem);
	TRY(header_parse(block, p->fields_left, p->mem, part->header));
	p->fields_left -= part->header->n;
	return content_parse(part->header, p->mem, part->content);
}

/* The header of the innermost part ends at `end`, where its body starts. */
static result end_header(struct parser *p, size_t end, uint64_t lf)
{
	struct open_part *o = innermost(p);
	struct mime_part *part = part_of(p, o);
	part->header_n = end - part->header_at;
	part->body_at = end;
	o->body_lf = lf;
	p->in_header = false;
	TRY(read_header(p, part));
	effective_type(p, part);
	fill_views(part);
	if (part->kind == MIME_MULTIPART)
		note_boundary(p, o, part);
	else if (part->kind == MIME_MESSAGE && (!encoding_is_identity(part->content->encoding) || !may_nest(p)))
		make_opaque(part);
	return OK;
}

struct mark {
	size_t end;
	uint64_t lf; /* LFs before `end` */
};

/* Closes open parts down to `keep` of them. Content ends at `content`; what had
 * its empty line taken by the delimiter ends at the delimiter `line` instead,
 * and its parents with it, so that children stay inside. */
static result close_parts(struct parser *p, size_t keep, struct mark content, struct mark line)
{
	if (p->in_header && p->depth > keep) {
		TRY(end_header(p, line.end, line.lf));
		if (part_of(p, innermost(p))->kind == MIME_MESSAGE)
			make_opaque(part_of(p, innermost(p)));
		content = line;
	}
	for (; p->depth > keep; p->depth--) {
		struct open_part *o = innermost(p);
		struct mime_part *part = part_of(p, o);
		if (part->body_at > content.end)
			content = line;
		part->body_n = content.end - part->body_at;
		part->lines = content.lf - o->body_lf;
		if (part->kind == MIME_MULTIPART && part->children == 0) {
			make_opaque(part);
			part->number = part->number ? part->number : 1;
		}
	}
	p->in_header = false;
	return OK;
}

static size_t trim_end(str text, size_t at, size_t end)
{
	while (end > at && strchr(" \t\r\n", text.p[end - 1]) && text.p[end - 1])
		end--;
	return end;
}

/* The innermost open multipart whose delimiter `word` (the line behind "--",
 * padding off) is: its place in `open` + 1, 0 for none. */
static size_t find_boundary(const struct parser *p, str word)
{
	if (word.n == 0 || word.n > MIME_BOUNDARY_MAX + 2)
		return 0;
	for (size_t i = p->depth; i > 0; i--)
		if (p->open[i - 1].boundary.n == word.n && str_eq(p->open[i - 1].boundary, word))
			return i;
	return 0;
}

static result at_delimiter(struct parser *p, size_t level, bool closing, size_t end)
{
	struct mark line = {p->at, p->lf};
	struct mark content = line;
	if (p->at > 0 && p->text.p[p->at - 1] == '\n') {
		content.end -= p->at > 1 && p->text.p[p->at - 2] == '\r' ? 2 : 1;
		content.lf--;
	}
	TRY(close_parts(p, level, content, line));
	if (closing)
		innermost(p)->boundary = (str){NULL, 0};
	else if (may_nest(p) && !open_part(p, end))
		return arena_result(p->mem);
	return OK;
}

/* Is the line a delimiter of an open multipart? Then the parts change. */
static result try_delimiter(struct parser *p, size_t end, bool *was)
{
	str word = str_sub(p->text, p->at + 2, trim_end(p->text, p->at + 2, end) - p->at - 2);
	size_t level = find_boundary(p, word);
	bool closing = false;
	if (level == 0 && str_ends(word, STR("--"))) {
		level = find_boundary(p, str_sub(word, 0, word.n - 2));
		closing = true;
	}
	*was = level > 0;
	return *was ? at_delimiter(p, level, closing, end) : OK;
}

/* An empty line in a header; a message inside a message starts right behind. */
static result at_empty_line(struct parser *p, size_t end)
{
	TRY(end_header(p, end, p->lf + 1));
	if (part_of(p, innermost(p))->kind == MIME_MESSAGE && !open_part(p, end))
		return arena_result(p->mem);
	return OK;
}

static result lines(struct parser *p)
{
	while (p->at < p->text.n) {
		size_t end = line_end(p->text, p->at);
		bool delimiter = false;
		if (p->any_boundary && end - p->at > 2 && p->text.p[p->at] == '-' && p->text.p[p->at + 1] == '-')
			TRY(try_delimiter(p, end, &delimiter));
		if (!delimiter && p->in_header && line_is_empty(p->text, p->at, end))
			TRY(at_empty_line(p, end));
		p->lf += p->text.p[end - 1] == '\n';
		p->at = end;
	}
	return OK;
}

result mime_parse(str message, arena *a, struct mime_table *out)
{
	struct parser p = {.text = message, .mem = a, .fields_left = MIME_FIELDS_MAX, .bytes_left = MIME_HEADERS_MAX};
	if (!open_part(&p, 0))
		return arena_result(a);
	TRY(lines(&p));
	struct mark end = {message.n, p.lf};
	TRY(close_parts(&p, 0, end, end));
	*out = (struct mime_table){p.parts, p.n};
	return OK;
}

uint32_t mime_inner(const struct mime_table *t, uint32_t part)
{
	return part < t->n && t->parts[part].kind == MIME_MESSAGE ? t->parts[part].child : MIME_NONE;
}

static uint32_t child_number(const struct mime_table *t, uint32_t part, uint32_t number)
{
	uint32_t child = t->parts[part].child;
	while (child != MIME_NONE && t->parts[child].number != number)
		child = t->parts[child].next;
	return child;
}

uint32_t mime_section(const struct mime_table *t, const uint32_t *numbers, size_t n)
{
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		/* Below a MESSAGE the numbers are those of the message inside it. */
		bool fresh = i == 0 || t->parts[at].kind == MIME_MESSAGE;
		if (i > 0 && fresh)
			at = t->parts[at].child;
		if (t->parts[at].kind == MIME_MULTIPART)
			at = child_number(t, at, numbers[i]);
		else if (!fresh || numbers[i] != 1)
			at = MIME_NONE;
		if (at == MIME_NONE)
			return MIME_NONE;
	}
	return at;
}
