#include "grammar/text/fold_ascii.h"

size_t fold_ascii(str s, bool *cr, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool after_cr = *cr;
		*cr = c == '\r';
		if (c == '\n' && after_cr)
			continue;
		out[n++] = c == '\r' ? '\n' : (char)ascii_upper((unsigned char)c);
	}
	return n;
}
