#include "grammar/pop3/pop3.h"

#include "base/cursor.h"

typedef result pop3_args(cursor *c, struct pop3_command *out);

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool not_blank(unsigned char c)
{
	return !is_blank(c);
}

static str word(cursor *c)
{
	cursor_while(c, is_blank);
	return cursor_while(c, not_blank);
}

static result at_end(cursor *c)
{
	cursor_while(c, is_blank);
	return cursor_done(c) ? OK : failure(FAIL_INPUT, "this command takes no more words than it came with");
}

/* --- arguments of each kind --- */

static result args_none(cursor *c, struct pop3_command *out)
{
	(void)out;
	return at_end(c);
}

static result args_text(cursor *c, struct pop3_command *out)
{
	if (!cursor_eat(c, ' ') || cursor_done(c))
		return failure(FAIL_INPUT, "a space and the text have to follow");
	out->text = cursor_rest(c);
	return OK;
}

static result args_auth(cursor *c, struct pop3_command *out)
{
	out->auth.mechanism = word(c);
	str initial = word(c);
	out->auth.has_initial = initial.n > 0;
	out->auth.initial = str_eq(initial, STR("=")) ? (str){NULL, 0} : initial;
	return at_end(c);
}

static result args_message_or_none(cursor *c, struct pop3_command *out)
{
	str number = word(c);
	out->message.given = number.n > 0;
	if (number.n > 0 && !str_to_u64(number, &out->message.number))
		return failure(FAIL_INPUT, "what follows has to be the number of a message");
	return at_end(c);
}

static result args_message(cursor *c, struct pop3_command *out)
{
	TRY(args_message_or_none(c, out));
	return out->message.given ? OK : failure(FAIL_INPUT, "the number of a message has to follow");
}

static result args_message_and_lines(cursor *c, struct pop3_command *out)
{
	str number = word(c), lines = word(c);
	out->message.given = true;
	if (!str_to_u64(number, &out->message.number) || !str_to_u64(lines, &out->message.lines))
		return failure(FAIL_INPUT, "the number of a message and how many lines of it have to follow");
	return at_end(c);
}

/* --- the table --- */

enum { B = POP3_BEFORE_LOGIN, T = POP3_AFTER_LOGIN };

static const struct row {
	str name;
	unsigned states;
	pop3_args *args;
} rows[POP3_VERBS] = {
#define VERB(ID, NAME, STATES, ARGUMENTS) [POP3_##ID] = {STR_INIT(NAME), (STATES), args_##ARGUMENTS},
#include "grammar/pop3/pop3_verbs.h"
#undef VERB
};

result pop3_parse(str line, struct pop3_command *out)
{
	cursor c = cursor_on(line);
	str name = cursor_while(&c, not_blank);
	for (unsigned v = 0; v < POP3_VERBS; v++) {
		if (!str_ieq(rows[v].name, name))
			continue;
		*out = (struct pop3_command){.verb = (enum pop3_verb)v};
		return rows[v].args(&c, out);
	}
	return failure(FAIL_ABSENT, "this server does not know this command");
}

str pop3_verb_name(enum pop3_verb v)
{
	must(v < POP3_VERBS);
	return rows[v].name;
}

unsigned pop3_verb_states(enum pop3_verb v)
{
	must(v < POP3_VERBS);
	return rows[v].states;
}

void pop3_put_capabilities(buf *out)
{
	buf_put(out, STR("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\n"));
	buf_put(out, STR("EXPIRE NEVER\r\nIMPLEMENTATION Postern\r\n"));
}
