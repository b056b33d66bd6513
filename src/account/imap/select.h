/* What SELECT and EXAMINE share. */
#ifndef ACCOUNT_IMAP_SELECT_H
#define ACCOUNT_IMAP_SELECT_H

#include "account/imap/session.h"

result imap_open_mailbox(struct imap_session *s, struct imap_select *q, bool write) NODISCARD;

#endif
