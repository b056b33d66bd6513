#include "grammar/imap/imap_list.h"
#include "grammar/imap/imap_args.h"

struct word {
	str name;
	unsigned bit;
};

static const struct word status_items[] = {
	{STR_INIT("MESSAGES"), IMAP_STATUS_MESSAGES},
	{STR_INIT("RECENT"), IMAP_STATUS_RECENT},
	{STR_INIT("UIDNEXT"), IMAP_STATUS_UIDNEXT},
	{STR_INIT("UIDVALIDITY"), IMAP_STATUS_UIDVALIDITY},
	{STR_INIT("UNSEEN"), IMAP_STATUS_UNSEEN},
	{STR_INIT("DELETED"), IMAP_STATUS_DELETED},
	{STR_INIT("DELETED-STORAGE"), IMAP_STATUS_DELETED_STORAGE},
	{STR_INIT("SIZE"), IMAP_STATUS_SIZE},
	{STR_INIT("HIGHESTMODSEQ"), IMAP_STATUS_HIGHESTMODSEQ},
	{STR_INIT("APPENDLIMIT"), IMAP_STATUS_APPENDLIMIT},
	{STR_INIT("MAILBOXID"), IMAP_STATUS_MAILBOXID},
	{{NULL, 0}, 0},
};

static const struct word select_options[] = {
	{STR_INIT("SUBSCRIBED"), IMAP_SELECT_SUBSCRIBED},
	{STR_INIT("REMOTE"), IMAP_SELECT_REMOTE},
	{STR_INIT("RECURSIVEMATCH"), IMAP_SELECT_RECURSIVEMATCH},
	{STR_INIT("SPECIAL-USE"), IMAP_SELECT_SPECIAL_USE},
	{{NULL, 0}, 0},
};

static const struct word return_options[] = {
	{STR_INIT("SUBSCRIBED"), IMAP_LIST_SUBSCRIBED},
	{STR_INIT("CHILDREN"), IMAP_LIST_CHILDREN},
	{STR_INIT("SPECIAL-USE"), IMAP_LIST_SPECIAL_USE},
	{STR_INIT("STATUS"), IMAP_LIST_STATUS},
	{{NULL, 0}, 0},
};

static unsigned word(struct imap_lex *x, const struct word *table, const char *sentence)
{
	cursor before = x->in;
	str name = imap_word(x);
	for (; table->bit; table++)
		if (str_ieq(table->name, name))
			return table->bit;
	if (!x->in.bad)
		x->in = before;
	imap_want(x, sentence);
	return 0;
}

/* With parentheses. */
static unsigned status_list(struct imap_lex *x)
{
	unsigned items = 0;
	imap_open(x);
	do
		items |= word(x, status_items, "a status item is expected here, as MESSAGES, UIDNEXT or UNSEEN");
	while (imap_another(x));
	return items;
}

str imap_status_name(enum imap_status_item item)
{
	const struct word *w = status_items;
	while (w->bit && w->bit != (unsigned)item)
		w++;
	must(w->bit);
	return w->name;
}

static void selection(struct imap_lex *x, struct imap_list *l)
{
	l->extended = true;
	imap_open(x);
	if (imap_eat(x, ')'))
		return;
	do
		l->select |= word(x, select_options,
			"SUBSCRIBED, REMOTE, RECURSIVEMATCH or SPECIAL-USE is expected here");
	while (imap_another(x));
	/* RFC 5258 section 3.1. */
	if ((l->select & IMAP_SELECT_RECURSIVEMATCH) &&
	    !(l->select & (IMAP_SELECT_SUBSCRIBED | IMAP_SELECT_SPECIAL_USE)))
		imap_want(x, "RECURSIVEMATCH needs SUBSCRIBED or SPECIAL-USE beside it");
}

static void return_list(struct imap_lex *x, struct imap_list *l)
{
	l->extended = true;
	imap_space(x);
	imap_open(x);
	if (imap_eat(x, ')'))
		return;
	do {
		unsigned bit = word(x, return_options, "SUBSCRIBED, CHILDREN, SPECIAL-USE or STATUS is expected here");
		l->returns |= bit;
		if (bit == IMAP_LIST_STATUS) {
			imap_space(x);
			l->status |= status_list(x);
		}
	} while (imap_another(x));
}

static void patterns(struct imap_lex *x, struct imap_list *l)
{
	imap_space(x);
	if (!imap_eat(x, '(')) {
		imap_push(x, &l->patterns, imap_list_mailbox(x));
		return;
	}
	l->extended = true;
	do
		imap_push(x, &l->patterns, imap_list_mailbox(x));
	while (imap_another(x));
}

void imap_args_list(struct imap_lex *x, struct imap_command *c)
{
	struct imap_list l = {0};
	imap_space(x);
	if (cursor_peek(&x->in) == '(') {
		selection(x, &l);
		imap_space(x);
	}
	l.reference = imap_astring(x, "a reference name, often \"\", is expected here");
	patterns(x, &l);
	cursor before = x->in;
	if (imap_eat(x, ' ') && imap_eat_word(x, STR("RETURN")))
		return_list(x, &l);
	else if (!x->in.bad)
		x->in = before;
	c->list = l;
}

void imap_args_lsub(struct imap_lex *x, struct imap_command *c)
{
	struct imap_list l = {0};
	imap_space(x);
	l.reference = imap_astring(x, "a reference name, often \"\", is expected here");
	imap_space(x);
	imap_push(x, &l.patterns, imap_list_mailbox(x));
	c->list = l;
}

void imap_args_status(struct imap_lex *x, struct imap_command *c)
{
	struct imap_status s = {.mailbox = imap_mailbox_arg(x)};
	imap_space(x);
	s.items = status_list(x);
	c->status = s;
}
