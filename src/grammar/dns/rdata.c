#include "grammar/dns/rdata.h"

#include "base/buf.h"
#include "base/cursor.h"

enum { SHA_256 = 1, SHA_512 = 2 };

static const result wrong = {FAIL_INPUT, "a DNS record is not what its type says"};

static uint16_t take_u16(cursor *c)
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

static result take_name(cursor *c, arena *a, str *out)
{
	AUTO_BUF buf name = buf_new(DNS_NAME_MAX - 2); /* as text: one octet less in front, one at the end */
	for (size_t n; (n = cursor_u8(c)) > 0;) {
		str label = cursor_take(c, n);
		if (n > DNS_LABEL_MAX || c->bad)
			return wrong;
		if (name.n > 0)
			buf_putc(&name, '.');
		if (!put_label(&name, label))
			return failure(FAIL_INPUT, "a name in DNS holds what no host's name has");
	}
	if (c->bad || name.broken == FAIL_LIMIT)
		return wrong;
	TRY(buf_result(&name));
	*out = arena_dup(a, buf_str(&name));
	return arena_result(a);
}

result rdata_mx(str rdata, arena *a, struct rdata_mx *out)
{
	cursor c = cursor_on(rdata);
	struct rdata_mx mx = {.preference = take_u16(&c)};
	TRY(take_name(&c, a, &mx.host));
	if (!cursor_done(&c))
		return wrong;
	*out = mx;
	return OK;
}

result rdata_name(str rdata, arena *a, str *out)
{
	cursor c = cursor_on(rdata);
	str name;
	TRY(take_name(&c, a, &name));
	if (!cursor_done(&c))
		return wrong;
	*out = name;
	return OK;
}

result rdata_ip(str rdata, unsigned char out[16])
{
	static const unsigned char v4[12] = {[10] = 0xff, [11] = 0xff};
	if (rdata.n != 4 && rdata.n != 16)
		return wrong;
	memcpy(out, v4, sizeof v4);
	memcpy(out + (16 - rdata.n), rdata.p, rdata.n);
	return OK;
}

result rdata_txt(str rdata, arena *a, str *out)
{
	cursor c = cursor_on(rdata);
	if (rdata.n == 0)
		return wrong;
	char *text = arena_alloc(a, rdata.n);
	size_t n = 0;
	if (!text)
		return arena_result(a);
	while (!cursor_done(&c)) {
		str part = cursor_take(&c, cursor_u8(&c));
		if (c.bad)
			return wrong;
		if (part.n > 0)
			memcpy(text + n, part.p, part.n);
		n += part.n;
	}
	*out = str_of(text, n);
	return OK;
}

result rdata_tlsa(str rdata, struct rdata_tlsa *out)
{
	cursor c = cursor_on(rdata);
	struct rdata_tlsa t = {.usage = cursor_u8(&c), .selector = cursor_u8(&c), .matching = cursor_u8(&c)};
	t.data = cursor_rest(&c);
	size_t digest = t.matching == SHA_256 ? 32 : t.matching == SHA_512 ? 64 : t.data.n;
	if (c.bad || t.data.n == 0 || t.data.n != digest)
		return wrong;
	*out = t;
	return OK;
}
