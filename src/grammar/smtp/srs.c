#include "grammar/smtp/srs.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

enum { DIGIT_BITS = 5 };

static int value_of(unsigned char c)
{
	unsigned char u = ascii_upper(c);
	if (u >= 'A' && u <= 'Z')
		return u - 'A';
	return u >= '2' && u <= '7' ? u - '2' + 26 : -1;
}

static bool read_day(str s, uint32_t *day)
{
	if (s.n != 2)
		return false;
	int high = value_of(str_at(s, 0)), low = value_of(str_at(s, 1));
	if (high < 0 || low < 0)
		return false;
	*day = (uint32_t)high << DIGIT_BITS | (uint32_t)low;
	return true;
}

/* What is before the next '=', which is stepped over; false when there is none or nothing. */
static bool field(str *s, str *out)
{
	size_t end = str_chr(*s, '=');
	if (end == STR_NONE || end == 0)
		return false;
	*out = str_sub(*s, 0, end);
	*s = str_skip(*s, end + 1);
	return true;
}

static bool separator(unsigned char c)
{
	return c == '=' || c == '+' || c == '-';
}

static enum srs_kind kind_of(str local)
{
	if (local.n < 5 || !separator(str_at(local, 4)))
		return SRS_NONE;
	if (str_istarts(local, STR("SRS0")))
		return SRS_0;
	return str_istarts(local, STR("SRS1")) ? SRS_1 : SRS_NONE;
}

static bool parse_first(str s, struct srs *out)
{
	str day;
	if (!field(&s, &out->hash) || !field(&s, &day) || !read_day(day, &out->day) || !field(&s, &out->domain))
		return false;
	out->rest = s;
	return s.n > 0;
}

/* The rest must look as the first forwarder's would, so that nobody is led to another address by it. */
static bool parse_later(str s, struct srs *out)
{
	if (!field(&s, &out->hash) || !field(&s, &out->domain))
		return false;
	out->rest = s;
	return s.n > 1 && separator(str_at(s, 0));
}

result srs_parse(str local, struct srs *out)
{
	*out = (struct srs){.kind = kind_of(local)};
	if (out->kind == SRS_NONE)
		return OK;
	str s = str_skip(local, 5);
	if (out->kind == SRS_0 ? parse_first(s, out) : parse_later(s, out))
		return OK;
	return failure(FAIL_INPUT, "a rewritten sender (SRS) is written as SRS0=hash=day=domain=name");
}

static void put_day(buf *out, uint32_t day)
{
	buf_putc(out, digits[day >> DIGIT_BITS & 31]);
	buf_putc(out, digits[day & 31]);
}

static void put_tail(buf *out, const struct srs *s)
{
	if (s->kind == SRS_0) {
		put_day(out, s->day);
		buf_putc(out, '=');
	}
	buf_put(out, s->domain);
	buf_putc(out, '=');
	buf_put(out, s->rest);
}

void srs_print(buf *out, const struct srs *s)
{
	buf_put(out, s->kind == SRS_0 ? STR("SRS0=") : STR("SRS1="));
	buf_put(out, s->hash);
	buf_putc(out, '=');
	put_tail(out, s);
}

void srs_hashed(buf *out, const struct srs *s)
{
	size_t from = out->n;
	buf_putc(out, s->kind == SRS_0 ? '0' : '1');
	put_tail(out, s);
	for (size_t i = from; i < out->n; i++)
		out->p[i] = (char)ascii_lower((unsigned char)out->p[i]);
}

void srs_put_hash(buf *out, const unsigned char octets[SRS_HASH_OCTETS])
{
	uint64_t v = 0;
	for (int i = 0; i < SRS_HASH_OCTETS; i++)
		v = v << 8 | octets[i];
	for (int i = SRS_HASH - 1; i >= 0; i--)
		buf_putc(out, digits[v >> (i * DIGIT_BITS) & 31]);
}

bool srs_hash_is(str hash, const unsigned char octets[SRS_HASH_OCTETS])
{
	uint64_t v = 0, want = 0;
	int wrong = hash.n != SRS_HASH;
	for (size_t i = 0; i < hash.n && i < SRS_HASH; i++) {
		int d = value_of(str_at(hash, i));
		wrong |= d < 0;
		v = v << DIGIT_BITS | (uint64_t)(d & 31);
	}
	for (int i = 0; i < SRS_HASH_OCTETS; i++)
		want = want << 8 | octets[i];
	return !wrong && (v ^ want) == 0;
}

uint32_t srs_age(uint32_t day, uint64_t today)
{
	return (uint32_t)((today + SRS_DAYS - day % SRS_DAYS) % SRS_DAYS);
}
