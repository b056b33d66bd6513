#include "account/imap/verbs.h"

/* RFC 2971. What the client says of itself is not kept: it would be one more thing to leak. */
result run_ID(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	buf_put(&s->out, STR("* ID (\"name\" \"Postern\")\r\n"));
	return OK;
}
