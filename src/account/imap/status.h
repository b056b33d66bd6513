/* The STATUS response, for STATUS and for LIST RETURN (STATUS (...)). */
#ifndef ACCOUNT_IMAP_STATUS_H
#define ACCOUNT_IMAP_STATUS_H

#include "account/imap/session.h"

void imap_put_status(struct imap_session *s, str name, unsigned items, const struct mailbox_status *st);

#endif
