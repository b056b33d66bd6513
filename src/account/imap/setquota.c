#include "account/imap/verbs.h"

result run_SETQUOTA(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	return imap_no(s, IMAP_CODE_NOPERM, "the quota is set by the server's administrator only");
}
