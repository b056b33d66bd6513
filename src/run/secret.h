/* A secret: a key or a password, in memory of its own.
 *
 * The memory is locked (never swapped), left out of core files, between guard
 * pages, and wiped when freed. The type has no print function and is never
 * copied into a buf, an arena or a log. Only secret_open lends a view; it ends
 * with secret_free. Small and costly (three pages each): for keys and for the
 * passing password, not for tables. Nothing suspends. */
#ifndef RUN_SECRET_H
#define RUN_SECRET_H

#include "base/buf.h"

enum { SECRET_MAX = 64 * 1024 };

struct secret;

result secret_new(size_t n, struct secret **out) NODISCARD; /* zeroed; LIMIT above SECRET_MAX, MEMORY */
result secret_random(size_t n, struct secret **out) NODISCARD;
/* Copies, and wipes the source, which must be writable memory. */
result secret_take(char *p, size_t n, struct secret **out) NODISCARD;
void secret_free(struct secret **s);

str secret_open(const struct secret *s);
unsigned char *secret_bytes(struct secret *s); /* to fill it */
bool secret_eq(const struct secret *a, const struct secret *b); /* in constant time for equal lengths */
void secret_wipe(void *p, size_t n); /* for bytes that were not in a secret; never optimised away */

/* For a login message on its way through a parser: `SECRET_BUF buf b` wipes what
 * it held. Reserve all that it may hold at first: growing leaves a copy behind. */
void secret_buf_free(buf *b);
#define SECRET_BUF __attribute__((cleanup(secret_buf_free)))

#endif
