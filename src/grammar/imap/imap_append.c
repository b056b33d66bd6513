#include "grammar/imap/imap_append.h"
#include "grammar/imap/imap_args.h"

/* The announcement must be all that is left of the line. */
static void announcement(struct imap_lex *x, struct imap_append *m)
{
	str rest = str_of(x->in.p, x->in.bad ? 0 : cursor_left(&x->in));
	if (imap_literal_at_end(rest, &m->literal) != IMAP_LINE_LITERAL || m->literal.head != rest.n)
		imap_want(x, "the message is expected here as a literal: {size} at the end of the line");
	else
		cursor_take(&x->in, rest.n);
}

static void data(struct imap_lex *x, struct imap_append *m)
{
	if (imap_eat_word(x, STR("CATENATE")))
		imap_refuse(x, FAIL_ABSENT, "CATENATE is not offered here: send the whole message as a literal");
	m->utf8 = imap_eat_word(x, STR("UTF8"));
	if (m->utf8) {
		imap_space(x);
		imap_open(x);
	}
	announcement(x, m);
	if (m->utf8 && !x->in.bad && !m->literal.binary)
		imap_want(x, "behind UTF8 the message is a literal of the form ~{size}");
}

/* Behind the mailbox name or an earlier message: [flags] [date] literal. */
static void message(struct imap_lex *x, struct imap_append *m)
{
	m->flags = (struct imap_flags){0};
	m->has_date = false;
	imap_space(x);
	if (cursor_peek(&x->in) == '(') {
		m->flags = imap_flag_list(x);
		imap_space(x);
	}
	if (cursor_peek(&x->in) == '"') {
		m->date = imap_date_time(x);
		m->has_date = true;
		imap_space(x);
	}
	data(x, m);
}

/* With no message behind the name this is the command's end, and an error. */
static enum imap_append_step head(struct imap_lex *x, struct imap_append *m)
{
	struct imap_literal name;
	str rest = str_of(x->in.p, cursor_left(&x->in));
	if (imap_literal_at_end(rest, &name) == IMAP_LINE_LITERAL && name.head == rest.n && !name.binary)
		return IMAP_APPEND_NAME;
	m->mailbox = imap_astring(x, "a mailbox name is expected here");
	m->utf8_name = x->utf8;
	message(x, m);
	return IMAP_APPEND_MESSAGE;
}

result imap_append_head(str text, arena *a, struct imap_append *out, enum imap_append_step *step)
{
	struct imap_lex x = imap_lex_on(text, a);
	str tag = imap_tag(&x);
	if (!imap_eat(&x, ' ') || !imap_eat_word(&x, STR("APPEND")) || !imap_eat(&x, ' ')) {
		*step = IMAP_APPEND_NOT;
		return OK;
	}
	struct imap_append m = {.tag = tag};
	enum imap_append_step s = head(&x, &m);
	if (failed(x.error)) {
		out->tag = tag;
		out->error_at = x.error_at;
		return x.error;
	}
	*out = m;
	*step = s;
	return OK;
}

result imap_append_more(str line, arena *a, struct imap_append *out, enum imap_append_step *step)
{
	struct imap_lex x = imap_lex_on(line, a);
	struct imap_append m = *out;
	if (m.utf8)
		imap_char(&x, ')', "a closing parenthesis is expected behind the message");
	bool end = str_trim(str_of(x.in.p, cursor_left(&x.in))).n == 0;
	if (!end)
		message(&x, &m);
	if (failed(x.error)) {
		out->error_at = x.error_at;
		return x.error;
	}
	*out = m;
	*step = end ? IMAP_APPEND_END : IMAP_APPEND_MESSAGE;
	return OK;
}

/* In a whole command text there is no message: its literal would have been taken apart. */
void imap_args_append(struct imap_lex *x, struct imap_command *c)
{
	struct imap_append m = {0};
	imap_mailbox_arg(x);
	message(x, &m);
	imap_want(x, "the message is expected here as a literal: {size} at the end of the line");
	(void)c;
}
