#include "grammar/mime/content.h"
#include "grammar/mime/cfws.h"
#include "grammar/mime/content_join.h"

/* token (RFC 2045 5.1), 8-bit bytes let through. */
static bool is_token(unsigned char c)
{
	return c > 32 && c != 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* The quoted string at the cursor, quotes and escapes still in. */
static str quoted_raw(cursor *c)
{
	cursor_next(c);
	const char *from = c->p;
	while (!cursor_done(c) && cursor_peek(c) != '"')
		if (cursor_next(c) == '\\' && !cursor_done(c))
			cursor_next(c);
	str raw = str_of(from, (size_t)(c->p - from));
	cursor_eat(c, '"');
	return raw;
}

static str quoted(cursor *c, arena *a)
{
	str raw = quoted_raw(c);
	size_t plain = 0;
	while (plain < raw.n && raw.p[plain] != '\\' && raw.p[plain] != '\r' && raw.p[plain] != '\n')
		plain++;
	if (plain == raw.n)
		return str_sub(raw, 0, CONTENT_VALUE_MAX);
	size_t max = raw.n < CONTENT_VALUE_MAX ? raw.n : CONTENT_VALUE_MAX;
	char *to = arena_alloc(a, max);
	size_t n = 0;
	for (size_t i = 0; to && i < raw.n && n < max; i++) {
		if (raw.p[i] == '\r' || raw.p[i] == '\n')
			continue;
		/* Windows' paths come unescaped: a backslash means itself before anything else. */
		i += raw.p[i] == '\\' && i + 1 < raw.n && (raw.p[i + 1] == '"' || raw.p[i + 1] == '\\');
		to[n++] = raw.p[i];
	}
	return str_of(to, n);
}

/* Does "; name=" or, its semicolon forgotten, "name=" come next? */
static bool at_next_param(cursor c)
{
	if (cursor_peek(&c) == ';')
		return true;
	return cursor_while(&c, is_token).n > 0 && cursor_peek(&c) == '=';
}

/* A value without quotes: a token, or what blanks and slashes make of it in
 * the wild ("name=my file.doc"). */
static str bare(cursor *c)
{
	const char *from = c->p;
	const char *end = from;
	while (!cursor_done(c) && cursor_peek(c) != ';') {
		if (cfws_blank((unsigned char)cursor_peek(c))) {
			cursor_while(c, cfws_blank);
			if (cursor_peek(c) == '(' || at_next_param(*c))
				break;
		} else {
			cursor_next(c);
			end = c->p;
		}
	}
	return str_sub(str_of(from, (size_t)(end - from)), 0, CONTENT_VALUE_MAX);
}

static bool next_param(cursor *c, arena *a, struct raw_param *out)
{
	for (;;) {
		cfws_skip(c);
		if (cursor_done(c))
			return false;
		if (cursor_eat(c, ';'))
			continue;
		str name = cursor_while(c, is_token);
		cfws_skip(c);
		if (name.n > 0 && cursor_eat(c, '=')) {
			cfws_skip(c);
			str value = cursor_peek(c) == '"' ? quoted(c, a) : bare(c);
			*out = raw_param_of(name, value);
			return true;
		}
		/* No parameter: on to the next semicolon. */
		str rest = str_of(c->p, cursor_left(c));
		size_t semicolon = str_chr(rest, ';');
		cursor_take(c, semicolon == STR_NONE ? rest.n : semicolon);
	}
}

static bool in_head(unsigned char c)
{
	return c != ';' && c != '(' && !cfws_blank(c);
}

/* "text / plain" is put together again; behind the first word without a slash
 * on either side of the gap the head ends. */
static str head_of(cursor *c, arena *a)
{
	cfws_skip(c);
	str head = cursor_while(c, in_head);
	cfws_skip(c);
	bool split = (head.n > 0 && head.p[head.n - 1] == '/') || cursor_peek(c) == '/';
	if (!split || head.n == 0)
		return head;
	size_t max = head.n + cursor_left(c);
	char *to = arena_alloc(a, max);
	size_t n = head.n;
	if (!to)
		return head;
	memcpy(to, head.p, head.n);
	for (int words = 0; words < 2; words++) {
		str more = cursor_while(c, in_head);
		if (more.n)
			memcpy(to + n, more.p, more.n);
		n += more.n;
		cfws_skip(c);
		if (n > 0 && to[n - 1] != '/')
			break;
	}
	return str_of(to, n);
}

/* "token/token; parameters" or "token; parameters". `head` gets what stands
 * before the first semicolon, blanks and comments off. */
static result split_field(str value, arena *a, str *head, struct content_params *params)
{
	struct raw_param raw[CONTENT_PARAMS_MAX];
	size_t n = 0;
	cursor c = cursor_on(value);
	str first = head_of(&c, a);
	while (n < CONTENT_PARAMS_MAX && next_param(&c, a, &raw[n]))
		n++;
	if (a->broken)
		return arena_result(a);
	TRY(params_join(raw, n, a, params));
	*head = first;
	return OK;
}

const struct content_param *content_param(const struct content_params *p, str name)
{
	const struct content_param *found = NULL;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct content_param *one = &p->list[i];
		if ((!found || (one->extended && !found->extended)) && str_ieq(one->name, name))
			found = one;
	}
	return found;
}

