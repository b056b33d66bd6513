#include "grammar/imap/imap_literal.h"
#include "grammar/imap/imap_lex.h"

enum imap_line imap_literal_at_end(str line, struct imap_literal *out)
{
	struct imap_literal l = {.sync = true};
	size_t n = line.n;
	if (n == 0 || line.p[n - 1] != '}')
		return IMAP_LINE_WHOLE;
	n--;
	if (n > 0 && line.p[n - 1] == '+') {
		l.sync = false;
		n--;
	}
	size_t end = n;
	while (n > 0 && ascii_digit(str_at(line, n - 1)))
		n--;
	if (n == end || n == 0 || line.p[n - 1] != '{')
		return IMAP_LINE_WHOLE;
	size_t start = n - 1;
	if (start > 0 && line.p[start - 1] == '~') {
		l.binary = true;
		start--;
	}
	if (!str_to_u64(str_sub(line, n, end - n), &l.size) || l.size > IMAP_NUMBER64_MAX)
		return IMAP_LINE_BAD;
	l.head = line.n - start;
	*out = l;
	return IMAP_LINE_LITERAL;
}
