#include "grammar/imap/imap_fetch.h"
#include "grammar/imap/imap_args.h"
#include "grammar/imap/imap_print.h"

struct item {
	str name;
	unsigned bits;
};

static const struct item macros[] = {
	{STR_INIT("ALL"), IMAP_ITEM_FLAGS | IMAP_ITEM_INTERNALDATE | IMAP_ITEM_RFC822_SIZE | IMAP_ITEM_ENVELOPE},
	{STR_INIT("FAST"), IMAP_ITEM_FLAGS | IMAP_ITEM_INTERNALDATE | IMAP_ITEM_RFC822_SIZE},
	{STR_INIT("FULL"), IMAP_ITEM_FLAGS | IMAP_ITEM_INTERNALDATE | IMAP_ITEM_RFC822_SIZE | IMAP_ITEM_ENVELOPE |
		IMAP_ITEM_BODY},
	{{NULL, 0}, 0},
};

static const struct item items[] = {
	{STR_INIT("FLAGS"), IMAP_ITEM_FLAGS},
	{STR_INIT("INTERNALDATE"), IMAP_ITEM_INTERNALDATE},
	{STR_INIT("RFC822.SIZE"), IMAP_ITEM_RFC822_SIZE},
	{STR_INIT("ENVELOPE"), IMAP_ITEM_ENVELOPE},
	{STR_INIT("BODY"), IMAP_ITEM_BODY},
	{STR_INIT("BODYSTRUCTURE"), IMAP_ITEM_BODYSTRUCTURE},
	{STR_INIT("UID"), IMAP_ITEM_UID},
	{STR_INIT("MODSEQ"), IMAP_ITEM_MODSEQ},
	{STR_INIT("EMAILID"), IMAP_ITEM_EMAILID},
	{STR_INIT("THREADID"), IMAP_ITEM_THREADID},
	{STR_INIT("SAVEDATE"), IMAP_ITEM_SAVEDATE},
	{{NULL, 0}, 0},
};

/* Items that give octets of the message. */
static const struct content {
	str name;
	enum imap_section_name kind;
	bool peek;
	bool brackets;
} contents[] = {
	{STR_INIT("BODY"), IMAP_BODY_SECTION, false, true},
	{STR_INIT("BODY.PEEK"), IMAP_BODY_SECTION, true, true},
	{STR_INIT("BINARY"), IMAP_BINARY, false, true},
	{STR_INIT("BINARY.PEEK"), IMAP_BINARY, true, true},
	{STR_INIT("BINARY.SIZE"), IMAP_BINARY_SIZE, true, true},
	{STR_INIT("RFC822"), IMAP_RFC822, false, false},
	{STR_INIT("RFC822.HEADER"), IMAP_RFC822_HEADER, true, false},
	{STR_INIT("RFC822.TEXT"), IMAP_RFC822_TEXT, false, false},
};

static const str texts[] = {
	[IMAP_SECTION_HEADER] = STR_INIT("HEADER"),
	[IMAP_SECTION_FIELDS] = STR_INIT("HEADER.FIELDS"),
	[IMAP_SECTION_FIELDS_NOT] = STR_INIT("HEADER.FIELDS.NOT"),
	[IMAP_SECTION_TEXT] = STR_INIT("TEXT"),
	[IMAP_SECTION_MIME] = STR_INIT("MIME"),
};
enum { TEXTS = sizeof texts / sizeof *texts, CONTENTS = sizeof contents / sizeof *contents };

static unsigned lookup(const struct item *table, str name)
{
	while (table->bits && !str_ieq(table->name, name))
		table++;
	return table->bits;
}

static size_t count_numbers(const struct imap_lex *x)
{
	size_t n = 1;
	for (const char *p = x->in.p; p < x->in.end && (*p == '.' || ascii_digit((unsigned char)*p)); p++)
		n += *p == '.';
	return n;
}

/* True when a text such as HEADER must follow. */
static bool part_numbers(struct imap_lex *x, struct imap_section *s)
{
	s->part = imap_new(x, count_numbers(x), sizeof *s->part);
	do {
		int next = cursor_peek(&x->in);
		if (next < '0' || next > '9')
			return true;
		if (s->depth == IMAP_PART_NUMBERS_MAX) {
			imap_refuse(x, FAIL_LIMIT, "this section names a part nested deeper than this server reads");
			return false;
		}
		s->part[s->depth++] = imap_nz_number(x);
	} while (imap_eat(x, '.'));
	return false;
}

static void fields(struct imap_lex *x, struct imap_section *s)
{
	imap_space(x);
	imap_open(x);
	do
		imap_push(x, &s->fields, imap_astring(x, "the name of a header field is expected here"));
	while (imap_another(x));
}

