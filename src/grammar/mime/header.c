#include "grammar/mime/header.h"

size_t line_end(str text, size_t at)
{
	const char *lf = at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;
	return lf ? (size_t)(lf - text.p) + 1 : text.n;
}

bool line_is_empty(str text, size_t at, size_t end)
{
	size_t n = end - at;
	return (n == 1 && text.p[at] == '\n') || (n == 2 && text.p[at] == '\r' && text.p[at + 1] == '\n');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t block_end_of_field(str text, size_t at)
{
	size_t end = line_end(text, at);
	while (end < text.n && is_blank(text.p[end]))
		end = line_end(text, end);
	return end;
}

static enum header_id id_of(str name)
{
	static const struct {
		str name;
		enum header_id id;
	} known[] = {
#define X(ID, NAME) {STR_INIT(NAME), HEADER_##ID},
		HEADER_IDS(X)
#undef X
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].name.n == name.n && str_ieq(known[i].name, name))
			return known[i].id;
	return HEADER_OTHER;
}

/* ftext (3.6.8), then blanks, then the colon: its place, or STR_NONE. */
static size_t colon_of(str line, size_t *name_length)
{
	size_t i = 0;
	while (i < line.n && i <= HEADER_NAME_MAX && str_at(line, i) > 32 && str_at(line, i) < 127 && line.p[i] != ':')
		i++;
	if (i == 0 || i > HEADER_NAME_MAX)
		return STR_NONE;
	*name_length = i;
	while (i < line.n && is_blank(line.p[i]))
		i++;
	return i < line.n && line.p[i] == ':' ? i : STR_NONE;
}

static bool as_field(str raw, struct header_field *out)
{
	size_t name_length;
	/* A byte order mark that an editor left before the first field. */
	str line = str_skip(raw, str_starts(raw, STR("\xef\xbb\xbf")) ? 3 : 0);
	size_t colon = colon_of(line, &name_length);
	if (colon == STR_NONE)
		return false;
	out->name = str_sub(line, 0, name_length);
	out->value = str_trim(str_skip(line, colon + 1));
	out->raw = raw;
	out->id = id_of(out->name);
	return true;
}

bool header_next(struct header_walk *w, struct header_field *out)
{
	while (w->at < w->text.n) {
		size_t first = line_end(w->text, w->at);
		if (line_is_empty(w->text, w->at, first)) {
			/* The rest is body: nothing more will be found. */
			w->at = first;
			w->text.n = first;
			return false;
		}
		size_t end = block_end_of_field(w->text, w->at);
		str raw = str_sub(w->text, w->at, end - w->at);
		w->at = end;
		if (as_field(raw, out))
			return true;
	}
	return false;
}

size_t header_length(str text)
{
	for (size_t at = 0; at < text.n;) {
		size_t end = line_end(text, at);
		if (line_is_empty(text, at, end))
			return end;
		at = end;
	}
	return text.n;
}

/* Never less than the number of fields; counting first spares copies. */
static uint32_t count_lines(str block, uint32_t max)
{
	uint32_t n = 0;
	for (size_t at = 0; at < block.n && n < max; n++)
		at = block_end_of_field(block, at);
	return n;
}

result header_parse(str block, uint32_t fields_max, arena *a, struct header *out)
{
	struct header_walk walk = {.text = str_sub(block, 0, HEADER_BYTES_MAX)};
	uint32_t max = count_lines(walk.text, fields_max < HEADER_FIELDS_MAX ? fields_max : HEADER_FIELDS_MAX);
	struct header h = {0};
	struct header_field *fields = arena_array(a, max, sizeof *fields);
	if (!fields)
		return arena_result(a);
	while (h.n < max && header_next(&walk, &fields[h.n]))
		h.n++;
	for (size_t id = 0; id < HEADER_OTHER; id++)
		h.first[id] = h.n;
	for (uint32_t i = h.n; i-- > 0;)
		if (fields[i].id != HEADER_OTHER)
			h.first[fields[i].id] = i;
	h.fields = fields;
	*out = h;
	return OK;
}

const struct header_field *header_first(const struct header *h, enum header_id id)
{
	return h->first[id] < h->n ? &h->fields[h->first[id]] : NULL;
}

const struct header_field *header_after(const struct header *h, const struct header_field *f)
{
	for (const struct header_field *g = f + 1; g < h->fields + h->n; g++)
		if (g->id == f->id)
			return g;
	return NULL;
}

str header_value(const struct header *h, enum header_id id)
{
	const struct header_field *f = header_first(h, id);
	return f ? f->value : (str){NULL, 0};
}

str header_unfold(arena *a, str value)
{
	if (str_chr(value, '\n') == STR_NONE && str_chr(value, '\r') == STR_NONE)
		return value;
	char *to = arena_alloc(a, value.n);
	size_t n = 0;
	if (!to)
		return (str){NULL, 0};
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] != '\r' && value.p[i] != '\n') {
			to[n++] = value.p[i];
			continue;
		}
		while (i + 1 < value.n && (value.p[i + 1] == '\r' || value.p[i + 1] == '\n'))
			i++;
		if (i + 1 == value.n || !is_blank(value.p[i + 1]))
			to[n++] = ' ';
	}
	return str_of(to, n);
}
