/* Between JSON (RFC 8259, by jansson) and the messages of talk/, by the tables
 * of shape.h: a field of a message is a member of the same name.
 *
 * Ids are 32 hexadecimal digits, enums their words, numbers integers. Octets
 * that are not UTF-8 become U+FFFD. Views of a decoded message point into the
 * JSON value or the arena. Errors: INPUT with a sentence in the arena that
 * names the member; MEMORY. Nothing suspends. */
#ifndef WEB_JSON_H
#define WEB_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "talk/shape.h"

enum { JSON_DEPTH_MAX = 8 }; /* bounds the parser's stack */

/* One object, of at most that depth. The caller frees it. */
result json_read(str text, arena *a, json_t **out) NODISCARD;
void json_write(const json_t *v, buf *out); /* on one line; the caller looks at buf_result */

/* Members that the message does not have are refused, so that a misspelt one is noticed. */
result message_of_json(const struct talk_shape *s, const json_t *v, arena *a, void *m) NODISCARD;
json_t *json_of_message(const struct talk_shape *s, const void *m); /* NULL: out of memory */
json_t *json_text(str s);
json_t *json_hex(const void *p, size_t n);

/* Overwrites the texts of the message's secret members. */
void json_wipe_secrets(const struct talk_shape *s, const json_t *v);
void message_wipe_secrets(const struct talk_shape *s, const void *m);
bool shape_has_secrets(const struct talk_shape *s);

/* A failure whose sentence is made here; views are copied into the arena. */
result failure_in(arena *a, enum fail_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
