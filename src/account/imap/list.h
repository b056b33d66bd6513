/* LIST responses that other commands give. */
#ifndef ACCOUNT_IMAP_LIST_H
#define ACCOUNT_IMAP_LIST_H

#include "account/imap/session.h"

/* With IMAP4rev2: one name with its attributes. Where the client wrote it in
 * another way, that way is told as OLDNAME (RFC 9051 6.3.9.7). */
result imap_put_list_of(struct imap_session *s, str name, str wire) NODISCARD;
/* The same for a command that need not tell the name: only where it was written in another way. */
result imap_tell_name(struct imap_session *s, str name, str wire) NODISCARD;
/* Of RENAME: the new name with the old one as it was written. */
result imap_tell_renamed(struct imap_session *s, const struct imap_rename *wire, str from, str to) NODISCARD;

#endif
