/* A view of bytes: pointer and length. Owns nothing; any byte may occur, and
 * there is no terminator. Wire data is always a str, never a char *.
 *
 * Case folding here is ASCII only (protocol words). Nothing suspends or fails. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
	const char *p;
	size_t n;
} str;

#define STR(LITERAL) ((str){(LITERAL), sizeof(LITERAL) - 1})
/* For initialisers of static tables, where a compound literal is not allowed. */
#define STR_INIT(LITERAL) {(LITERAL), sizeof(LITERAL) - 1}
/* For printf's "%.*s". */
#define STR_ARG(S) (int)((S).n), (S).p
#define STR_NONE SIZE_MAX /* "not found" of the finders */

static inline str str_of(const char *p, size_t n)
{
	return (str){p, n};
}

static inline str str_from(const char *zero_terminated)
{
	return zero_terminated ? (str){zero_terminated, strlen(zero_terminated)} : (str){NULL, 0};
}

static inline unsigned char str_at(str s, size_t i)
{
	return (unsigned char)s.p[i];
}

/* The part from `from` for `n` bytes; both are cut to what is there. */
static inline str str_sub(str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return (str){s.p ? s.p + from : NULL, n};
}

static inline str str_skip(str s, size_t from)
{
	return str_sub(s, from, SIZE_MAX);
}

bool str_eq(str a, str b);
bool str_ieq(str a, str b);              /* ASCII letters without case */
int str_cmp(str a, str b);               /* bytewise, shorter first */
bool str_starts(str s, str prefix);
bool str_istarts(str s, str prefix);
bool str_ends(str s, str suffix);
bool str_iends(str s, str suffix);
size_t str_chr(str s, char c);           /* STR_NONE when absent */
size_t str_rchr(str s, char c);
size_t str_find(str s, str part);        /* bytewise; an empty part is at 0 */
size_t str_ifind(str s, str part);       /* ASCII letters without case */
str str_trim(str s);                     /* without SP, HTAB, CR, LF at both ends */
bool str_to_u64(str s, uint64_t *out);   /* 1*DIGIT and nothing else; false on overflow */
bool str_to_u32(str s, uint32_t *out);
bool str_is_ascii(str s);                /* no byte above 127 */
bool str_is_utf8(str s);                 /* well-formed UTF-8 (RFC 3629), NUL allowed */
str str_clip(str s, size_t most);        /* its first bytes, at most so many, and no half a character of UTF-8 */
/* The well-formed character at i < s.n: its length, itself in *c; 0 when there is none. */
size_t str_utf8_at(str s, size_t i, uint32_t *c);

static inline unsigned char ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static inline unsigned char ascii_upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}

static inline bool ascii_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_alpha(unsigned char c)
{
	unsigned char l = ascii_lower(c);
	return l >= 'a' && l <= 'z';
}

/* The value of a hexadecimal digit; -1: it is none, as is the -1 of a cursor's end. */
static inline int ascii_hex(int c)
{
	unsigned char l = ascii_lower((unsigned char)c);
	return ascii_digit(l) ? l - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

#endif
