/* Every line of the input is parsed as a command. Properties: what is taken
 * printed again means the same; its views lie in the line. */
#include "grammar/pop3/pop3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(buf *out, const struct pop3_command *c)
{
	buf_put(out, pop3_verb_name(c->verb));
	buf_putc(out, ' ');
	switch (c->verb) {
	case POP3_USER:
	case POP3_PASS:
		buf_put(out, c->text);
		return;
	case POP3_AUTH:
		buf_put(out, c->auth.mechanism);
		buf_putc(out, ' ');
		buf_put(out, c->auth.has_initial && !c->auth.initial.n ? STR("=") : c->auth.initial);
		return;
	default:
		if (!c->message.given)
			return;
		buf_put_u64(out, c->message.number);
		if (c->verb != POP3_TOP)
			return;
		buf_putc(out, ' ');
		buf_put_u64(out, c->message.lines);
	}
}

static void same(const struct pop3_command *a, const struct pop3_command *b)
{
	must(a->verb == b->verb);
	if (a->verb == POP3_USER || a->verb == POP3_PASS)
		must(a->text.n > 0 && str_eq(a->text, b->text));
	else if (a->verb == POP3_AUTH)
		must(str_eq(a->auth.mechanism, b->auth.mechanism) && a->auth.has_initial == b->auth.has_initial &&
			str_eq(a->auth.initial, b->auth.initial));
	else
		must(a->message.given == b->message.given && a->message.number == b->message.number &&
			a->message.lines == b->message.lines);
}

static void check_line(str line)
{
	AUTO_BUF buf again = buf_new(2 * line.n + 64);
	struct pop3_command c, d;
	result r = pop3_parse(line, &c);
	must(!failed(r) || r.kind == FAIL_ABSENT || r.kind == FAIL_INPUT);
	if (failed(r))
		return;
	if (c.verb == POP3_USER || c.verb == POP3_PASS)
		must(c.text.p > line.p && c.text.p + c.text.n == line.p + line.n);
	print(&again, &c);
	must(!failed(buf_result(&again)) && !failed(pop3_parse(buf_str(&again), &d)));
	same(&c, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = str_of((const char *)data, size);
	while (rest.n > 0) {
		size_t lf = str_chr(rest, '\n');
		check_line(str_sub(rest, 0, lf));
		rest = lf == STR_NONE ? STR("") : str_skip(rest, lf + 1);
	}
	return 0;
}
