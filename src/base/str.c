#include "base/str.h"

bool str_eq(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_letters(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower((unsigned char)a[i]) != ascii_lower((unsigned char)b[i]))
			return false;
	return true;
}

bool str_ieq(str a, str b)
{
	return a.n == b.n && same_letters(a.p, b.p, a.n);
}

int str_cmp(str a, str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	if (order != 0)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(str s, str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_istarts(str s, str prefix)
{
	return s.n >= prefix.n && str_ieq(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(str s, str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool str_iends(str s, str suffix)
{
	return s.n >= suffix.n && str_ieq(str_skip(s, s.n - suffix.n), suffix);
}

size_t str_chr(str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : STR_NONE;
}

size_t str_rchr(str s, char c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return STR_NONE;
}

size_t str_find(str s, str part)
{
	if (part.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
	return at ? (size_t)(at - s.p) : STR_NONE;
}

size_t str_ifind(str s, str part)
{
	if (part.n > s.n)
		return STR_NONE;
	for (size_t i = 0; i <= s.n - part.n; i++)
		if (same_letters(s.p + i, part.p, part.n))
			return i;
	return STR_NONE;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_to_u64(str s, uint64_t *out)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(str_at(s, i)))
			return false;
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(str_at(s, i) - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

bool str_to_u32(str s, uint32_t *out)
{
	uint64_t v;
	if (!str_to_u64(s, &v) || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

bool str_is_ascii(str s)
{
	enum { STEP = 4 * sizeof(uint64_t) };
	size_t i = 0;
	/* Whole bodies are asked about: 32 octets a step. */
	for (; s.n - i >= STEP; i += STEP) {
		uint64_t four[4];
		memcpy(four, s.p + i, sizeof four);
		if ((four[0] | four[1] | four[2] | four[3]) & 0x8080808080808080u)
			return false;
	}
	for (; i < s.n; i++)
		if (str_at(s, i) > 127)
			return false;
	return true;
}

/* Length of the well-formed sequence at s.p[i], 0 when there is none. */
static size_t utf8_length(str s, size_t i)
{
	unsigned char c = str_at(s, i);
	size_t n = c < 0x80 ? 1 : c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3
		: c >= 0xF0 && c <= 0xF4 ? 4 : 0;
	if (n == 0 || n > s.n - i)
		return 0;
	for (size_t k = 1; k < n; k++)
		if ((str_at(s, i + k) & 0xC0) != 0x80)
			return 0;
	unsigned char second = n > 1 ? str_at(s, i + 1) : 0;
	if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90) ||
	    (c == 0xF4 && second > 0x8F))
		return 0;
	return n;
}

str str_clip(str s, size_t most)
{
	size_t least = most > 3 ? most - 3 : 0; /* no character is longer: what goes on before is no text */
	while (most < s.n && most > least && (str_at(s, most) & 0xC0) == 0x80)
		most--;
	return str_sub(s, 0, most);
}

size_t str_utf8_at(str s, size_t i, uint32_t *c)
{
	size_t n = utf8_length(s, i);
	uint32_t v = str_at(s, i) & (n > 1 ? 0xFFU >> (n + 1) : 0x7FU);
	for (size_t k = 1; k < n; k++)
		v = v << 6 | (str_at(s, i + k) & 0x3FU);
	if (n > 0)
		*c = v;
	return n;
}

bool str_is_utf8(str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = utf8_length(s, i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
