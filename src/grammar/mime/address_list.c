#include "grammar/mime/address_list.h"
#include "grammar/mime/cfws.h"

/* What lies between two commas, and where its marks are (NULL: none). */
struct stretch {
	const char *from, *end;
	const char *open, *close; /* "<" and ">" */
	const char *at;           /* the last "@" before "<" */
	const char *colon;        /* ends a group's name */
	str comment;              /* inside of the last one */
};

/* From the opening quote to behind the closing one. */
static void skip_quoted(cursor *c)
{
	cursor_next(c);
	while (!cursor_done(c)) {
		int ch = cursor_next(c);
		if (ch == '"')
			return;
		if (ch == '\\' && !cursor_done(c))
			cursor_next(c);
	}
}

/* The inside of the comment at the cursor. */
static str take_comment(cursor *c)
{
	const char *from = c->p + 1;
	bool closed = cfws_comment(c);
	return str_of(from, (size_t)(c->p - from) - closed);
}

/* "[" without its "]" is a byte like others. */
static void skip_literal(cursor *c)
{
	cursor look = *c;
	cursor_next(&look);
	while (!cursor_done(&look) && !strchr("[],<>\"(", cursor_peek(&look)))
		cursor_next(&look);
	if (cursor_peek(&look) == ']')
		*c = look;
	cursor_next(c);
}

static bool in_address(unsigned char c)
{
	return c != '<' && c != '>' && c != ',';
}

/* Inside "<", a comma separates routes only where one has begun, and a ";" ends
 * a group only where no ">" follows ("<undisclosed-recipients:;@example.com>"). */
static void skip_angle(cursor *c, struct stretch *s)
{
	bool closes = false;
	s->open = c->p;
	cursor_next(c);
	cursor_while(c, cfws_blank);
	bool route = cursor_peek(c) == '@';
	while (!cursor_done(c)) {
		int ch = cursor_peek(c);
		route = route && ch != ':';
		if (ch == ';' && !closes) {
			cursor look = *c;
			cursor_while(&look, in_address);
			closes = cursor_peek(&look) == '>';
		}
		if (ch == '"')
			skip_quoted(c);
		else if (ch == '(')
			s->comment = take_comment(c);
		else if (ch == '[')
			skip_literal(c);
		else if ((ch == ',' && !route) || (ch == ';' && !closes))
			return;
		else if (cursor_next(c) == '>') {
			s->close = c->p - 1;
			return;
		}
	}
}

/* One step; false at what ends the stretch (which is not taken). */
static bool step(cursor *c, struct stretch *s, bool in_group)
{
	int ch = cursor_peek(c);
	switch (ch) {
	case '"':
		skip_quoted(c);
		return true;
	case '(':
		s->comment = take_comment(c);
		return true;
	case '[':
		skip_literal(c);
		return true;
	case '<':
		if (s->open)
			cursor_next(c);
		else
			skip_angle(c, s);
		return true;
	case '@':
		s->at = s->open ? s->at : c->p;
		break;
	case ':':
		if (in_group || s->open || s->at)
			break;
		s->colon = c->p;
		return false;
	case ',':
	case ';':
		return false;
	case -1:
		return false;
	default:
		break;
	}
	cursor_next(c);
	return true;
}

static struct stretch next_stretch(cursor *c, bool in_group)
{
	struct stretch s = {.from = c->p};
	while (step(c, &s, in_group))
		;
	s.end = c->p;
	return s;
}

static bool needs_work(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"' || c == '(' || c == '\t' || c == '\r' || c == '\n' || c == '\\')
			return true;
		if (c == ' ' && i + 1 < s.n && s.p[i + 1] == ' ')
			return true;
	}
	return false;
}

/* What the quotes at the cursor hold, onto `to`; line ends are folds and go. */
static size_t put_quoted(cursor *c, char *to)
{
	size_t n = 0;
	cursor_next(c);
	while (!cursor_done(c) && cursor_peek(c) != '"') {
		char ch = (char)cursor_next(c);
		if (ch == '\r' || ch == '\n')
			continue;
		if (ch == '\\' && !cursor_done(c))
			ch = (char)cursor_next(c);
		to[n++] = ch;
	}
	cursor_eat(c, '"');
	return n;
}

/* Blanks in a local part or domain belong next to these only (RFC 5322 4.4). */
static bool is_joint(char c)
{
	return c == '.' || c == '@' || c == ',' || c == ':';
}

/* The words of `s` without quotes and comments; blanks between them become one,
 * or none where they are allowed in a local part or domain. What is no address
 * ("<Undisclosed Recipients@x>") must not be made into one. */
static str join(struct address_walk *w, str s, bool spaced)
{
	s = str_trim(str_sub(str_trim(s), 0, ADDRESS_TEXT_MAX));
	if (!needs_work(s) && (spaced || str_chr(s, ' ') == STR_NONE))
		return s;
	cursor c = cursor_on(s);
	char *to = arena_alloc(w->mem, s.n);
	size_t n = 0;
	if (!to)
		return (str){NULL, 0};
	while (!cursor_done(&c)) {
		bool gap = cursor_while(&c, cfws_blank).n > 0;
		while (cursor_peek(&c) == '(') {
			cfws_comment(&c);
			cursor_while(&c, cfws_blank);
			gap = true;
		}
		if (cursor_done(&c))
			break;
		if (gap && n > 0 && (spaced || (!is_joint(to[n - 1]) && !is_joint((char)cursor_peek(&c)))))
			to[n++] = ' ';
		if (cursor_peek(&c) == '"')
			n += put_quoted(&c, to + n);
		else
			to[n++] = (char)cursor_next(&c);
	}
	return str_of(to, n);
}

