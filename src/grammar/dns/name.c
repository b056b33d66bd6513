#include "grammar/dns/name.h"

bool dns_name_is(str s)
{
	size_t label = 0;
	if (s.n == 0 || s.n > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		if (c == '.' ? label == 0 : !ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > DNS_LABEL_MAX)
			return false;
	}
	return label > 0;
}
