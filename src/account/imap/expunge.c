#include "account/imap/verbs.h"

/* What went is told as news, together with what others removed. */
result run_EXPUNGE(struct imap_session *s, struct imap_command *c)
{
	struct uids which;
	if (c->uid)
		TRY(imap_pick(s, &c->expunge, true, &which));
	TRY(message_expunge(s->view, c->uid ? &which : NULL));
	TRY(imap_news(s, true));
	if (imap_enabled(s, ENABLED_QRESYNC))
		imap_code(s, IMAP_CODE_HIGHESTMODSEQ " %llu", (unsigned long long)view_modseq(s->view));
	return OK;
}
