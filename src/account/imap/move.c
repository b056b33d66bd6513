#include "account/imap/copied.h"
#include "account/imap/verbs.h"

/* RFC 9051 6.4.8: COPYUID comes before the first EXPUNGE, so it is untagged. */
result run_MOVE(struct imap_session *s, struct imap_command *c)
{
	struct copy_order what;
	struct copied d = {0};
	if (!view_writes(s->view))
		return imap_no(s, IMAP_CODE_READ_ONLY, "the mailbox is open for reading only: SELECT it to move messages");
	TRY(imap_copy_arguments(s, &c->copy, &what));
	if (what.which->n)
		TRY(imap_copy_answer(s, message_move(s->view, &what, &s->arena, &d)));
	if (d.n) {
		buf_put(&s->out, STR("* OK ["));
		imap_put_copied(&s->out, &d);
		buf_put(&s->out, STR("] Moved\r\n"));
	}
	TRY(imap_news(s, true));
	if (imap_enabled(s, ENABLED_QRESYNC))
		imap_code(s, IMAP_CODE_HIGHESTMODSEQ " %llu", (unsigned long long)view_modseq(s->view));
	return OK;
}
