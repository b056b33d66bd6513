#include "account/imap/verbs.h"

result run_RENAME(struct imap_session *s, struct imap_command *c)
{
	str from, to;
	TRY(imap_name_of(s, c->rename.from, &from));
	TRY(imap_name_of(s, c->rename.to, &to));
	return mailbox_rename(&s->home->owner, from, to);
}
