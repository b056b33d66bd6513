/* Commands that change messages already there: STORE (with UNCHANGEDSINCE of
 * RFC 7162), COPY, MOVE (RFC 6851), EXPUNGE (UID EXPUNGE: RFC 4315). */
#include "grammar/imap/imap_args.h"

static struct imap_set set_arg(struct imap_lex *x)
{
	imap_space(x);
	return imap_sequence_set(x);
}

static void modifier(struct imap_lex *x, struct imap_store *s)
{
	if (!imap_eat_word(x, STR("UNCHANGEDSINCE")))
		imap_want(x, "UNCHANGEDSINCE is the only modifier of STORE known here");
	imap_space(x);
	s->unchanged_since = true;
	s->modseq = imap_number64(x);
	imap_char(x, ')', "a closing parenthesis is expected here");
}

void imap_args_store(struct imap_lex *x, struct imap_command *c)
{
	struct imap_store s = {.set = set_arg(x)};
	if (imap_eat_list(x))
		modifier(x, &s);
	imap_space(x);
	if (imap_eat(x, '+'))
		s.mode = IMAP_STORE_ADD;
	else if (imap_eat(x, '-'))
		s.mode = IMAP_STORE_REMOVE;
	s.silent = imap_eat_word(x, STR("FLAGS.SILENT"));
	if (!s.silent && !imap_eat_word(x, STR("FLAGS")))
		imap_want(x, "FLAGS, +FLAGS or -FLAGS, with or without .SILENT, is expected here");
	imap_space(x);
	s.flags = cursor_peek(&x->in) == '(' ? imap_flag_list(x) : imap_bare_flags(x);
	c->store = s;
}

void imap_args_copy(struct imap_lex *x, struct imap_command *c)
{
	struct imap_copy copy = {.set = set_arg(x)};
	copy.mailbox = imap_mailbox_arg(x);
	c->copy = copy;
}

void imap_args_expunge(struct imap_lex *x, struct imap_command *c)
{
	if (c->uid)
		c->expunge = set_arg(x);
}
