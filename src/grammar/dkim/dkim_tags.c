#include "grammar/dkim/dkim_tags.h"

#include "grammar/text/base64.h"

static bool is_name(str s)
{
	if (s.n == 0 || !ascii_alpha(str_at(s, 0)))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!ascii_alpha(str_at(s, i)) && !ascii_digit(str_at(s, i)) && s.p[i] != '_')
			return false;
	return true;
}

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_value(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		if ((c < 0x21 && !is_space(c)) || c == 0x7f)
			return false;
	}
	return str_is_ascii(s) || str_is_utf8(s);
}

static result add(struct dkim_tags *t, str spec)
{
	size_t equals = str_chr(spec, '=');
	struct dkim_tag tag = {str_trim(str_sub(spec, 0, equals)), str_trim(str_skip(spec, equals + 1))};
	if (equals == STR_NONE || !is_name(tag.name) || !is_value(tag.value))
		return failure(FAIL_INPUT, "a tag is not written as name=value");
	if (t->n == DKIM_TAGS_MAX)
		return failure(FAIL_INPUT, "there are more tags than anybody needs");
	if (dkim_tag(t, tag.name))
		return failure(FAIL_INPUT, "a tag occurs twice");
	t->list[t->n++] = tag;
	return OK;
}

result dkim_tags_parse(str text, struct dkim_tags *out)
{
	str rest = text;
	out->n = 0;
	while (rest.n > 0) {
		size_t end = str_chr(rest, ';');
		str spec = str_trim(str_sub(rest, 0, end));
		rest = end == STR_NONE ? str_skip(rest, rest.n) : str_skip(rest, end + 1);
		if (spec.n == 0 && end == STR_NONE)
			break; /* the last tag may end with a semicolon */
		TRY(add(out, spec));
	}
	return out->n > 0 ? OK : failure(FAIL_INPUT, "there is no tag");
}

const str *dkim_tag(const struct dkim_tags *t, str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->list[i].name, name))
			return &t->list[i].value;
	return NULL;
}

bool dkim_word_next(str *rest, str *word)
{
	if (!rest->p)
		return false;
	size_t end = str_chr(*rest, ':');
	*word = str_trim(str_sub(*rest, 0, end));
	*rest = end == STR_NONE ? (str){NULL, 0} : str_skip(*rest, end + 1);
	return true;
}

result dkim_base64(str value, arena *a, str *out)
{
	AUTO_BUF buf packed = buf_new(value.n + 1), plain = buf_new(value.n + 1);
	for (size_t i = 0; i < value.n; i++)
		if (!is_space(str_at(value, i)))
			buf_putc(&packed, value.p[i]);
	TRY(buf_result(&packed));
	TRY(base64_decode(&plain, buf_str(&packed)));
	*out = arena_dup(a, buf_str(&plain));
	return out->p || a->broken == FAIL_NONE ? OK : arena_result(a);
}

static void fold(buf *out, size_t *line)
{
	buf_put(out, STR("\r\n"));
	*line = out->n;
	buf_putc(out, '\t');
}

/* A value that is longer than a line is cut behind its colons, where folds may stand. */
static void put_value(buf *out, size_t *line, str value)
{
	str rest = value;
	while (rest.n > 0) {
		size_t colon = str_chr(rest, ':');
		str word = str_sub(rest, 0, colon == STR_NONE ? rest.n : colon + 1);
		if (word.n < value.n && out->n - *line + word.n > DKIM_LINE)
			fold(out, line);
		buf_put(out, word);
		rest = str_skip(rest, word.n);
	}
}

void dkim_tag_print(buf *out, size_t *line, const struct dkim_tag *tag)
{
	size_t word = str_chr(tag->value, ':');
	size_t first = tag->name.n + 1 + (word == STR_NONE ? tag->value.n : word + 1);
	if (out->n > *line && out->p[out->n - 1] != ' ')
		buf_putc(out, ';');
	if (out->n - *line + 1 + first > DKIM_LINE)
		fold(out, line);
	else if (out->n > *line && out->p[out->n - 1] == ';')
		buf_putc(out, ' ');
	buf_put(out, tag->name);
	buf_putc(out, '=');
	put_value(out, line, tag->value);
}
