#include "watch/entry.h"

#include <sodium.h>

/* The fields whose text is somebody's address. */
static const str named[] = {STR_INIT("from"), STR_INIT("to"), STR_INIT("recipient"), STR_INIT("user"),
			    STR_INIT("address")};

enum { ADDRESS_MAX = 320 };

static void put_le(buf *out, uint64_t v, size_t n)
{
	char le[8];
	for (size_t i = 0; i < n; i++)
		le[i] = (char)(v >> (8 * i) & 0xff);
	buf_put(out, str_of(le, n));
}

void entry_put(buf *out, const struct entry *e)
{
	str role = str_sub(e->from.role, 0, 255);
	put_le(out, (uint64_t)e->at, 8);
	put_le(out, e->from.number, 8);
	put_le(out, role.n, 1);
	buf_put(out, role);
	put_le(out, e->record.n, 2);
	buf_put(out, e->record);
}

bool entry_read(str run, size_t at, struct entry *out)
{
	cursor c = cursor_on(str_skip(run, at));
	struct entry e = {.at = (int64_t)cursor_u64(&c), .from.number = cursor_u64(&c)};
	e.from.role = cursor_take(&c, cursor_u8(&c));
	e.record = cursor_take(&c, cursor_u16(&c));
	if (!c.bad)
		*out = e;
	return !c.bad;
}

static bool is_address_field(const struct log_value *v)
{
	if (v->type != 's' || v->text.n == 0 || v->text.n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (str_eq(v->name, named[i]))
			return true;
	return false;
}

/* Order of the keys is order of the ids, so that a prefix is a range. */
static int64_t trace_key(const unsigned char b[8])
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return (int64_t)(v ^ (uint64_t)1 << 63);
}

int64_t address_key(str address, const unsigned char secret[MARK_KEY])
{
	_Static_assert(MARK_KEY == crypto_shorthash_KEYBYTES, "the hash has this key");
	unsigned char low[ADDRESS_MAX], hash[crypto_shorthash_BYTES];
	address = str_sub(address, 0, sizeof low);
	for (size_t i = 0; i < address.n; i++)
		low[i] = ascii_lower(str_at(address, i));
	crypto_shorthash(hash, low, address.n, secret);
	int64_t key;
	memcpy(&key, hash, sizeof key);
	return key;
}

void entry_marks(const struct log_record *r, const unsigned char secret[MARK_KEY], struct marks *out)
{
	struct log_record walk = *r;
	struct log_value v;
	out->keys[0] = trace_key(r->trace.b);
	out->n = 1;
	while (out->n < sizeof out->keys / sizeof out->keys[0] && log_next(&walk, &v))
		if (is_address_field(&v))
			out->keys[out->n++] = address_key(v.text, secret);
}

bool entry_names(str record, str address)
{
	struct log_record r;
	struct log_value v;
	if (!log_read(record, &r))
		return false;
	while (log_next(&r, &v))
		if (is_address_field(&v) && str_ieq(v.text, address))
			return true;
	return false;
}

static int64_t key_of_digits(const char *digits, size_t n, unsigned fill)
{
	unsigned char b[8];
	for (size_t i = 0; i < sizeof b; i++) {
		unsigned high = 2 * i < n ? (unsigned)ascii_hex(digits[2 * i]) : fill;
		unsigned low = 2 * i + 1 < n ? (unsigned)ascii_hex(digits[2 * i + 1]) : fill;
		b[i] = (unsigned char)(high << 4 | low);
	}
	return trace_key(b);
}

bool trace_prefix_of(str text, struct trace_prefix *out)
{
	if (text.n < TRACE_PREFIX_MIN || text.n > TRACE_HEX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (ascii_hex(str_at(text, i)) < 0)
			return false;
		out->digits[i] = (char)ascii_lower(str_at(text, i));
	}
	out->n = text.n;
	out->least = key_of_digits(out->digits, out->n, 0);
	out->most = key_of_digits(out->digits, out->n, 15);
	return true;
}

bool trace_has_prefix(const trace_id *id, const struct trace_prefix *p)
{
	char hex[TRACE_HEX];
	trace_hex(id, hex);
	return memcmp(hex, p->digits, p->n) == 0;
}
