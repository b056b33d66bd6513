#include "grammar/text/html_text.h"
#include "grammar/text/charset.h"
#include "grammar/text/html_entities.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static void put_gap(struct html_text *h, buf *out)
{
	if (h->gap && h->any)
		buf_putc(out, h->gap);
	h->gap = 0;
	h->any = true;
}

static void put_char(struct html_text *h, char c, buf *out)
{
	if (is_space(c)) {
		h->gap = h->gap ? h->gap : ' ';
		return;
	}
	put_gap(h, out);
	buf_putc(out, c);
}

static bool breaks_line(str name)
{
	static const str names[] = {
		STR_INIT("p"),       STR_INIT("br"),      STR_INIT("tr"),     STR_INIT("td"),     STR_INIT("th"),
		STR_INIT("li"),      STR_INIT("ul"),      STR_INIT("ol"),     STR_INIT("h1"),     STR_INIT("h2"),
		STR_INIT("h3"),      STR_INIT("h4"),      STR_INIT("h5"),     STR_INIT("h6"),     STR_INIT("hr"),
		STR_INIT("dt"),      STR_INIT("dd"),      STR_INIT("dl"),     STR_INIT("div"),    STR_INIT("pre"),
		STR_INIT("body"),    STR_INIT("head"),    STR_INIT("form"),   STR_INIT("title"),  STR_INIT("table"),
		STR_INIT("option"),  STR_INIT("header"),  STR_INIT("footer"), STR_INIT("center"), STR_INIT("section"),
		STR_INIT("article"), STR_INIT("blockquote"),
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].n == name.n && memcmp(names[i].p, name.p, name.n) == 0)
			return true;
	return false;
}

/* A tag is whole. */
static void end_tag(struct html_text *h)
{
	str name = str_of(h->name, h->name_n);
	h->state = HTML_TEXT;
	if (str_eq(name, STR("script")) || str_eq(name, STR("style"))) {
		h->state = HTML_RAW;
		h->style = name.p[1] == 't';
		h->matched = 0;
	}
	if (name.n > 0 && name.p[0] == '/')
		name = str_skip(name, 1);
	if (breaks_line(name))
		h->gap = '\n';
}

/* What a number denotes (13.2.5.80), false when it is none. */
static bool numbered(str digits, uint32_t *out)
{
	uint32_t base = digits.n > 0 && ascii_lower(str_at(digits, 0)) == 'x' ? 16 : 10, v = 0;
	size_t i = base == 16;
	if (i == digits.n)
		return false;
	for (; i < digits.n; i++) {
		uint32_t d = (uint32_t)ascii_hex(str_at(digits, i)); /* none: above every base */
		if (d >= base)
			return false;
		v = v > 0x110000 ? v : v * base + d;
	}
	*out = v == 0 ? 0xFFFD : v >= 0x80 && v < 0xA0 ? windows_1252((unsigned char)v) : v;
	return true;
}

static void put_code(struct html_text *h, uint32_t code, buf *out)
{
	if (code < 0x80 || code == 0xA0) {
		put_char(h, code == 0xA0 ? ' ' : (char)code, out);
	} else {
		put_gap(h, out);
		utf8_put(out, code);
	}
}

/* No reference, but an old name may stand in front ("&copy2024"). */
static void not_an_entity(struct html_text *h, buf *out)
{
	size_t used = 0;
	uint32_t code = html_old_entity(str_of(h->entity, h->entity_n), &used);
	h->state = HTML_TEXT;
	if (code)
		put_code(h, code, out);
	else
		put_char(h, '&', out);
	for (size_t i = used; i < h->entity_n; i++)
		put_char(h, h->entity[i], out);
}

/* A reference ends, with or without its semicolon; false: `c` is still to be taken. */
static bool end_entity(struct html_text *h, char c, buf *out)
{
	str name = str_of(h->entity, h->entity_n);
	uint32_t code = 0;
	bool number = name.n > 0 && name.p[0] == '#';
	bool is = number && numbered(str_skip(name, 1), &code);
	if (!number && c == ';')
		is = (code = html_entity(name)) != 0;
	h->state = HTML_TEXT;
	if (!is) {
		not_an_entity(h, out);
		return false;
	}
	put_code(h, code, out);
	return c == ';';
}

