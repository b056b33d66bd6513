#include "account/imap/list.h"
#include "account/imap/verbs.h"

result run_CREATE(struct imap_session *s, struct imap_command *c)
{
	str name;
	struct mailbox_status st;
	if (c->create.unknown.n)
		return imap_no(s, IMAP_CODE_USEATTR, "this server does not know that special use");
	if (c->create.uses & (IMAP_USE_ALL | IMAP_USE_FLAGGED)) /* RFC 6154 2 */
		return imap_no(s, IMAP_CODE_USEATTR, "a mailbox that shows the messages of others is not offered here");
	TRY(imap_name_of(s, c->create.mailbox, &name));
	TRY(mailbox_create(&s->home->owner, name, c->create.has_use ? c->create.uses : 0, &st));
	TRY(mailbox_name(&s->arena, name, &name));
	TRY(imap_tell_name(s, name, c->create.mailbox));
	imap_code(s, IMAP_CODE_MAILBOXID " (%.*s)", MAILBOX_ID_SIZE, st.mailboxid); /* RFC 8474 4.1 */
	return OK;
}
