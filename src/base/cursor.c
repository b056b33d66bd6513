#include "base/cursor.h"

int cursor_next(cursor *c)
{
	if (c->bad || c->p == c->end) {
		c->bad = true;
		return -1;
	}
	return (unsigned char)*c->p++;
}

bool cursor_eat(cursor *c, char want)
{
	if (c->bad || c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

bool cursor_ieat(cursor *c, str word)
{
	if (c->bad || cursor_left(c) < word.n || !str_ieq(str_of(c->p, word.n), word))
		return false;
	c->p += word.n;
	return true;
}

void cursor_expect(cursor *c, char want)
{
	if (!cursor_eat(c, want))
		c->bad = true;
}

str cursor_take(cursor *c, size_t n)
{
	if (c->bad || cursor_left(c) < n) {
		c->bad = true;
		return (str){NULL, 0};
	}
	str s = str_of(c->p, n);
	c->p += n;
	return s;
}

str cursor_while(cursor *c, bool (*in)(unsigned char))
{
	const char *start = c->p;
	if (c->bad)
		return (str){NULL, 0};
	while (c->p < c->end && in((unsigned char)*c->p))
		c->p++;
	return str_of(start, (size_t)(c->p - start));
}

str cursor_rest(cursor *c)
{
	return cursor_take(c, c->bad ? 0 : cursor_left(c));
}

static uint64_t little_endian(cursor *c, size_t bytes)
{
	str s = cursor_take(c, bytes);
	uint64_t v = 0;
	for (size_t i = s.n; i > 0; i--)
		v = v << 8 | str_at(s, i - 1);
	return v;
}

uint8_t cursor_u8(cursor *c)
{
	return (uint8_t)little_endian(c, 1);
}

uint16_t cursor_u16(cursor *c)
{
	return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u32(cursor *c)
{
	return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u64(cursor *c)
{
	return little_endian(c, 8);
}
