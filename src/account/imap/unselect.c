#include "account/imap/verbs.h"

result run_UNSELECT(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	imap_unselect(s);
	return OK;
}
