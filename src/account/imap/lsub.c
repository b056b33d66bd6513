#include "account/imap/patterns.h"
#include "account/imap/verbs.h"

/* RFC 3501 6.3.9: with "%" a name is told, \Noselect, when something below it is subscribed. */
static bool asks_for_levels(const struct imap_patterns *p)
{
	return str_chr(p->v[0].text, '%') != STR_NONE;
}

static result put_entry(struct imap_session *s, const struct mailbox_entry *e)
{
	buf_put(&s->out, e->subscribed ? STR("* LSUB () \"/\" ") : STR("* LSUB (\\Noselect) \"/\" "));
	imap_put_name(&s->out, e->name, imap_utf8(s));
	buf_put(&s->out, STR("\r\n"));
	return imap_send_if_long(s);
}

result run_LSUB(struct imap_session *s, struct imap_command *c)
{
	struct imap_patterns p;
	struct mailbox_entries all;
	TRY(imap_patterns_read(s, &c->list, &p));
	bool levels = asks_for_levels(&p);
	TRY(mailbox_list(&s->home->owner, &s->arena, &all));
	for (size_t i = 0; i < all.n; i++) {
		const struct mailbox_entry *e = &all.v[i];
		if ((e->subscribed || (levels && e->subscribed_below)) && imap_patterns_match(&p, e->name))
			TRY(put_entry(s, e));
	}
	return OK;
}
