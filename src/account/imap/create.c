#include "account/imap/verbs.h"

result run_CREATE(struct imap_session *s, struct imap_command *c)
{
	str name;
	struct mailbox_status st;
	if (c->create.unknown.n)
		return imap_no(s, "USEATTR", "this server does not know that special use");
	TRY(imap_name_of(s, c->create.mailbox, &name));
	TRY(mailbox_create(&s->home->owner, name, c->create.has_use ? c->create.uses : 0, &st));
	imap_code(s, "MAILBOXID (%.*s)", MAILBOX_ID_SIZE, st.mailboxid); /* RFC 8474 4.1 */
	return OK;
}
