#include "grammar/dns/tlsrpt.h"

#include "grammar/dns/record_fields.h"

bool tlsrpt_is_record(str text)
{
	cursor at;
	return record_begins(text, STR("v=TLSRPTv1"), &at);
}

/* One octet of RFC 3986 2.1, which must be printable ASCII; -1: it is not. */
static int take_octet(cursor *c)
{
	int octet = cursor_next(c);
	if (octet == '%') {
		int high = ascii_hex(cursor_next(c)), low = ascii_hex(cursor_next(c));
		octet = high < 0 || low < 0 ? -1 : high << 4 | low;
	}
	return octet > ' ' && octet < 127 ? octet : -1;
}

/* Decoded; an address has a local part and a domain, and what is more is the mailer's to say. */
static bool read_mailto(str uri, arena *a, struct tlsrpt_place *out)
{
	cursor c = cursor_on(str_sub(uri, 0, str_chr(uri, '?')));
	size_t n = 0;
	char *to = arena_alloc(a, uri.n + 1);
	while (to && !cursor_done(&c)) {
		int octet = take_octet(&c);
		if (octet < 0)
			return false;
		to[n++] = (char)octet;
	}
	str address = str_of(to, n);
	size_t at = str_rchr(address, '@');
	if (at == STR_NONE || at == 0 || at + 1 == n)
		return false;
	*out = (struct tlsrpt_place){.address = address};
	return true;
}

static bool is_host_octet(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.';
}

/* host [":" port] and a path; no user name, no address literal, no fragment. */
static bool read_https(str uri, struct tlsrpt_place *out)
{
	cursor c = cursor_on(uri);
	struct tlsrpt_place p = {.host = cursor_while(&c, is_host_octet)};
	uint32_t port = 0;
	if (cursor_eat(&c, ':') && (!str_to_u32(cursor_while(&c, ascii_digit), &port) || port == 0 || port > UINT16_MAX))
		return false;
	p.port = (uint16_t)port;
	p.path = cursor_rest(&c);
	if (p.path.n == 0)
		p.path = STR("/");
	if (p.host.n == 0 || str_at(p.path, 0) != '/' || str_chr(p.path, '#') != STR_NONE)
		return false;
	*out = p;
	return true;
}

static bool read_uri(str uri, arena *a, struct tlsrpt_place *out)
{
	if (str_istarts(uri, STR("mailto:")))
		return read_mailto(str_skip(uri, 7), a, out);
	return str_istarts(uri, STR("https://")) && read_https(str_skip(uri, 8), out);
}

static void read_uris(str list, arena *a, struct tlsrpt *out)
{
	while (list.n > 0 && out->n < TLSRPT_PLACES_MAX) {
		size_t comma = str_chr(list, ',');
		str uri = str_trim(str_sub(list, 0, comma));
		list = comma == STR_NONE ? (str){NULL, 0} : str_skip(list, comma + 1);
		if (str_chr(uri, ' ') == STR_NONE && str_chr(uri, '\t') == STR_NONE && read_uri(uri, a, &out->place[out->n]))
			out->n++;
	}
}

result tlsrpt_record(str text, arena *a, struct tlsrpt *out)
{
	cursor at;
	struct record_field f;
	str rua = {NULL, 0};
	*out = (struct tlsrpt){0};
	if (!record_begins(text, STR("v=TLSRPTv1"), &at))
		return failure(FAIL_INPUT, "it is no TLSRPT record");
	for (;;) {
		TRY(record_field_next(&at, &f));
		if (f.name.n == 0)
			break;
		if (!rua.n && str_eq(f.name, STR("rua")))
			rua = f.value;
	}
	read_uris(rua, a, out);
	TRY(arena_result(a));
	return out->n > 0 ? OK : failure(FAIL_INPUT, "the TLSRPT record names no place for reports");
}