/* The text of a comment (RFC 5322 3.2.2): escapes undone, blanks in a row one;
 * comments inside it and quotes are text. */
static str comment_text(struct address_walk *w, str s)
{
	s = str_trim(str_sub(str_trim(s), 0, ADDRESS_TEXT_MAX));
	if (!needs_work(s))
		return s;
	cursor c = cursor_on(s);
	char *to = arena_alloc(w->mem, s.n);
	size_t n = 0;
	while (to && !cursor_done(&c)) {
		if (cursor_while(&c, cfws_blank).n > 0)
			to[n++] = ' ';
		if (cursor_peek(&c) == '\\' && cursor_left(&c) > 1)
			cursor_next(&c);
		to[n++] = (char)cursor_next(&c);
	}
	return str_of(to, n);
}

static str between(const char *from, const char *end)
{
	return str_of(from, end > from ? (size_t)(end - from) : 0);
}

/* The last "@" outside of quotes and comments. */
static const char *last_at(str s)
{
	const char *at = NULL;
	cursor c = cursor_on(s);
	while (!cursor_done(&c)) {
		int ch = cursor_peek(&c);
		if (ch == '@')
			at = c.p;
		if (ch == '"')
			skip_quoted(&c);
		else if (ch == '(')
			cfws_comment(&c);
		else
			cursor_next(&c);
	}
	return at;
}

static void addr_spec(struct address_walk *w, str spec, struct address *out)
{
	const char *at = last_at(spec);
	out->mailbox = join(w, at ? between(spec.p, at) : spec, false);
	if (at)
		out->host = join(w, between(at + 1, spec.p + spec.n), false);
}

/* RFC 5322 4.4: "@a,@b:" before the address. */
static str take_route(struct address_walk *w, str spec, struct address *out)
{
	spec = str_trim(spec);
	size_t colon = spec.n && spec.p[0] == '@' ? str_chr(spec, ':') : STR_NONE;
	if (colon == STR_NONE)
		return spec;
	out->route = join(w, str_sub(spec, 0, colon), false);
	return str_skip(spec, colon + 1);
}

/* "Joe Doe joe@example.com": the words before the last are taken as a name. */
static str take_loose_name(struct address_walk *w, str spec, const struct stretch *s, struct address *out)
{
	const char *start = s->at;
	while (start > spec.p && cfws_blank((unsigned char)start[-1]))
		start--;
	while (start > spec.p && !cfws_blank((unsigned char)start[-1]))
		start--;
	str before = between(spec.p, start);
	bool glued = start < s->at && *start == '.';
	str head = str_trim(before);
	glued |= head.n > 0 && head.p[head.n - 1] == '.';
	/* Quotes and comments may hold blanks of their own; then it is one local part. */
	if (glued || head.n == 0 || str_chr(spec, '"') != STR_NONE || str_chr(before, '(') != STR_NONE)
		return spec;
	out->name = join(w, before, true);
	return str_skip(spec, before.n);
}

static bool fill(struct address_walk *w, const struct stretch *s, struct address *out)
{
	*out = (struct address){.kind = ADDRESS_MAILBOX};
	str spec;
	if (s->open) {
		str name = between(s->from, s->open);
		if (str_trim(name).n > 0)
			out->name = join(w, name, true);
		spec = take_route(w, between(s->open + 1, s->close ? s->close : s->end), out);
	} else {
		spec = str_trim(between(s->from, s->end));
		if (s->at)
			spec = take_loose_name(w, spec, s, out);
	}
	addr_spec(w, spec, out);
	if (out->name.n == 0 && s->comment.p)
		out->name = comment_text(w, s->comment);
	if (out->name.n == 0)
		out->name = (str){NULL, 0};
	return s->open || out->mailbox.n > 0 || out->host.p;
}

static bool end_group(struct address_walk *w, struct address *out)
{
	w->in_group = false;
	*out = (struct address){.kind = ADDRESS_GROUP_END};
	return true;
}

bool address_next(struct address_walk *w, struct address *out)
{
	while (!cursor_done(&w->in) && !w->mem->broken) {
		struct stretch s = next_stretch(&w->in, w->in_group);
		if (s.colon) {
			cursor_next(&w->in);
			w->in_group = true;
			*out = (struct address){.kind = ADDRESS_GROUP_START};
			out->name = join(w, between(s.from, s.end), true);
			return true;
		}
		/* The ";" is left for the next call if an address stands before it. */
		bool found = fill(w, &s, out);
		if (cursor_peek(&w->in) == ';' && w->in_group) {
			if (found)
				return true;
			cursor_next(&w->in);
			return end_group(w, out);
		}
		if (!cursor_done(&w->in))
			cursor_next(&w->in);
		if (found)
			return true;
	}
	return w->in_group ? end_group(w, out) : false;
}
