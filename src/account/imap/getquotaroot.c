#include "account/imap/quota.h"
#include "account/imap/verbs.h"

/* The mailbox need not be there (RFC 9208 4.1.2): it would have this root. */
result run_GETQUOTAROOT(struct imap_session *s, struct imap_command *c)
{
	str name, canonical;
	TRY(imap_name_of(s, c->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &canonical));
	buf_put(&s->out, STR("* QUOTAROOT "));
	imap_put_name(&s->out, canonical, imap_utf8(s));
	buf_put(&s->out, STR(" \"\"\r\n"));
	return imap_put_quota(s);
}