static void section_text(struct imap_lex *x, struct imap_section *s)
{
	str word = imap_word(x);
	for (unsigned t = IMAP_SECTION_HEADER; t < TEXTS; t++)
		if (str_ieq(texts[t], word))
			s->text = (enum imap_section_text)t;
	if (s->text == IMAP_SECTION_ALL)
		imap_want(x, "HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME or a part number is expected here");
	if (s->text == IMAP_SECTION_MIME && s->depth == 0)
		imap_want(x, "MIME needs a part number before it, as in BODY[1.MIME]");
	if (s->text == IMAP_SECTION_FIELDS || s->text == IMAP_SECTION_FIELDS_NOT)
		fields(x, s);
}

/* Behind "[". */
static void section(struct imap_lex *x, struct imap_section *s)
{
	if (cursor_peek(&x->in) != ']' && part_numbers(x, s)) {
		if (s->name != IMAP_BODY_SECTION)
			imap_want(x, "BINARY takes part numbers only");
		section_text(x, s);
	}
	imap_char(x, ']', "the closing bracket of the section is expected here");
	if (s->name != IMAP_BINARY_SIZE)
		s->partial = imap_partial(x, &s->origin, &s->length);
}

static bool content(struct imap_lex *x, str name, struct imap_section *s)
{
	bool bracket = cursor_peek(&x->in) == '[';
	for (size_t i = 0; i < CONTENTS; i++) {
		if (contents[i].brackets != bracket || !str_ieq(contents[i].name, name))
			continue;
		s->name = contents[i].kind;
		s->peek = contents[i].peek;
		if (imap_eat(x, '['))
			section(x, s);
		return true;
	}
	return false;
}

static void item(struct imap_lex *x, struct imap_fetch *f, struct imap_section ***tail)
{
	cursor before = x->in;
	str name = imap_word(x);
	struct imap_section s = {0};
	if (content(x, name, &s)) {
		struct imap_section *copy = imap_new(x, 1, sizeof *copy);
		if (copy) {
			*copy = s;
			**tail = copy;
			*tail = &copy->next;
		}
		return;
	}
	unsigned bit = lookup(items, name);
	f->items |= bit;
	if (bit || x->in.bad)
		return;
	x->in = before;
	imap_want(x, "an item to fetch is expected here, as FLAGS, ENVELOPE or BODY[]");
}

static void modifiers(struct imap_lex *x, struct imap_command *c, struct imap_fetch *f)
{
	do {
		if (imap_eat_word(x, STR("VANISHED"))) {
			f->vanished = true;
		} else if (imap_eat_word(x, STR("CHANGEDSINCE"))) {
			imap_space(x);
			f->changed_since = true;
			f->modseq = imap_number64(x);
		} else {
			imap_want(x, "CHANGEDSINCE or VANISHED is expected here");
		}
	} while (imap_another(x));
	/* RFC 7162 section 3.2.6. */
	if (f->vanished && (!f->changed_since || !c->uid))
		imap_want(x, "VANISHED goes with UID FETCH and CHANGEDSINCE only");
}

void imap_args_fetch(struct imap_lex *x, struct imap_command *c)
{
	struct imap_fetch f = {0};
	struct imap_section **tail = &f.sections;
	imap_space(x);
	f.set = imap_sequence_set(x);
	imap_space(x);
	cursor before = x->in;
	if (imap_eat(x, '(')) {
		do
			item(x, &f, &tail);
		while (imap_another(x));
	} else if (!(f.items = lookup(macros, imap_word(x))) && !x->in.bad) {
		x->in = before;
		item(x, &f, &tail);
	}
	if (imap_eat_list(x))
		modifiers(x, c, &f);
	c->fetch = f;
}

static void put_part(buf *out, const struct imap_section *s)
{
	for (size_t i = 0; i < s->depth; i++) {
		if (i > 0)
			buf_putc(out, '.');
		buf_put_u64(out, s->part[i]);
	}
	if (s->text == IMAP_SECTION_ALL)
		return;
	if (s->depth)
		buf_putc(out, '.');
	buf_put(out, texts[s->text]);
	if (s->fields.n == 0)
		return;
	buf_put(out, STR(" ("));
	for (size_t i = 0; i < s->fields.n; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		imap_put_astring(out, s->fields.v[i], false);
	}
	buf_putc(out, ')');
}

void imap_put_section(buf *out, const struct imap_section *s)
{
	static const str names[] = {
		[IMAP_BODY_SECTION] = STR_INIT("BODY"),
		[IMAP_BINARY] = STR_INIT("BINARY"),
		[IMAP_BINARY_SIZE] = STR_INIT("BINARY.SIZE"),
		[IMAP_RFC822] = STR_INIT("RFC822"),
		[IMAP_RFC822_HEADER] = STR_INIT("RFC822.HEADER"),
		[IMAP_RFC822_TEXT] = STR_INIT("RFC822.TEXT"),
	};
	buf_put(out, names[s->name]);
	if (s->name >= IMAP_RFC822)
		return;
	buf_putc(out, '[');
	put_part(out, s);
	buf_putc(out, ']');
	if (s->partial) {
		buf_putc(out, '<');
		buf_put_u64(out, s->origin);
		buf_putc(out, '>');
	}
}
