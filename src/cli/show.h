/* What people read: aligned tables, sizes, times; or JSON with --json.
 *
 * Text that came from other people's mail is cleaned before it meets a
 * terminal: control characters, and what turns a line's direction, become "?". */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

#include "base/buf.h"

enum { TABLE_COLUMNS = 8, TABLE_MAX = 64 << 20 /* octets of text */ };

struct table {
	size_t columns;
	buf cells; /* each behind a NUL */
	size_t n;
};

struct table table_new(const char *heads); /* separated by "|"; static text */
void table_cell(struct table *t, str s);
void table_print(struct table *t); /* on standard output; frees it */

void show_json(const json_t *v); /* one line on standard output */
/* The refusal or problem in words on standard error. */
void show_problem(const json_t *v);
void show_line(const char *name, str value); /* "Name:       value" */
str clean(buf *b, str s);                    /* appends; the view ends with the next write */

str text_of(const json_t *v, const char *key); /* empty when there is none */
int64_t number_of(const json_t *v, const char *key);
str put_size(buf *b, uint64_t octets);    /* "1.2 GiB" */
str put_time(buf *b, int64_t seconds);    /* local, "2026-11-21 19:40:01" */
str put_span(buf *b, int64_t seconds);    /* "3 d 4 h" */

#endif
