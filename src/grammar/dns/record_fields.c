#include "grammar/dns/record_fields.h"

enum { NAME_MAX_OCTETS = 32 };

static bool is_wsp(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_value(unsigned char c)
{
	return c != ';' && ((c > ' ' && c < 127) || is_wsp(c));
}

/* *WSP ";" *WSP; false without a semicolon. */
static bool eat_delimiter(cursor *c)
{
	cursor_while(c, is_wsp);
	bool eaten = cursor_eat(c, ';');
	cursor_while(c, is_wsp);
	return eaten;
}

bool record_begins(str text, str version, cursor *at)
{
	if (!str_starts(text, version))
		return false;
	*at = cursor_on(str_skip(text, version.n));
	cursor ahead = *at;
	return eat_delimiter(&ahead) || cursor_done(&ahead);
}

result record_field_next(cursor *at, struct record_field *out)
{
	bool delimited = eat_delimiter(at);
	*out = (struct record_field){0};
	if (cursor_done(at))
		return OK;
	struct record_field f = {.name = cursor_while(at, is_name)};
	bool good = delimited && f.name.n > 0 && f.name.n <= NAME_MAX_OCTETS && cursor_eat(at, '=');
	f.value = str_trim(cursor_while(at, is_value));
	if (!good || f.value.n == 0 || (!cursor_done(at) && cursor_peek(at) != ';'))
		return failure(FAIL_INPUT, "the record is not a list of name=value with semicolons between");
	*out = f;
	return OK;
}
