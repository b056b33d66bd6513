#include "account/imap/verbs.h"

result run_LOGOUT(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	if (s->view)
		imap_unselect(s);
	buf_put(&s->out, STR("* BYE Logging out\r\n"));
	s->ending = true;
	return OK;
}
