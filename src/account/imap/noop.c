#include "account/imap/verbs.h"

/* The news that the session tells behind every command are all that NOOP is for. */
result run_NOOP(struct imap_session *s, struct imap_command *c)
{
	(void)s;
	(void)c;
	return OK;
}
