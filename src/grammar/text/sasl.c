#include "grammar/text/sasl.h"
#include "base/cursor.h"
#include "grammar/text/base64.h"

result sasl_decode(str line, buf *out)
{
	if (str_eq(line, STR("*")))
		return failure(FAIL_CANCELLED, "the client cancelled the login");
	if (line.n > SASL_LINE_MAX)
		return failure(FAIL_LIMIT, "the login message is too long");
	return base64_decode(out, line);
}

result sasl_login_check(str answer, size_t max)
{
	if (answer.n == 0)
		return failure(FAIL_INPUT, "the user name or the password is empty");
	if (answer.n > max)
		return failure(FAIL_LIMIT, "the user name or the password is too long");
	if (str_chr(answer, '\0') != STR_NONE)
		return failure(FAIL_INPUT, "the user name or the password contains a NUL");
	if (!str_is_utf8(answer))
		return failure(FAIL_INPUT, "the user name or the password is not valid UTF-8");
	return OK;
}

static bool not_nul(unsigned char c)
{
	return c != '\0';
}

result sasl_plain_parse(str message, struct sasl_plain *out)
{
	cursor c = cursor_on(message);
	struct sasl_plain p;
	p.authzid = cursor_while(&c, not_nul);
	cursor_expect(&c, '\0');
	p.authcid = cursor_while(&c, not_nul);
	cursor_expect(&c, '\0');
	p.passwd = cursor_rest(&c);
	if (c.bad)
		return failure(FAIL_INPUT, "the PLAIN message has to have three parts with a NUL between them");
	if (p.authzid.n > 0)
		TRY(sasl_login_check(p.authzid, SASL_NAME_MAX));
	TRY(sasl_login_check(p.authcid, SASL_NAME_MAX));
	TRY(sasl_login_check(p.passwd, SASL_PASSWORD_MAX));
	*out = p;
	return OK;
}

void sasl_plain_print(buf *out, const struct sasl_plain *p)
{
	buf_put(out, p->authzid);
	buf_putc(out, '\0');
	buf_put(out, p->authcid);
	buf_putc(out, '\0');
	buf_put(out, p->passwd);
}
