/* Input: pattern, LF, name. Property: on short inputs the matcher agrees with
 * a naive recursive one. */
#include "grammar/imap/imap_match.h"
#include "base/fail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHORT = 12 };

static bool naive(str p, str n)
{
	if (p.n == 0)
		return n.n == 0;
	if (p.p[0] == '*' || p.p[0] == '%') {
		if (naive(str_skip(p, 1), n))
			return true;
		return n.n > 0 && (p.p[0] == '*' || n.p[0] != '/') && naive(p, str_skip(n, 1));
	}
	return n.n > 0 && p.p[0] == n.p[0] && naive(str_skip(p, 1), str_skip(n, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str all = str_of((const char *)data, size);
	size_t end = str_chr(all, '\n');
	str pattern = str_sub(all, 0, end), name = str_skip(all, end == STR_NONE ? all.n : end + 1);
	bool got = imap_match(pattern, name);
	if (pattern.n > SHORT || name.n > SHORT)
		return 0;
	if (!str_istarts(name, STR("INBOX")))
		must(got == naive(pattern, name));
	return 0;
}
