#include "account/imap/verbs.h"

/* RFC 9051 6.4.1: removes what is \Deleted, without a word; nor is HIGHESTMODSEQ told (RFC 7162 3.2.8). */
result run_CLOSE(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	if (view_writes(s->view))
		TRY(message_expunge(s->view, NULL));
	imap_unselect(s);
	return OK;
}
