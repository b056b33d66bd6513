/* The commands of a client: MAIL and RCPT with the parameters whose bit is in
 * `given`, with CRLF. The caller gives only what the server offered. What
 * smtp_parse took, it takes again from here with the same meaning. */
#ifndef GRAMMAR_SMTP_PRINT_H
#define GRAMMAR_SMTP_PRINT_H

#include "grammar/smtp/smtp_args.h"

void smtp_print_mail(buf *out, const struct smtp_mail *m);
/* `utf8`: the MAIL command said SMTPUTF8. */
void smtp_print_rcpt(buf *out, const struct smtp_rcpt *r, bool utf8);

#endif
