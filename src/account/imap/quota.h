/* The QUOTA response (RFC 9208 5.1): one root, named "". */
#ifndef ACCOUNT_IMAP_QUOTA_H
#define ACCOUNT_IMAP_QUOTA_H

#include "account/imap/session.h"

result imap_put_quota(struct imap_session *s) NODISCARD;

#endif
