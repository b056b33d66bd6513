#include "account/imap/list.h"
#include "account/imap/verbs.h"

result run_RENAME(struct imap_session *s, struct imap_command *c)
{
	str from, to;
	TRY(imap_name_of(s, c->rename.from, &from));
	TRY(imap_name_of(s, c->rename.to, &to));
	TRY(mailbox_name(&s->arena, from, &from));
	TRY(mailbox_name(&s->arena, to, &to));
	TRY(mailbox_rename(&s->home->owner, from, to));
	return imap_tell_renamed(s, &c->rename, from, to);
}
