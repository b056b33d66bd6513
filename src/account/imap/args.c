#include "account/imap/session.h"
#include "grammar/text/nfc.h"

result imap_normal(struct imap_session *s, str *name)
{
	const struct imap_needle needle = {.text = *name, .name = true};
	if (nfc_sure(*name) || !str_is_utf8(*name) || name->n > NFC_MAX)
		return OK;
	return s->home->fold(s->home, &needle, &s->arena, name);
}

result imap_name_of(struct imap_session *s, str wire, str *name)
{
	AUTO_BUF buf inner = buf_new(IMAP_COMMAND_MAX);
	TRY(imap_name_read(wire, imap_utf8(s), &inner));
	*name = arena_dup(&s->arena, buf_str(&inner));
	if (!name->p && inner.n)
		return arena_result(&s->arena);
	return imap_normal(s, name);
}

result imap_try_create(struct imap_session *s, result r)
{
	if (r.kind != FAIL_ABSENT)
		return r;
	return imap_no(s, IMAP_CODE_TRYCREATE, "there is no mailbox of this name; create it first");
}

/* "$" as ranges over the saved uids, or over their numbers; those that have gone are left out. */
static result put_saved(struct imap_session *s, struct imap_set *set, bool by_uid)
{
	struct imap_range *r = arena_array(&s->arena, s->saved_n ? s->saved_n : 1, sizeof *r);
	size_t n = 0;
	if (!r)
		return arena_result(&s->arena);
	for (size_t i = 0; i < s->saved_n; i++) {
		uint32_t number = view_number(s->view, s->saved[i]);
		uint32_t v = by_uid ? s->saved[i] : number;
		if (number)
			r[n++] = (struct imap_range){v, v};
	}
	*set = (struct imap_set){.r = r, .n = n};
	imap_set_resolve(set, UINT32_MAX);
	return OK;
}

/* A number that no message has is the client's error. "n:*" is not: clients ask
 * so for what may have come, also of an empty mailbox. */
static result check_numbers(struct imap_session *s, const struct imap_set *set)
{
	uint32_t exists = view_exists(s->view);
	for (size_t i = 0; i < set->n; i++) {
		const struct imap_range *r = &set->r[i];
		bool star = r->first == IMAP_STAR || r->last == IMAP_STAR;
		if (!star && (r->first > exists || r->last > exists))
			return imap_bad(s, "a message number is higher than the number of messages in the mailbox");
	}
	return OK;
}

result imap_settle_set(struct imap_session *s, struct imap_set *set, bool by_uid)
{
	if (set->saved)
		return put_saved(s, set, by_uid);
	uint32_t exists = view_exists(s->view);
	if (by_uid)
		imap_set_resolve(set, exists ? view_uid(s->view, exists) : 0);
	else
		imap_set_resolve(set, exists);
	return OK;
}

result imap_pick(struct imap_session *s, struct imap_set *set, bool by_uid, struct uids *out)
{
	if (set->saved)
		TRY(put_saved(s, set, by_uid));
	else if (!by_uid)
		TRY(check_numbers(s, set));
	return view_pick(s->view, set, by_uid, &s->arena, out);
}

struct flag_names imap_flag_names(const struct imap_flags *f)
{
	return (struct flag_names){.system = f->system, .keywords = f->keywords.v, .keywords_n = f->keywords.n};
}
