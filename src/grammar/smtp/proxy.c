#include "grammar/smtp/proxy.h"
#include "base/cursor.h"

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21, FAMILY_TCP4 = 0x11, FAMILY_TCP6 = 0x21 };

static uint16_t take_u16(cursor *c)
{
	unsigned high = (unsigned)cursor_next(c), low = (unsigned)cursor_next(c);
	return (uint16_t)(high << 8 | low);
}

static result check_signature(str in)
{
	size_t n = in.n < sizeof signature ? in.n : sizeof signature;
	if (n == 0 || memcmp(in.p, signature, n) == 0)
		return OK;
	if (str_starts(STR("PROXY "), str_sub(in, 0, 6)))
		return failure(FAIL_INPUT, "the connection begins with PROXY protocol version 1; "
					   "set the balancer to send version 2");
	return failure(FAIL_INPUT, "the connection does not begin with a PROXY protocol header");
}

static void take_ip(cursor *c, uint8_t n, struct ip *out)
{
	str s = cursor_take(c, n);
	*out = (struct ip){.n = n};
	if (s.n == n)
		memcpy(out->b, s.p, n);
}

static void take_addresses(cursor *c, uint8_t n, struct proxy_header *h)
{
	h->kind = n == 4 ? PROXY_TCP4 : PROXY_TCP6;
	take_ip(c, n, &h->source);
	take_ip(c, n, &h->destination);
	h->source_port = take_u16(c);
	h->destination_port = take_u16(c);
}

result proxy_parse(str in, struct proxy_header *out, size_t *need)
{
	struct proxy_header h = {0};
	cursor c = cursor_on(in);
	TRY(check_signature(in));
	if (in.n < PROXY_FIXED) {
		*need = PROXY_FIXED - in.n;
		return OK;
	}
	cursor_take(&c, sizeof signature);
	int command = cursor_next(&c), family = cursor_next(&c);
	size_t length = take_u16(&c);
	if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
		return failure(FAIL_INPUT, "the PROXY header has an unknown version or command");
	if (length > PROXY_HEADER_MAX - PROXY_FIXED)
		return failure(FAIL_LIMIT, "the PROXY header is longer than its limit");
	if (in.n < PROXY_FIXED + length) {
		*need = PROXY_FIXED + length - in.n;
		return OK;
	}
	cursor addresses = cursor_on(str_sub(in, PROXY_FIXED, length));
	h.kind = command == COMMAND_LOCAL ? PROXY_LOCAL : PROXY_UNSPEC;
	h.size = PROXY_FIXED + length;
	if (command == COMMAND_PROXY && (family == FAMILY_TCP4 || family == FAMILY_TCP6))
		take_addresses(&addresses, family == FAMILY_TCP4 ? 4 : 16, &h);
	if (addresses.bad)
		return failure(FAIL_INPUT, "the PROXY header is too short for its addresses");
	*out = h;
	*need = 0;
	return OK;
}

static void put_u16(buf *out, unsigned v)
{
	buf_putc(out, (char)(v >> 8 & 255));
	buf_putc(out, (char)(v & 255));
}

void proxy_print(buf *out, const struct proxy_header *h)
{
	bool tcp = h->kind == PROXY_TCP4 || h->kind == PROXY_TCP6;
	uint8_t n = h->kind == PROXY_TCP4 ? 4 : 16;
	buf_put(out, str_of(signature, sizeof signature));
	buf_putc(out, h->kind == PROXY_LOCAL ? COMMAND_LOCAL : COMMAND_PROXY);
	buf_putc(out, (char)(!tcp ? 0 : n == 4 ? FAMILY_TCP4 : FAMILY_TCP6));
	put_u16(out, tcp ? 2u * n + 4 : 0);
	if (!tcp)
		return;
	must(h->source.n == n && h->destination.n == n);
	buf_put(out, str_of((const char *)h->source.b, n));
	buf_put(out, str_of((const char *)h->destination.b, n));
	put_u16(out, h->source_port);
	put_u16(out, h->destination_port);
}
