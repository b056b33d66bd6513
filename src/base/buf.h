/* A growable run of bytes with a ceiling.
 *
 * The owner calls buf_free. The error sticks: after a write that did not fit
 * under `max` or found no memory, `broken` stays set, further writes do
 * nothing, and the caller looks once at the end with buf_result. Views from
 * buf_str end with the next write. Nothing suspends. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/fail.h"
#include "base/str.h"

typedef struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
	enum fail_kind broken;
} buf;

static inline buf buf_new(size_t max)
{
	return (buf){.max = max};
}

void buf_free(buf *b);                    /* leaves an empty buf with the same max */
void buf_clear(buf *b);                   /* n = 0, the error is forgotten, memory is kept */
bool buf_widen(buf *b, size_t more);      /* what buf_reserve does where there is no room yet */
void buf_put(buf *b, str s);
void buf_put_u64(buf *b, uint64_t v);     /* decimal */
void buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_drop(buf *b, size_t n);          /* takes n bytes off the front */
result buf_result(const buf *b) NODISCARD; /* OK, LIMIT or MEMORY */

/* Room for `more` bytes at p + n. Messages are printed octet by octet: these two vanish in their callers. */
static inline bool buf_reserve(buf *b, size_t more)
{
	return (!b->broken && more <= b->cap - b->n) || buf_widen(b, more);
}

static inline void buf_putc(buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->p[b->n++] = c;
}

static inline str buf_str(const buf *b)
{
	return (str){b->p, b->n};
}

#define AUTO_BUF __attribute__((cleanup(buf_free)))

#endif
