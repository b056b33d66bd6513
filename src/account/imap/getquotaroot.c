#include "account/imap/quota.h"
#include "account/imap/verbs.h"

result run_GETQUOTAROOT(struct imap_session *s, struct imap_command *c)
{
	str name, canonical;
	struct mailbox_status st;
	TRY(imap_name_of(s, c->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &canonical));
	TRY(mailbox_status_of(&s->home->owner, canonical, &st));
	buf_put(&s->out, STR("* QUOTAROOT "));
	imap_put_name(&s->out, canonical, imap_utf8(s));
	buf_put(&s->out, STR(" \"\"\r\n"));
	return imap_put_quota(s);
}
