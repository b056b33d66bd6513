#include "grammar/imap/imap_mailbox.h"
#include "grammar/imap/imap_args.h"

/* Behind "QRESYNC". */
static void qresync(struct imap_lex *x, struct imap_select *s)
{
	imap_space(x);
	imap_open(x);
	s->qresync = true;
	s->uidvalidity = imap_nz_number(x);
	imap_space(x);
	s->modseq = imap_number64(x);
	if (s->modseq == 0)
		imap_want(x, "the mod-sequence of QRESYNC is at least 1");
	if (imap_eat(x, ')'))
		return;
	imap_space(x);
	if (cursor_peek(&x->in) != '(') {
		s->has_known = true;
		s->known = imap_known_uids(x);
		if (imap_eat(x, ')'))
			return;
		imap_space(x);
	}
	imap_open(x);
	s->has_match = true;
	s->match_numbers = imap_known_uids(x);
	imap_space(x);
	s->match_uids = imap_known_uids(x);
	imap_char(x, ')', "a closing parenthesis is expected here");
	imap_char(x, ')', "a closing parenthesis is expected here");
}

void imap_args_select(struct imap_lex *x, struct imap_command *c)
{
	struct imap_select s = {.mailbox = imap_mailbox_arg(x)};
	if (imap_eat_list(x)) {
		do {
			if (imap_eat_word(x, STR("CONDSTORE")))
				s.condstore = true;
			else if (!s.qresync && imap_eat_word(x, STR("QRESYNC")))
				qresync(x, &s);
			else
				imap_want(x, "CONDSTORE or one QRESYNC is expected here");
		} while (imap_another(x));
	}
	c->select = s;
}

static void use(struct imap_lex *x, struct imap_create *create)
{
	const char *start = x->in.p;
	imap_char(x, '\\', "a special use is expected here, as \\Sent");
	imap_atom(x, "a special use is expected here, as \\Sent");
	if (x->in.bad)
		return;
	str word = str_of(start, (size_t)(x->in.p - start));
	unsigned bit = imap_use_of(word);
	create->uses |= bit;
	if (!bit)
		create->unknown = word;
}

void imap_args_create(struct imap_lex *x, struct imap_command *c)
{
	struct imap_create create = {.mailbox = imap_mailbox_arg(x)};
	if (imap_eat_list(x)) {
		create.has_use = imap_eat_word(x, STR("USE"));
		if (!create.has_use)
			imap_want(x, "USE is the only parameter of CREATE known here");
		imap_space(x);
		imap_open(x);
		if (!imap_eat(x, ')'))
			do
				use(x, &create);
			while (imap_another(x));
		imap_char(x, ')', "a closing parenthesis is expected here");
	}
	c->create = create;
}

void imap_args_rename(struct imap_lex *x, struct imap_command *c)
{
	struct imap_rename rename = {.from = imap_mailbox_arg(x)};
	rename.to = imap_mailbox_arg(x);
	c->rename = rename;
}

void imap_args_mailbox(struct imap_lex *x, struct imap_command *c)
{
	c->mailbox = imap_mailbox_arg(x);
}

void imap_args_getquota(struct imap_lex *x, struct imap_command *c)
{
	imap_space(x);
	c->mailbox = imap_astring(x, "the name of a quota root is expected here");
}

void imap_args_setquota(struct imap_lex *x, struct imap_command *c)
{
	struct imap_setquota s = {0};
	struct imap_quota_limit **tail = &s.limits;
	imap_space(x);
	s.root = imap_astring(x, "the name of a quota root is expected here");
	imap_space(x);
	imap_open(x);
	bool more = !imap_eat(x, ')');
	while (more) {
		struct imap_quota_limit *limit = imap_new(x, 1, sizeof *limit);
		if (!limit)
			return;
		limit->resource = imap_atom(x, "the name of a resource is expected here, as STORAGE");
		imap_space(x);
		limit->limit = imap_number64(x);
		*tail = limit;
		tail = &limit->next;
		more = imap_another(x);
	}
	c->setquota = s;
}
