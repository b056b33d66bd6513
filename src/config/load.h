/* Reading the configuration file (libconfuse), for the supervisor only.
 *
 * Every problem becomes one line in `problems`: file, line, what is wrong and
 * the remedy. All problems are reported, not only the first. The caller owns
 * the options and the buffer. Nothing suspends. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base/buf.h"
#include "config/options.h"

enum { CONFIG_PROBLEMS_MAX = 65536, CONFIG_TEXT_MAX = 1 << 20 };

/* Looks closer at a value (a list: each member) that has its type; may be NULL. */
typedef result config_check(enum option_id id, str value);
/* OK when the file has no problem; INPUT when it has; DISK when it cannot be read. */
result config_load(const char *path, struct options *o, config_check *check, buf *problems) NODISCARD;

/* The table as text for `posternd --help`. */
void config_help(buf *out);

#endif
