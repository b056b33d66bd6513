#include "grammar/imap/imap_flags.h"

struct named_bit {
	unsigned bit;
	str name;
};

static const struct named_bit flags[] = {
	{IMAP_ANSWERED, STR_INIT("\\Answered")},
	{IMAP_FLAGGED, STR_INIT("\\Flagged")},
	{IMAP_DELETED, STR_INIT("\\Deleted")},
	{IMAP_SEEN, STR_INIT("\\Seen")},
	{IMAP_DRAFT, STR_INIT("\\Draft")},
	{IMAP_RECENT, STR_INIT("\\Recent")},
};

static const struct named_bit uses[] = {
	{IMAP_USE_ALL, STR_INIT("\\All")},
	{IMAP_USE_ARCHIVE, STR_INIT("\\Archive")},
	{IMAP_USE_DRAFTS, STR_INIT("\\Drafts")},
	{IMAP_USE_FLAGGED, STR_INIT("\\Flagged")},
	{IMAP_USE_JUNK, STR_INIT("\\Junk")},
	{IMAP_USE_SENT, STR_INIT("\\Sent")},
	{IMAP_USE_TRASH, STR_INIT("\\Trash")},
};

enum { FLAGS = sizeof flags / sizeof *flags, USES = sizeof uses / sizeof *uses };

static unsigned bit_of(const struct named_bit *table, size_t rows, str word)
{
	for (size_t i = 0; i < rows; i++)
		if (str_ieq(table[i].name, word))
			return table[i].bit;
	return 0;
}

unsigned imap_use_of(str word)
{
	return bit_of(uses, USES, word);
}

static void flag(struct imap_lex *x, struct imap_flags *f)
{
	cursor before = x->in;
	bool system = imap_eat(x, '\\');
	str name = imap_atom(x,
		"a flag is expected here: \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft or a keyword");
	if (!system) {
		imap_push(x, &f->keywords, name);
		return;
	}
	unsigned bit = x->in.bad ? 0 : bit_of(flags, FLAGS, str_of(before.p, name.n + 1));
	if (bit && bit != IMAP_RECENT) {
		f->system |= bit;
		return;
	}
	if (!x->in.bad)
		x->in = before;
	imap_want(x, "a client may set \\Answered, \\Flagged, \\Deleted, \\Seen, \\Draft and keywords only");
}

struct imap_flags imap_flag_list(struct imap_lex *x)
{
	struct imap_flags f = {0};
	imap_open(x);
	if (imap_eat(x, ')'))
		return f;
	do
		flag(x, &f);
	while (imap_another(x));
	return f;
}

struct imap_flags imap_bare_flags(struct imap_lex *x)
{
	struct imap_flags f = {0};
	do
		flag(x, &f);
	while (imap_eat(x, ' '));
	return f;
}

static void put_bits(buf *out, const struct named_bit *table, size_t rows, unsigned bits)
{
	const char *gap = "";
	for (size_t i = 0; i < rows; i++) {
		if (!(bits & table[i].bit))
			continue;
		buf_put(out, str_from(gap));
		buf_put(out, table[i].name);
		gap = " ";
	}
}

void imap_put_flags(buf *out, const struct imap_flags *f)
{
	buf_putc(out, '(');
	put_bits(out, flags, FLAGS, f->system);
	bool gap = (f->system & (IMAP_RECENT * 2 - 1)) != 0;
	for (size_t i = 0; i < f->keywords.n; i++) {
		if (gap)
			buf_putc(out, ' ');
		buf_put(out, f->keywords.v[i]);
		gap = true;
	}
	buf_putc(out, ')');
}

void imap_put_uses(buf *out, unsigned bits)
{
	put_bits(out, uses, USES, bits);
}
