#include "account/imap/list.h"
#include "account/imap/verbs.h"

/* The mailbox that this session has selected is left first; there is nothing to be told of it any more. */
result run_DELETE(struct imap_session *s, struct imap_command *c)
{
	str name, canonical;
	TRY(imap_name_of(s, c->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &canonical));
	bool selected = s->view && str_eq(view_name(s->view), canonical);
	TRY(mailbox_delete(&s->home->owner, canonical));
	if (selected) {
		imap_unselect(s);
		buf_put(&s->out, STR("* OK [" IMAP_CODE_CLOSED "] The selected mailbox is gone\r\n"));
	}
	return imap_tell_name(s, canonical, c->mailbox);
}
