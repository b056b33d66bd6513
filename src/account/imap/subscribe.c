#include "account/imap/verbs.h"

result run_SUBSCRIBE(struct imap_session *s, struct imap_command *c)
{
	str name;
	TRY(imap_name_of(s, c->mailbox, &name));
	return mailbox_subscribe(&s->home->owner, name, true);
}
