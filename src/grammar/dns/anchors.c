#include "grammar/dns/anchors.h"

struct anchors anchors_on(str text)
{
	return (struct anchors){.at = cursor_on(text)};
}

static bool is_not_lf(unsigned char c)
{
	return c != '\n';
}

/* One line into `out`, blanks as one space; false while a parenthesis is open. */
static bool take_line(cursor *c, buf *out, int *depth)
{
	for (int next; (next = cursor_peek(c)) >= 0;) {
		if (next == ';') {
			cursor_while(c, is_not_lf);
			continue;
		}
		cursor_next(c);
		if (next == '(')
			++*depth;
		else if (next == ')')
			--*depth;
		else if (next == '\n' && *depth == 0)
			return true;
		else if (next > ' ')
			buf_putc(out, (char)next);
		if ((next <= ' ' || next == '(' || next == ')') && out->n > 0 && out->p[out->n - 1] != ' ')
			buf_putc(out, ' ');
		if (*depth < 0)
			return true;
	}
	return *depth == 0;
}

static bool has_type(str record)
{
	while (record.n > 0) {
		str word = str_sub(record, 0, str_chr(record, ' '));
		if (str_ieq(word, STR("DS")) || str_ieq(word, STR("DNSKEY")))
			return true;
		record = str_skip(record, word.n + 1);
	}
	return false;
}

static result check(const struct anchors *a, str record)
{
	if (record.p[0] == '$')
		return failure(FAIL_INPUT, "a file of trust anchors has no directives ($...): write whole names");
	if (!has_type(record))
		return failure(FAIL_INPUT, "a file of trust anchors holds DS and DNSKEY records only");
	if (a->records >= ANCHOR_RECORDS_MAX)
		return failure(FAIL_LIMIT, "a file of trust anchors holds 64 records at most");
	return OK;
}

result anchors_next(struct anchors *a, buf *out)
{
	int depth = 0;
	buf_clear(out);
	while (out->n == 0 && !cursor_done(&a->at))
		if (!take_line(&a->at, out, &depth) || depth != 0)
			return failure(FAIL_INPUT, "a parenthesis in the file of trust anchors has no partner");
	if (out->n > 0 && !out->broken && out->p[out->n - 1] == ' ')
		out->n--;
	TRY(buf_result(out));
	if (out->n == 0)
		return OK;
	TRY(check(a, buf_str(out)));
	a->records++;
	return OK;
}
