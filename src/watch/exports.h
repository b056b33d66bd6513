/* What other programs read of attacks, as the option `export` names them: files beside
 * postern.log, written and turned like it (journal.h).
 *
 *   eve     eve.json: one event a line, as Suricata's EVE writes alerts
 *   syslog  syslog.log: RFC 5424, facility authpriv
 *
 * Of all events those that say something about a client or an account (exports.c has
 * the list). Owns its files; nothing waits for them, and what they do not keep up with
 * is dropped. */
#ifndef WATCH_EXPORTS_H
#define WATCH_EXPORTS_H

#include "base/str.h"
#include "watch/entry.h"

struct exports;

/* `words`: the option's text. After the jail, on a fiber. INPUT: an unknown word. */
result exports_open(str words, struct exports **out) NODISCARD;
void exports_take(struct exports *x, const struct entry *e, const struct log_record *r);
void exports_close(struct exports **x); /* suspends */

#endif
