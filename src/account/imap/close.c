#include "account/imap/verbs.h"

/* RFC 9051 6.4.1: removes what is \Deleted, without a word. */
result run_CLOSE(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	if (view_writes(s->view))
		TRY(message_expunge(s->view, NULL));
	if (imap_enabled(s, ENABLED_QRESYNC)) /* RFC 7162 3.2.8 */
		imap_code(s, "HIGHESTMODSEQ %llu", (unsigned long long)imap_highest_modseq(s));
	imap_unselect(s);
	return OK;
}
