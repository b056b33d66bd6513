#include "fetch/request.h"

#include "base/buf.h"
#include "grammar/dns/name.h"

enum { PATH_MAX_OCTETS = 2048, TYPE_MAX = 100 };

/* "10.0.0.1" would be an address, which has no name to verify. */
static bool is_host(str s)
{
	return dns_name_is(s) && !ascii_digit(str_at(s, s.n - 1));
}

static bool is_printable(str s, unsigned char from)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_at(s, i) < from || str_at(s, i) > 126)
			return false;
	return true;
}

result request_check(const struct request *r)
{
	if (!is_host(r->host))
		return failure(FAIL_INPUT, "that is no name of an HTTPS server");
	if (r->path.n == 0 || r->path.n > PATH_MAX_OCTETS || r->path.p[0] != '/' || !is_printable(r->path, '!')
	    || str_chr(r->path, '#') != STR_NONE)
		return failure(FAIL_INPUT, "that is no path of an HTTPS request");
	if (r->post && (r->type.n == 0 || r->type.n > TYPE_MAX || !is_printable(r->type, ' ')))
		return failure(FAIL_INPUT, "that is no media type");
	return OK;
}

static char *finish(buf *text, arena *a)
{
	return text->broken ? NULL : arena_cstr(a, buf_str(text));
}

char *request_url(const struct request *r, arena *a)
{
	AUTO_BUF buf text = buf_new(PATH_MAX_OCTETS + DNS_NAME_MAX + 32);
	buf_printf(&text, "https://%.*s:%u%.*s", STR_ARG(r->host), r->port, STR_ARG(r->path));
	return finish(&text, a);
}

char *request_addresses(const struct request *r, const net_addr *list, size_t n, arena *a)
{
	AUTO_BUF buf text = buf_new(DNS_NAME_MAX + 32 + REQUEST_ADDRESSES_MAX * (NET_TEXT_MAX + 1));
	buf_printf(&text, "+%.*s:%u:", STR_ARG(r->host), r->port);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&text, ',');
		net_put_ip(&text, &list[i]);
	}
	return finish(&text, a);
}
