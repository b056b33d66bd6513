/* Asking for a password: from the terminal, unseen and twice, or the first
 * line of standard input with --password-stdin. Never from the arguments, which
 * every user of the machine can read. The secret is the caller's. */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include <jansson.h>

#include "cli/call.h"
#include "run/secret.h"

enum { PASSWORD_LINE_MAX = 1024 };

/* INPUT with a sentence: not the same twice, empty, too long, or no terminal. */
result password_ask(bool from_stdin, const char *whose, struct secret **out) NODISCARD;
/* One that exists already is asked for once. */
result password_ask_known(bool from_stdin, const char *whose, struct secret **out) NODISCARD;

/* Requests that hold secrets. Puts one in as a text; false: no UTF-8, or no memory. */
bool password_put(json_t *in, const char *name, const struct secret *s);
/* ask_server, after which all texts of the request are wiped. Takes `in`. */
int password_post(const struct call *c, const char *endpoint, json_t *in, json_t **answer);
void password_drop(json_t *in); /* wipes and takes one that is not sent; NULL is fine */

#endif