const struct content_param *content_file_name(const struct content *c)
{
	const struct content_param *p = content_param(&c->disposition_params, STR("filename"));
	return p ? p : content_param(&c->type_params, STR("name"));
}

static enum content_encoding encoding_of(str name)
{
	static const struct {
		str name;
		enum content_encoding encoding;
	} known[] = {
		{STR_INIT("7bit"), ENCODING_7BIT},     {STR_INIT("8bit"), ENCODING_8BIT},
		{STR_INIT("binary"), ENCODING_BINARY}, {STR_INIT("quoted-printable"), ENCODING_QUOTED_PRINTABLE},
		{STR_INIT("base64"), ENCODING_BASE64},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (str_ieq(name, known[i].name))
			return known[i].encoding;
	return name.n ? ENCODING_OTHER : ENCODING_7BIT;
}

static void split_type(str head, struct content *out)
{
	size_t slash = str_chr(head, '/');
	if (slash == STR_NONE || slash == 0 || slash + 1 == head.n)
		return;
	out->type = str_sub(head, 0, slash);
	out->subtype = str_skip(head, slash + 1);
}

static void languages(str value, struct content *out)
{
	cursor c = cursor_on(value);
	cfws_skip(&c);
	while (!cursor_done(&c) && out->languages_n < CONTENT_LANGUAGES_MAX) {
		str tag = cursor_while(&c, is_token);
		if (tag.n)
			out->languages[out->languages_n++] = tag;
		else
			cursor_next(&c);
		cfws_skip(&c);
		cursor_eat(&c, ',');
		cfws_skip(&c);
	}
}

static str text_value(const struct header *h, enum header_id id, arena *a)
{
	str value = header_value(h, id);
	return value.p ? str_trim(header_unfold(a, value)) : value;
}

result content_parse(const struct header *h, arena *a, struct content *out)
{
	struct content c = {0};
	struct content_params ignored;
	str head = {0};
	if (header_first(h, HEADER_CONTENT_TYPE))
		TRY(split_field(header_value(h, HEADER_CONTENT_TYPE), a, &head, &c.type_params));
	split_type(head, &c);
	if (header_first(h, HEADER_CONTENT_DISPOSITION))
		TRY(split_field(header_value(h, HEADER_CONTENT_DISPOSITION), a, &c.disposition,
		                  &c.disposition_params));
	if (header_first(h, HEADER_CONTENT_TRANSFER_ENCODING))
		TRY(split_field(header_value(h, HEADER_CONTENT_TRANSFER_ENCODING), a, &c.encoding_name, &ignored));
	c.encoding = encoding_of(c.encoding_name);
	c.id = text_value(h, HEADER_CONTENT_ID, a);
	c.description = text_value(h, HEADER_CONTENT_DESCRIPTION, a);
	c.md5 = text_value(h, HEADER_CONTENT_MD5, a);
	c.location = text_value(h, HEADER_CONTENT_LOCATION, a);
	languages(header_value(h, HEADER_CONTENT_LANGUAGE), &c);
	if (a->broken)
		return arena_result(a);
	*out = c;
	return OK;
}
