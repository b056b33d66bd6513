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
	buf_put(out, STR(IMAP_CODE_COPYUID " "));
	buf_put_u64(out, d->uidvalidity);
	buf_putc(out, ' ');
	put_uids(out, d->from, d->n);
	buf_putc(out, ' ');
	put_uids(out, d->to, d->n);
}

result imap_copy_arguments(struct imap_session *s, struct imap_copy *c, struct copy_order *out)
{
	struct mailbox_status st;
	struct uids *which = arena_alloc(&s->arena, sizeof *which);
	str name;
	if (!which)
		return arena_result(&s->arena);
	*out = (struct copy_order){.which = which, .whole = !s->uid};
	TRY(imap_pick(s, &c->set, s->uid, which));
	TRY(imap_name_of(s, c->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &out->to));
	return imap_try_create(s, mailbox_status_of(&s->home->owner, out->to, &st));
}

result imap_copy_answer(struct imap_session *s, result r)
{
	if (r.kind == FAIL_CONFLICT)
		return imap_no(s, IMAP_CODE_EXPUNGEISSUED, r.text);
	return imap_try_create(s, r);
}

result run_COPY(struct imap_session *s, struct imap_command *c)
{
	struct copy_order what;
	struct copied d = {0};
	TRY(imap_copy_arguments(s, &c->copy, &what));
	if (what.which->n)
		TRY(imap_copy_answer(s, message_copy(s->view, &what, &s->arena, &d)));
	if (d.n)
		imap_put_copied(&s->code, &d);
	return OK;
}
