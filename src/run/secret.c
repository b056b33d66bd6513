#include "run/secret.h"

#include <sodium.h>

#include "base/mem.h"

struct secret {
	size_t n;
	unsigned char *p; /* from sodium_malloc: guard pages, mlock, MADV_DONTDUMP, wiped by sodium_free */
};

result secret_new(size_t n, struct secret **out)
{
	if (n > SECRET_MAX)
		return failure(FAIL_LIMIT, "A secret is longer than any key or password may be.");
	struct secret *s = mem_alloc(sizeof(*s));
	if (!s)
		return failure(FAIL_MEMORY, "There is no memory for a secret.");
	s->n = n;
	s->p = sodium_malloc(n ? n : 1);
	if (!s->p) {
		mem_free(s);
		return failure(FAIL_MEMORY, "There is no memory for a secret.");
	}
	sodium_memzero(s->p, n ? n : 1);
	*out = s;
	return OK;
}

result secret_random(size_t n, struct secret **out)
{
	TRY(secret_new(n, out));
	randombytes_buf((*out)->p, n);
	return OK;
}

result secret_take(char *p, size_t n, struct secret **out)
{
	result r = secret_new(n, out);
	if (!failed(r) && n)
		memcpy((*out)->p, p, n);
	secret_wipe(p, n); /* also when it was refused: the caller gave it away */
	return r;
}

void secret_free(struct secret **sp)
{
	struct secret *s = *sp;
	if (!s)
		return;
	*sp = NULL;
	sodium_free(s->p);
	mem_free(s);
}

str secret_open(const struct secret *s)
{
	return str_of((const char *)s->p, s->n);
}

unsigned char *secret_bytes(struct secret *s)
{
	return s->p;
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
	return a->n == b->n && sodium_memcmp(a->p, b->p, a->n) == 0;
}

void secret_wipe(void *p, size_t n)
{
	if (n)
		sodium_memzero(p, n);
}

void secret_buf_free(buf *b)
{
	secret_wipe(b->p, b->cap);
	buf_free(b);
}
