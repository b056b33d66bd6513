#include "account/imap/copied.h"
#include "account/imap/verbs.h"

static void put_uids(buf *out, const uint32_t *v, size_t n)
{
	struct imap_set_writer w = {.out = out};
	for (size_t i = 0; i < n; i++)
		imap_set_add(&w, v[i]);
	imap_set_end(&w);
}

void imap_put_copied(buf *out, const struct copied *d)
{
	buf_put(out, STR("COPYUID "));
	buf_put_u64(out, d->uidvalidity);
	buf_putc(out, ' ');
	put_uids(out, d->from, d->n);
	buf_putc(out, ' ');
	put_uids(out, d->to, d->n);
}

result imap_copy_arguments(struct imap_session *s, struct imap_copy *c, struct uids *which, str *to)
{
	struct mailbox_status st;
	str name;
	TRY(imap_pick(s, &c->set, s->uid, which));
	TRY(imap_name_of(s, c->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, to));
	return imap_try_create(s, mailbox_status_of(&s->home->owner, *to, &st));
}

result run_COPY(struct imap_session *s, struct imap_command *c)
{
	struct uids which;
	struct copied d = {0};
	str to;
	TRY(imap_copy_arguments(s, &c->copy, &which, &to));
	if (which.n)
		TRY(imap_try_create(s, message_copy(s->view, &which, to, &s->arena, &d)));
	if (d.n)
		imap_put_copied(&s->code, &d);
	return OK;
}
