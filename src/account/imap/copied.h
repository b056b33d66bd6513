/* What COPY and MOVE share. */
#ifndef ACCOUNT_IMAP_COPIED_H
#define ACCOUNT_IMAP_COPIED_H

#include "account/imap/session.h"

/* COPYUID (RFC 4315 3) with its two sets, without brackets. */
void imap_put_copied(buf *out, const struct copied *d);
result imap_copy_arguments(struct imap_session *s, struct imap_copy *c, struct uids *which, str *to) NODISCARD;

#endif
