#include "account/imap/quota.h"
#include "account/imap/verbs.h"

enum { UNIT = 1024 };

result imap_put_quota(struct imap_session *s)
{
	struct store_usage u;
	TRY(store_usage_of(&s->home->owner, &u));
	buf_put(&s->out, STR("* QUOTA \"\" ("));
	if (u.quota) {
		buf_put(&s->out, STR("STORAGE "));
		buf_put_u64(&s->out, u.octets / UNIT + (u.octets % UNIT > 0));
		buf_putc(&s->out, ' ');
		buf_put_u64(&s->out, u.quota / UNIT);
	}
	buf_put(&s->out, STR(")\r\n"));
	return OK;
}

result run_GETQUOTA(struct imap_session *s, struct imap_command *c)
{
	if (c->mailbox.n)
		return imap_no(s, IMAP_CODE_NONEXISTENT, "there is no quota root of this name; the only one is \"\"");
	return imap_put_quota(s);
}
