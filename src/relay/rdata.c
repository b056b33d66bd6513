#include "relay/rdata.h"

#include "base/buf.h"
#include "base/cursor.h"

enum { NAME_MAX_OCTETS = 255, LABEL_MAX = 63 };

static uint16_t big_endian_u16(cursor *c)
{
	unsigned high = cursor_u8(c);
	return (uint16_t)(high << 8 | cursor_u8(c));
}

static bool put_label(buf *out, str label)
{
	for (size_t i = 0; i < label.n; i++) {
		unsigned char c = ascii_lower(str_at(label, i));
		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '_')
			return false;
		buf_putc(out, (char)c);
	}
	return true;
}

static bool take_name(cursor *c, arena *a, str *out)
{
	AUTO_BUF buf name = buf_new(NAME_MAX_OCTETS);
	for (unsigned n; (n = cursor_u8(c)) > 0;) {
		str label = cursor_take(c, n);
		if (name.n > 0)
			buf_putc(&name, '.');
		if (n > LABEL_MAX || c->bad || !put_label(&name, label))
			return false;
	}
	if (c->bad || name.broken)
		return false;
	*out = arena_dup(a, buf_str(&name));
	return out->p || name.n == 0;
}

bool rdata_mx(str rdata, arena *a, uint16_t *preference, str *host)
{
	cursor c = cursor_on(rdata);
	uint16_t p = big_endian_u16(&c);
	str name;
	if (!take_name(&c, a, &name) || !cursor_done(&c))
		return false;
	*preference = p;
	*host = name;
	return true;
}

bool rdata_address(str rdata, net_addr *out)
{
	net_addr a = {.ip = {[10] = 0xff, [11] = 0xff}};
	if (rdata.n != 4 && rdata.n != 16)
		return false;
	memcpy(a.ip + (16 - rdata.n), rdata.p, rdata.n);
	*out = a;
	return true;
}

bool rdata_tlsa(str rdata, struct tls_tlsa *out)
{
	cursor c = cursor_on(rdata);
	struct tls_tlsa r = {.usage = cursor_u8(&c), .selector = cursor_u8(&c), .matching = cursor_u8(&c)};
	r.data = cursor_rest(&c);
	if (c.bad || r.data.n == 0)
		return false;
	*out = r;
	return true;
}

bool rdata_txt(str rdata, arena *a, str *out)
{
	AUTO_BUF buf text = buf_new(UINT16_MAX);
	cursor c = cursor_on(rdata);
	while (!cursor_done(&c) && !c.bad) {
		unsigned n = cursor_u8(&c);
		buf_put(&text, cursor_take(&c, n));
	}
	if (c.bad || text.broken)
		return false;
	*out = arena_dup(a, buf_str(&text));
	return out->p || text.n == 0;
}