static bool in_entity(struct html_text *h, char c, buf *out)
{
	bool fits = ascii_alpha((unsigned char)c) || ascii_digit((unsigned char)c) || (c == '#' && h->entity_n == 0);
	if (!fits)
		return end_entity(h, c, out);
	if (h->entity_n == HTML_ENTITY_MAX) {
		not_an_entity(h, out);
		return false;
	}
	h->entity[h->entity_n++] = c;
	return true;
}

static bool after_less(struct html_text *h, char c, buf *out)
{
	if (!ascii_alpha((unsigned char)c) && c != '/' && c != '!' && c != '?') {
		h->state = HTML_TEXT;
		put_char(h, '<', out);
		return false;
	}
	h->state = HTML_NAME;
	h->name[0] = (char)ascii_lower((unsigned char)c);
	h->name_n = 1;
	h->after_equals = false;
	return true;
}

static bool in_name(struct html_text *h, char c)
{
	if (c == '>' || is_space(c) || (c == '/' && h->name_n > 0)) {
		h->state = HTML_TAG;
		return false;
	}
	if (h->name_n < sizeof h->name)
		h->name[h->name_n++] = (char)ascii_lower((unsigned char)c);
	if (h->name_n == 3 && memcmp(h->name, "!--", 3) == 0) {
		h->state = HTML_COMMENT;
		h->matched = 0;
	}
	return true;
}

static void in_tag(struct html_text *h, char c)
{
	if (c == '>') {
		end_tag(h);
	} else if ((c == '"' || c == '\'') && h->after_equals) {
		h->state = HTML_QUOTED;
		h->quote = c;
	}
	h->after_equals = c == '=' || (h->after_equals && is_space(c));
}

static void in_comment(struct html_text *h, char c)
{
	if (c == '>' && h->matched >= 2)
		h->state = HTML_TEXT;
	h->matched = c == '-' ? (uint8_t)(h->matched < 2 ? h->matched + 1 : 2) : 0;
}

static void in_raw(struct html_text *h, char c)
{
	str end = h->style ? STR("</style") : STR("</script");
	if (ascii_lower((unsigned char)c) == str_at(end, h->matched))
		h->matched++;
	else
		h->matched = c == '<';
	if (h->matched == end.n) {
		h->state = HTML_TAG;
		h->name_n = 0;
		h->after_equals = false;
	}
}

/* False: the state changed and the character is to be looked at again. */
static bool take(struct html_text *h, char c, buf *out)
{
	switch (h->state) {
	case HTML_TEXT:
		if (c == '<')
			h->state = HTML_LESS;
		else if (c == '&')
			h->state = HTML_ENTITY, h->entity_n = 0;
		else
			put_char(h, c, out);
		return true;
	case HTML_LESS:
		return after_less(h, c, out);
	case HTML_NAME:
		return in_name(h, c);
	case HTML_TAG:
		in_tag(h, c);
		return true;
	case HTML_QUOTED:
		if (c == h->quote)
			h->state = HTML_TAG;
		return true;
	case HTML_COMMENT:
		in_comment(h, c);
		return true;
	case HTML_RAW:
		in_raw(h, c);
		return true;
	case HTML_ENTITY:
		return in_entity(h, c, out);
	}
	return true;
}

/* Text without marks and blanks goes out in one piece. */
static size_t plain_run(const struct html_text *h, str s)
{
	size_t n = 0;
	while (h->state == HTML_TEXT && n < s.n && s.p[n] != '<' && s.p[n] != '&' && !is_space(s.p[n]))
		n++;
	return n;
}

void html_text_feed(struct html_text *h, str s, buf *out)
{
	for (size_t i = 0; i < s.n && !out->broken;) {
		size_t run = plain_run(h, str_skip(s, i));
		if (run > 0) {
			put_gap(h, out);
			buf_put(out, str_sub(s, i, run));
			i += run;
		} else if (take(h, s.p[i], out)) {
			i++;
		}
	}
}

void html_text_finish(struct html_text *h, buf *out)
{
	if (h->state == HTML_ENTITY)
		end_entity(h, ' ', out);
	else if (h->state == HTML_LESS)
		put_char(h, '<', out);
	h->state = HTML_TEXT;
}
