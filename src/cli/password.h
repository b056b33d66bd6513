/* Asking for a password: from the terminal, unseen and twice, or the first
 * line of standard input with --password-stdin. Never from the arguments, which
 * every user of the machine can read. The secret is the caller's. */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include "run/secret.h"

enum { PASSWORD_LINE_MAX = 1024 };

/* INPUT with a sentence: not the same twice, empty, too long, or no terminal. */
result password_ask(bool from_stdin, const char *whose, struct secret **out) NODISCARD;
/* One that exists already is asked for once. */
result password_ask_known(bool from_stdin, const char *whose, struct secret **out) NODISCARD;

#endif
