#include "grammar/imap/imap_lex.h"
#include "grammar/imap/imap_literal.h"

struct imap_lex imap_lex_on(str text, arena *a)
{
	return (struct imap_lex){.in = cursor_on(text), .all = text, .arena = a};
}

void imap_refuse(struct imap_lex *x, enum fail_kind kind, const char *sentence)
{
	if (x->error.kind)
		return;
	x->error = failure(kind, sentence);
	x->error_at = x->all.n - cursor_left(&x->in);
	x->in.bad = true;
}

void imap_want(struct imap_lex *x, const char *sentence)
{
	imap_refuse(x, FAIL_INPUT, sentence);
}

void *imap_new(struct imap_lex *x, size_t count, size_t size)
{
	void *p = x->in.bad ? NULL : arena_array(x->arena, count, size);
	if (!p && !x->in.bad) {
		result why = arena_result(x->arena);
		imap_refuse(x, why.kind, why.text);
	}
	return p;
}

/* The capacity follows from n: 4, 8, 16 ... so nothing else needs keeping. */
void imap_push(struct imap_lex *x, struct imap_strs *list, str s)
{
	bool full = list->n == 0 || (list->n >= 4 && (list->n & (list->n - 1)) == 0);
	if (full) {
		str *more = imap_new(x, list->n ? list->n * 2 : 4, sizeof *more);
		if (!more)
			return;
		if (list->n)
			memcpy(more, list->v, list->n * sizeof *more);
		list->v = more;
	}
	if (!x->in.bad)
		list->v[list->n++] = s;
}

bool imap_eat(struct imap_lex *x, char c)
{
	return cursor_eat(&x->in, c);
}

bool imap_ends(struct imap_lex *x)
{
	return x->in.bad || cursor_done(&x->in);
}

void imap_char(struct imap_lex *x, char c, const char *sentence)
{
	if (!cursor_eat(&x->in, c))
		imap_want(x, sentence);
}

void imap_space(struct imap_lex *x)
{
	imap_char(x, ' ', "one space and another argument are expected here");
}

void imap_open(struct imap_lex *x)
{
	imap_char(x, '(', "an opening parenthesis is expected here");
}

bool imap_another(struct imap_lex *x)
{
	if (imap_eat(x, ' '))
		return true;
	imap_char(x, ')', "a space and another item, or a closing parenthesis, are expected here");
	return false;
}

bool imap_eat_list(struct imap_lex *x)
{
	return cursor_ieat(&x->in, STR(" ("));
}

static bool atom_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '{' && c != '%' && c != '*' && c != '"' &&
	       c != '\\' && c != ']';
}

bool imap_astring_char(unsigned char c)
{
	return atom_char(c) || c == ']';
}

static bool list_char(unsigned char c)
{
	return imap_astring_char(c) || c == '%' || c == '*';
}

static bool tag_char(unsigned char c)
{
	return imap_astring_char(c) && c != '+';
}

static bool word_char(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '.' || c == '-';
}

str imap_word(struct imap_lex *x)
{
	return cursor_while(&x->in, word_char);
}

bool imap_eat_word(struct imap_lex *x, str word)
{
	cursor before = x->in;
	if (str_ieq(imap_word(x), word))
		return true;
	x->in = before;
	return false;
}

static str run(struct imap_lex *x, bool (*in)(unsigned char), const char *sentence)
{
	str s = cursor_while(&x->in, in);
	if (s.n == 0)
		imap_want(x, sentence);
	return s;
}

str imap_tag(struct imap_lex *x)
{
	return run(x, tag_char, "a command begins with a tag: letters or digits, no \"+\"");
}

str imap_atom(struct imap_lex *x, const char *sentence)
{
	return run(x, atom_char, sentence);
}

/* The content without its quotes. A copy is made only where "\" occurs. */
static str unescaped(struct imap_lex *x, str s)
{
	if (str_chr(s, '\\') == STR_NONE)
		return s;
	char *p = imap_new(x, s.n, 1);
	size_t n = 0;
	for (size_t i = 0; p && i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		p[n++] = s.p[i];
	}
	return str_of(p, n);
}

