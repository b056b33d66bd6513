#include "grammar/imap/imap_command.h"
#include "grammar/imap/imap_args.h"

struct row {
	str name;
	unsigned states;
	unsigned flags;
	imap_args *args;
};

enum {
	A = IMAP_BEFORE_LOGIN,
	L = IMAP_AFTER_LOGIN,
	S = IMAP_SELECTED,
	UID = IMAP_TAKES_UID,
	SEQ = IMAP_HOLDS_EXPUNGE,
};

static const struct row rows[IMAP_VERBS] = {
#define VERB(ID, NAME, STATES, FLAGS, ARGUMENTS) \
	[IMAP_##ID##_COMMAND] = {STR_INIT(NAME), (STATES), (FLAGS), imap_args_##ARGUMENTS},
#include "grammar/imap/imap_verbs.h"
#undef VERB
};

str imap_verb_name(enum imap_verb v)
{
	must(v < IMAP_VERBS);
	return rows[v].name;
}

unsigned imap_verb_states(enum imap_verb v)
{
	must(v < IMAP_VERBS);
	return rows[v].states;
}

unsigned imap_verb_flags(enum imap_verb v)
{
	must(v < IMAP_VERBS);
	return rows[v].flags;
}

void imap_args_none(struct imap_lex *x, struct imap_command *c)
{
	(void)x;
	(void)c;
}

static enum imap_verb verb(struct imap_lex *x)
{
	cursor before = x->in;
	str word = imap_word(x);
	for (unsigned v = 0; v < IMAP_VERBS; v++)
		if (str_ieq(rows[v].name, word))
			return (enum imap_verb)v;
	if (!x->in.bad)
		x->in = before;
	imap_refuse(x, FAIL_ABSENT, "this server does not know this command");
	return IMAP_VERBS;
}

static void parse(struct imap_lex *x, struct imap_command *c)
{
	c->tag = imap_tag(x);
	imap_char(x, ' ', "one space and a command are expected behind the tag");
	c->uid = imap_eat_word(x, STR("UID"));
	if (c->uid)
		imap_char(x, ' ', "one space and COPY, EXPUNGE, FETCH, MOVE, SEARCH or STORE are expected behind UID");
	c->verb = verb(x);
	if (x->in.bad)
		return;
	if (c->uid && !(rows[c->verb].flags & IMAP_TAKES_UID))
		imap_want(x, "UID goes before COPY, EXPUNGE, FETCH, MOVE, SEARCH and STORE only");
	rows[c->verb].args(x, c);
	/* Some clients leave spaces behind the last argument; nothing is lost by taking them. */
	while (imap_eat(x, ' '))
		;
	if (!imap_ends(x))
		imap_want(x, "the command should have ended here");
}

result imap_parse(str text, arena *a, struct imap_command *out)
{
	struct imap_lex x = imap_lex_on(text, a);
	struct imap_command c = {.verb = IMAP_VERBS};
	parse(&x, &c);
	c.utf8 = x.utf8;
	must(x.in.bad == failed(x.error));
	if (failed(x.error))
		*out = (struct imap_command){.tag = c.tag, .verb = c.verb, .uid = c.uid, .error_at = x.error_at};
	else
		*out = c;
	return x.error;
}
