/* A reader over a view of bytes that carries its own error.
 *
 * After the first step that does not fit, `bad` stays set, further steps give
 * zero or empty values, and the parser looks once at the end. Owns nothing. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/str.h"

typedef struct cursor {
	const char *p;
	const char *end;
	bool bad;
} cursor;

static inline cursor cursor_on(str s)
{
	return (cursor){s.p, s.p ? s.p + s.n : NULL, false};
}

static inline size_t cursor_left(const cursor *c)
{
	return (size_t)(c->end - c->p);
}

static inline bool cursor_done(const cursor *c)
{
	return c->p == c->end;
}

/* The next byte without taking it, -1 at the end or when bad. */
static inline int cursor_peek(const cursor *c)
{
	return c->bad || c->p == c->end ? -1 : (unsigned char)*c->p;
}

int cursor_next(cursor *c);                      /* takes one byte; -1 (and bad) at the end */
bool cursor_eat(cursor *c, char want);           /* takes it if it is next; never sets bad */
bool cursor_ieat(cursor *c, str word);           /* ASCII letters without case; never sets bad */
void cursor_expect(cursor *c, char want);        /* takes it or sets bad */
str cursor_take(cursor *c, size_t n);            /* n bytes or bad */
str cursor_while(cursor *c, bool (*in)(unsigned char)); /* the longest run, may be empty */
str cursor_rest(cursor *c);                      /* all that is left */

/* Little-endian numbers, for our own formats. */
uint8_t cursor_u8(cursor *c);
uint16_t cursor_u16(cursor *c);
uint32_t cursor_u32(cursor *c);
uint64_t cursor_u64(cursor *c);

#endif
