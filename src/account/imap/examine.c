#include "account/imap/select.h"
#include "account/imap/verbs.h"

result run_EXAMINE(struct imap_session *s, struct imap_command *c)
{
	return imap_open_mailbox(s, &c->select, false);
}
