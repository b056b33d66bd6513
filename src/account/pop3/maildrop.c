#include "account/pop3/maildrop.h"

#include "account/store/message.h"
#include "base/mem.h"

static result take(struct maildrop *d)
{
	uint32_t n = view_exists(d->view);
	struct view_message m;
	if (!n)
		return OK;
	d->v = mem_array(n, sizeof *d->v);
	d->marked = mem_array(n, sizeof *d->marked);
	if (!d->v || !d->marked)
		return failure(FAIL_MEMORY, "the server has no memory for this mailbox now");
	for (uint32_t number = 1; number <= n; number++) {
		if (failed(view_at(d->view, number, &m)))
			continue; /* gone while the view was opened */
		d->v[d->n++] = (struct maildrop_message){m.content, m.uid, (uint32_t)m.size};
		d->octets += m.size;
	}
	d->left = d->n;
	return OK;
}

result maildrop_open(struct maildrop *d, const struct actor *owner)
{
	*d = (struct maildrop){0};
	result r = view_open(owner, STR("INBOX"), true, &d->view);
	if (!failed(r))
		r = take(d);
	if (failed(r))
		maildrop_close(d);
	return r;
}

void maildrop_close(struct maildrop *d)
{
	if (d->view)
		view_close(&d->view);
	mem_free(d->v);
	mem_free(d->marked);
	*d = (struct maildrop){0};
}

const struct maildrop_message *maildrop_at(const struct maildrop *d, uint64_t number)
{
	return number < 1 || number > d->n || d->marked[number - 1] ? NULL : &d->v[number - 1];
}

void maildrop_mark(struct maildrop *d, uint64_t number)
{
	const struct maildrop_message *m = maildrop_at(d, number);
	must(m != NULL);
	d->marked[number - 1] = true;
	d->left--;
	d->octets -= m->size;
}

void maildrop_unmark_all(struct maildrop *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		d->octets += d->marked[i] ? d->v[i].size : 0;
		d->marked[i] = false;
	}
	d->left = d->n;
}

result maildrop_remove(struct maildrop *d)
{
	struct uids which = {.n = 0};
	if (d->left == d->n)
		return OK;
	AUTO_MEM uint32_t *uids = mem_array(d->n - d->left, sizeof *uids);
	if (!uids)
		return failure(FAIL_MEMORY, "the server has no memory for it now");
	for (uint32_t i = 0; i < d->n; i++)
		if (d->marked[i])
			uids[which.n++] = d->v[i].uid;
	which.v = uids;
	return message_remove(d->view, &which);
}
