#include <arpa/inet.h>

#include "run/net.h"

static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool net_is_v4(const net_addr *a)
{
	return memcmp(a->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool net_is_loopback(const net_addr *a)
{
	static const unsigned char v6[16] = {[15] = 1};
	return net_is_v4(a) ? a->ip[12] == 127 : memcmp(a->ip, v6, sizeof(v6)) == 0;
}

bool net_same_host(const net_addr *a, const net_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

result net_parse_ip(str text, net_addr *out)
{
	char copy[NET_TEXT_MAX];
	net_addr a = {0};
	if (text.n && text.n < sizeof(copy) && str_chr(text, 0) == STR_NONE) {
		memcpy(copy, text.p, text.n);
		copy[text.n] = 0;
		bool v4 = inet_pton(AF_INET, copy, a.ip + 12) == 1;
		if (v4)
			memcpy(a.ip, v4_prefix, sizeof(v4_prefix));
		if (v4 || inet_pton(AF_INET6, copy, a.ip) == 1) {
			*out = a;
			return OK;
		}
	}
	return failure(FAIL_INPUT, "This is not an IP address.");
}

result net_parse(str text, net_addr *out)
{
	size_t colon = str_rchr(text, ':');
	uint32_t port = 0;
	if (colon == STR_NONE || !str_to_u32(str_skip(text, colon + 1), &port) || port > UINT16_MAX)
		return failure(FAIL_INPUT, "This is not an address and port, like 192.0.2.1:25 or [2001:db8::1]:25.");
	str host = str_sub(text, 0, colon);
	bool brackets = str_starts(host, STR("[")) && str_ends(host, STR("]"));
	if (brackets)
		host = str_sub(host, 1, host.n - 2);
	net_addr a;
	TRY(net_parse_ip(host, &a));
	if (brackets != (str_chr(host, ':') != STR_NONE))
		return failure(FAIL_INPUT, "An IPv6 address stands in brackets before its port, an IPv4 address does not.");
	a.port = (uint16_t)port;
	*out = a;
	return OK;
}

void net_put_ip(buf *out, const net_addr *a)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = net_is_v4(a);
	must(inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip + 12 : a->ip, text, sizeof(text)));
	buf_put(out, str_from(text));
}

void net_put(buf *out, const net_addr *a)
{
	bool v4 = net_is_v4(a);
	if (!v4)
		buf_putc(out, '[');
	net_put_ip(out, a);
	buf_put(out, v4 ? STR(":") : STR("]:"));
	buf_put_u64(out, a->port);
}

void net_put_literal(buf *out, const net_addr *a)
{
	buf_put(out, net_is_v4(a) ? STR("[") : STR("[IPv6:"));
	net_put_ip(out, a);
	buf_putc(out, ']');
}

static void mask(unsigned char ip[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned left = bits > 8 * i ? bits - 8 * i : 0;
		if (left < 8)
			ip[i] = (unsigned char)(ip[i] & (0xff00U >> left));
	}
}

net_cidr net_around(const net_addr *a, unsigned bits)
{
	net_cidr c = {.bits = bits};
	memcpy(c.ip, a->ip, sizeof(c.ip));
	mask(c.ip, bits);
	return c;
}

result net_parse_cidr(str text, net_cidr *out)
{
	size_t slash = str_chr(text, '/');
	net_addr a;
	TRY(net_parse_ip(str_sub(text, 0, slash), &a));
	unsigned width = net_is_v4(&a) ? 32 : 128;
	uint32_t bits = width;
	if (slash != STR_NONE && (!str_to_u32(str_skip(text, slash + 1), &bits) || bits > width))
		return failure(FAIL_INPUT, "This is not a network, like 192.0.2.0/24 or 2001:db8::/32.");
	*out = net_around(&a, bits + 128 - width);
	return OK;
}

void net_put_cidr(buf *out, const net_cidr *c)
{
	net_addr a = {.port = 0};
	memcpy(a.ip, c->ip, sizeof a.ip);
	bool v4 = c->bits >= 96 && net_is_v4(&a);
	net_put_ip(out, &a);
	if (c->bits < 128)
		buf_printf(out, "/%u", v4 ? c->bits - 96 : c->bits);
}

bool net_in(const net_addr *a, const net_cidr *c)
{
	unsigned char ip[16];
	memcpy(ip, a->ip, sizeof(ip));
	mask(ip, c->bits);
	return memcmp(ip, c->ip, sizeof(ip)) == 0;
}

bool net_in_any(const net_addr *a, const net_cidr *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (net_in(a, &list[i]))
			return true;
	return false;
}

bool net_cidr_in(const net_cidr *c, const net_cidr *in)
{
	net_addr first = {.port = 0};
	memcpy(first.ip, c->ip, sizeof(first.ip));
	return c->bits >= in->bits && net_in(&first, in);
}

/* RFC 6890 and its registries; ::ffff:0:0/96 holds IPv4, so an IPv4 /8 is a /104 here. */
static const net_cidr kept_back[] = {
#define V4(A, B, C, BITS) {{[10] = 0xff, [11] = 0xff, (A), (B), (C)}, 96 + (BITS)}
	V4(0, 0, 0, 8), V4(10, 0, 0, 8), V4(100, 64, 0, 10), V4(127, 0, 0, 8), V4(169, 254, 0, 16), V4(172, 16, 0, 12),
	V4(192, 0, 0, 24), V4(192, 0, 2, 24), V4(192, 168, 0, 16), V4(198, 18, 0, 15), V4(198, 51, 100, 24),
	V4(203, 0, 113, 24), V4(224, 0, 0, 3),
#undef V4
	{{0}, 128}, {{[15] = 1}, 128},             /* unspecified, loopback */
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* local translation */
	{{0x01}, 64},                              /* discard */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},            /* documentation */
	{{0xfc}, 7}, {{0xfe, 0x80}, 10}, {{0xff}, 8},
};

bool net_is_public(const net_addr *a)
{
	return !net_in_any(a, kept_back, sizeof(kept_back) / sizeof(kept_back[0]));
}

bool net_cidr_is_private(const net_cidr *c)
{
	for (size_t i = 0; i < sizeof(kept_back) / sizeof(kept_back[0]); i++)
		if (net_cidr_in(c, &kept_back[i]))
			return true;
	return false;
}
