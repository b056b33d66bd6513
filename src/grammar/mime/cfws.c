#include "grammar/mime/cfws.h"

bool cfws_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cfws_comment(cursor *c)
{
	size_t depth = 0;
	do {
		int ch = cursor_next(c);
		if (ch == '\\' && !cursor_done(c))
			cursor_next(c);
		depth += ch == '(';
		depth -= ch == ')';
	} while (depth > 0 && !cursor_done(c));
	return depth == 0;
}

void cfws_skip(cursor *c)
{
	for (;;) {
		cursor_while(c, cfws_blank);
		if (cursor_peek(c) != '(')
			return;
		cfws_comment(c);
	}
}
