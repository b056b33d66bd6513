#include "base/buf.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST = 64 };

void buf_free(buf *b)
{
	mem_free(b->p);
	*b = buf_new(b->max);
}

void buf_clear(buf *b)
{
	b->n = 0;
	b->broken = FAIL_NONE;
}

static bool grow(buf *b, size_t need)
{
	size_t first = b->max < FIRST ? b->max : FIRST, cap = b->cap ? b->cap : first;
	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	char *p = mem_grow(b->p, cap);
	if (!p) {
		b->broken = FAIL_MEMORY;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

bool buf_widen(buf *b, size_t more)
{
	size_t need;
	if (b->broken)
		return false;
	if (__builtin_add_overflow(b->n, more, &need) || need > b->max) {
		b->broken = FAIL_LIMIT;
		return false;
	}
	return need <= b->cap || grow(b, need);
}

void buf_put(buf *b, str s)
{
	if (s.n == 0 || !buf_reserve(b, s.n))
		return;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_put_u64(buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_put(b, str_of(digits + at, sizeof digits - at));
}

void buf_printf(buf *b, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	must(n >= 0);
	/* vsnprintf writes a terminator behind the text, so reserve one more. */
	if (buf_reserve(b, (size_t)n + 1)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_drop(buf *b, size_t n)
{
	must(n <= b->n);
	if (n > 0 && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

result buf_result(const buf *b)
{
	if (b->broken == FAIL_MEMORY)
		return failure(FAIL_MEMORY, "out of memory");
	if (b->broken)
		return failure(FAIL_LIMIT, "the text is longer than its limit");
	return OK;
}
