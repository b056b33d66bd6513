/* What the describing programs share: messages in, one line of JSON each out.
 *
 * With arguments each names a file with one message. Without, messages come on
 * standard input, each behind a line with its length in bytes. Tests only. */
#ifndef TESTS_MIME_FRAMES_H
#define TESTS_MIME_FRAMES_H

#include <jansson.h>

#include "base/str.h"

enum { FRAME_MAX = 256 << 20 };

/* Gives a value, which is printed and freed. */
typedef json_t *describer_fn(str message, void *ctx);

/* Returns main's status. */
int describe_all(int argc, char **argv, describer_fn *describe, void *ctx);

json_t *json_of(str s);         /* text as JSON; null when p is NULL. Must be UTF-8 */
json_t *json_digest(str bytes); /* {"size", "sha256"} */

#endif