static str quoted(struct imap_lex *x)
{
	const char *start = x->in.p;
	int c;
	while ((c = cursor_next(&x->in)) > 0 && c != '"' && c != '\r' && c != '\n')
		if (c == '\\' && (c = cursor_next(&x->in)) != '"' && c != '\\') {
			c = 0;
			break;
		}
	if (c != '"') {
		imap_want(x,
			"this quoted string is not closed, or holds CR, LF, NUL or a \"\\\" before another character");
		return (str){NULL, 0};
	}
	str s = str_of(start, (size_t)(x->in.p - start) - 1);
	if (!str_is_ascii(s)) {
		x->utf8 = true;
		if (!str_is_utf8(s))
			imap_want(x, "a quoted string must be ASCII or UTF-8");
	}
	return unescaped(x, s);
}

static str literal(struct imap_lex *x)
{
	str rest = str_of(x->in.p, cursor_left(&x->in));
	size_t line = str_find(rest, STR("\r\n"));
	struct imap_literal l;
	if (line == STR_NONE || imap_literal_at_end(str_sub(rest, 0, line), &l) != IMAP_LINE_LITERAL ||
		l.head != line) {
		imap_want(x, "a literal is expected here: {size} at the end of the line");
		return (str){NULL, 0};
	}
	cursor_take(&x->in, line + 2);
	if (l.size > cursor_left(&x->in)) {
		imap_want(x, "the literal ends before its announced size");
		return (str){NULL, 0};
	}
	str s = cursor_take(&x->in, (size_t)l.size);
	if (str_chr(s, '\0') != STR_NONE)
		imap_want(x, "the literal before this point holds a NUL octet");
	return s;
}

str imap_string(struct imap_lex *x)
{
	if (imap_eat(x, '"'))
		return quoted(x);
	if (cursor_peek(&x->in) == '{')
		return literal(x);
	imap_want(x, "a quoted string or a literal is expected here");
	return (str){NULL, 0};
}

static str string_or(struct imap_lex *x, bool (*in)(unsigned char), const char *sentence)
{
	int c = cursor_peek(&x->in);
	if (c == '"' || c == '{')
		return imap_string(x);
	return run(x, in, sentence);
}

str imap_astring(struct imap_lex *x, const char *sentence)
{
	return string_or(x, imap_astring_char, sentence);
}

str imap_list_mailbox(struct imap_lex *x)
{
	return string_or(x, list_char, "a mailbox name, which may hold * and %, is expected here");
}

str imap_nstring(struct imap_lex *x)
{
	if (imap_eat_word(x, STR("NIL")))
		return (str){NULL, 0};
	return imap_string(x);
}

static bool digit(unsigned char c)
{
	return ascii_digit(c);
}

static uint64_t number(struct imap_lex *x, uint64_t max, const char *sentence)
{
	cursor before = x->in;
	uint64_t v = 0;
	str s = cursor_while(&x->in, digit);
	if (str_to_u64(s, &v) && v <= max)
		return v;
	x->in = before;
	imap_want(x, sentence);
	return 0;
}

uint32_t imap_nz_number(struct imap_lex *x)
{
	const char *sentence = "a number from 1 to 4294967295 is expected here";
	if (cursor_peek(&x->in) == '0')
		imap_want(x, sentence);
	return (uint32_t)number(x, UINT32_MAX, sentence);
}

uint64_t imap_number64(struct imap_lex *x)
{
	return number(x, IMAP_NUMBER64_MAX, "a number from 0 to 9223372036854775807 is expected here");
}

bool imap_partial(struct imap_lex *x, uint64_t *origin, uint64_t *length)
{
	if (!imap_eat(x, '<'))
		return false;
	uint64_t from = imap_number64(x);
	imap_char(x, '.', "a partial range is written <origin.length>");
	uint64_t count = imap_number64(x);
	if (count == 0)
		imap_want(x, "the length of a partial range is at least 1");
	imap_char(x, '>', "a partial range is written <origin.length>");
	if (x->in.bad)
		return false;
	*origin = from;
	*length = count;
	return true;
}
