#include "account/imap/verbs.h"

/* RFC 2342: one personal namespace. */
result run_NAMESPACE(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	buf_put(&s->out, STR("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"));
	return OK;
}
