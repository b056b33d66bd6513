/* What this session can do, as the response data and the response code have it. */
#ifndef ACCOUNT_IMAP_CAPABILITY_H
#define ACCOUNT_IMAP_CAPABILITY_H

#include "account/imap/session.h"

void imap_put_capabilities(struct imap_session *s, buf *out);

#endif
