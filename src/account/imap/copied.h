/* What COPY and MOVE share. */
#ifndef ACCOUNT_IMAP_COPIED_H
#define ACCOUNT_IMAP_COPIED_H

#include "account/imap/session.h"

/* COPYUID (RFC 4315 3) with its two sets, without brackets. */
void imap_put_copied(buf *out, const struct copied *d);
/* By number all of them or none, since a number that was told must not be passed over in silence. */
result imap_copy_arguments(struct imap_session *s, struct imap_copy *c, struct copy_order *out) NODISCARD;
/* Of what the store answered: TRYCREATE, EXPUNGEISSUED. */
result imap_copy_answer(struct imap_session *s, result r) NODISCARD;

#endif
