#include "account/imap/copied.h"
#include "account/imap/verbs.h"

/* RFC 9051 6.4.8: COPYUID comes before the first EXPUNGE, so it is untagged. */
result run_MOVE(struct imap_session *s, struct imap_command *c)
{
	struct uids which;
	struct copied d = {0};
	str to;
	if (!view_writes(s->view))
		return imap_no(s, "READ-ONLY", "the mailbox is open for reading only: SELECT it to move messages");
	TRY(imap_copy_arguments(s, &c->copy, &which, &to));
	if (which.n)
		TRY(imap_try_create(s, message_move(s->view, &which, to, &s->arena, &d)));
	if (d.n) {
		buf_put(&s->out, STR("* OK ["));
		imap_put_copied(&s->out, &d);
		buf_put(&s->out, STR("] Moved\r\n"));
	}
	TRY(imap_news(s, true));
	if (imap_enabled(s, ENABLED_QRESYNC))
		imap_code(s, "HIGHESTMODSEQ %llu", (unsigned long long)imap_highest_modseq(s));
	return OK;
}
