#include "grammar/smtp/ip.h"

#include <arpa/inet.h>

bool ip_parse(str s, struct ip *out)
{
	char text[INET6_ADDRSTRLEN] = {0};
	struct ip a = {0};
	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	if (strlen(text) != s.n)
		return false;
	a.n = str_chr(s, ':') == STR_NONE ? 4 : 16;
	if (inet_pton(a.n == 4 ? AF_INET : AF_INET6, text, a.b) != 1)
		return false;
	*out = a;
	return true;
}

void ip_print(buf *out, const struct ip *a)
{
	char text[INET6_ADDRSTRLEN];
	must(a->n == 4 || a->n == 16);
	must(inet_ntop(a->n == 4 ? AF_INET : AF_INET6, a->b, text, sizeof text));
	buf_put(out, str_from(text));
}
