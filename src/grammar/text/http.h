/* Whether a line is a request of HTTP (RFC 9112 3): a browser was led to a port
 * of mail. What follows are header fields and a body that somebody else wrote,
 * and each line of it would be taken for a command. */
#ifndef GRAMMAR_HTTP_H
#define GRAMMAR_HTTP_H

#include "base/str.h"

enum { HTTP_METHOD_MAX = 32 };

/* "METHOD SP target SP HTTP/1.x"; no command of SMTP, IMAP or POP3 looks so. */
bool http_is_request(str line);

#endif
