#include "account/imap/verbs.h"

static const enum flag_how hows[] = {
	[IMAP_STORE_REPLACE] = FLAGS_REPLACE,
	[IMAP_STORE_ADD] = FLAGS_ADD,
	[IMAP_STORE_REMOVE] = FLAGS_REMOVE,
};

/* Both ascend. */
static bool is_in(const struct uids *list, size_t *at, uint32_t uid)
{
	while (*at < list->n && list->v[*at] < uid)
		++*at;
	return *at < list->n && list->v[*at] == uid;
}

static void put_modseq(struct imap_session *s, const struct view_message *m)
{
	buf_put(&s->out, STR("* "));
	buf_put_u64(&s->out, m->number);
	buf_put(&s->out, STR(" FETCH (UID "));
	buf_put_u64(&s->out, m->uid);
	buf_put(&s->out, STR(" MODSEQ ("));
	buf_put_u64(&s->out, m->modseq);
	buf_put(&s->out, STR("))\r\n"));
	s->modseqs = true;
}

/* RFC 7162 3.1.3: the new modification sequence is told also where the flags are
 * not, and the flags of those that failed the test. */
static result tell(struct imap_session *s, const struct uids *which, const struct uids *modified, bool silent)
{
	size_t at = 0;
	if (silent && !imap_enabled(s, ENABLED_CONDSTORE))
		return OK;
	for (size_t i = 0; i < which->n; i++) {
		struct view_message m;
		if (failed(view_get(s->view, which->v[i], &m)))
			continue;
		if (silent && !is_in(modified, &at, which->v[i]))
			put_modseq(s, &m);
		else
			imap_put_flags_news(s, &m);
		TRY(imap_send_if_long(s));
	}
	return OK;
}

static bool any_gone(struct imap_session *s, const struct uids *which)
{
	struct view_message m;
	for (size_t i = 0; i < which->n; i++) {
		if (failed(view_get(s->view, which->v[i], &m)))
			return true;
	}
	return false;
}

/* Numbers where the command came with numbers. */
static void put_modified(struct imap_session *s, const struct uids *modified)
{
	struct imap_set_writer w = {.out = &s->code};
	buf_clear(&s->code);
	buf_put(&s->code, STR(IMAP_CODE_MODIFIED " "));
	for (size_t i = 0; i < modified->n; i++) {
		uint32_t n = s->uid ? modified->v[i] : view_number(s->view, modified->v[i]);
		if (n)
			imap_set_add(&w, n);
	}
	if (!imap_set_end(&w))
		buf_clear(&s->code);
}

result run_STORE(struct imap_session *s, struct imap_command *c)
{
	const struct imap_store *st = &c->store;
	struct uids which, modified = {0};
	struct flag_change change = {
		.how = hows[st->mode],
		.flags = imap_flag_names(&st->flags),
		.conditional = st->unchanged_since,
		.unchanged_since = st->modseq,
	};
	if (!view_writes(s->view))
		return imap_no(s, IMAP_CODE_READ_ONLY, "the mailbox is open for reading only: SELECT it to change flags");
	TRY(imap_pick(s, &c->store.set, c->uid, &which));
	if (st->unchanged_since)
		imap_enable_condstore(s);
	if (which.n)
		TRY(message_flags(s->view, &which, &change, &s->arena, &modified));
	TRY(imap_news(s, false)); /* a new keyword is told before it is seen on a message */
	TRY(tell(s, &which, &modified, st->silent));
	bool gone = !c->uid && !st->silent && any_gone(s, &which); /* RFC 2180 4.2 */
	if (modified.n)
		put_modified(s, &modified);
	if (gone)
		return imap_no(s, s->code.n ? NULL : IMAP_CODE_EXPUNGEISSUED,
			"some of these messages were removed by another session; the flags of the others are changed");
	return OK;
}
