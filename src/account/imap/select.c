#include "account/imap/list.h"
#include "account/imap/select.h"
#include "account/imap/verbs.h"

static void put_ok(struct imap_session *s, const char *code, uint64_t n, const char *text)
{
	buf_printf(&s->out, "* OK [%s %llu] %s\r\n", code, (unsigned long long)n, text);
}

/* RFC 3501 6.3.1; RFC 9051 has it no more. */
static void put_first_unseen(struct imap_session *s)
{
	uint32_t exists = view_exists(s->view);
	for (uint32_t n = 1; n <= exists; n++) {
		struct view_message m;
		if (failed(view_at(s->view, n, &m)) || (m.flags & STORE_SEEN))
			continue;
		put_ok(s, IMAP_CODE_UNSEEN, n, "First unseen message");
		return;
	}
}

static void put_opening(struct imap_session *s, const struct mailbox_status *st)
{
	buf *out = &s->out;
	bool rev2 = imap_enabled(s, ENABLED_REV2);
	imap_put_keywords(s);
	buf_printf(out, "* %u EXISTS\r\n", view_exists(s->view));
	if (!rev2)
		buf_printf(out, "* %u RECENT\r\n", view_recent(s->view));
	if (!rev2 && st->unseen)
		put_first_unseen(s);
	put_ok(s, IMAP_CODE_UIDVALIDITY, st->uidvalidity, "UIDs are valid");
	s->uidvalidity = st->uidvalidity;
	put_ok(s, IMAP_CODE_UIDNEXT, st->uidnext, "Predicted next UID");
	put_ok(s, IMAP_CODE_HIGHESTMODSEQ, st->modseq, "Highest modification sequence");
	buf_printf(out, "* OK [" IMAP_CODE_MAILBOXID " (%.*s)] Id of the mailbox\r\n", MAILBOX_ID_SIZE, st->mailboxid);
}

static result put_vanished(struct imap_session *s, struct imap_select *q)
{
	struct imap_set gone;
	if (q->has_known)
		imap_set_resolve(&q->known, UINT32_MAX);
	TRY(view_vanished(s->view, q->modseq, q->has_known ? &q->known : NULL, &s->arena, &gone));
	if (!gone.n)
		return OK;
	buf_put(&s->out, STR("* VANISHED (EARLIER) "));
	imap_put_set(&s->out, &gone);
	buf_put(&s->out, STR("\r\n"));
	return imap_send_if_long(s);
}

/* RFC 7162 3.2.5. The pairs of numbers and uids only shorten VANISHED; the store knows exactly without them. */
static result resync(struct imap_session *s, struct imap_select *q, const struct mailbox_status *st)
{
	if (q->uidvalidity != st->uidvalidity)
		return OK;
	TRY(put_vanished(s, q));
	uint32_t exists = view_exists(s->view);
	for (uint32_t n = 1; n <= exists; n++) {
		struct view_message m;
		if (failed(view_at(s->view, n, &m)) || m.modseq <= q->modseq)
			continue;
		if (q->has_known && !imap_set_has(&q->known, m.uid))
			continue;
		imap_put_flags_news(s, &m);
		TRY(imap_send_if_long(s));
	}
	return OK;
}

result imap_open_mailbox(struct imap_session *s, struct imap_select *q, bool write)
{
	struct mailbox_status st;
	str name;
	if (q->qresync && !imap_enabled(s, ENABLED_QRESYNC))
		return imap_bad(s, "QRESYNC needs ENABLE QRESYNC before");
	if (s->view) {
		imap_unselect(s);
		buf_put(&s->out, STR("* OK [" IMAP_CODE_CLOSED "] The mailbox selected before is closed\r\n"));
	}
	TRY(imap_name_of(s, q->mailbox, &name));
	TRY(view_open(&s->home->owner, name, write, &s->view));
	TRY(view_status(s->view, &st));
	if (q->condstore || q->qresync)
		s->enabled |= ENABLED_CONDSTORE;
	put_opening(s, &st);
	TRY(imap_put_list_of(s, view_name(s->view), q->mailbox));
	if (q->qresync)
		TRY(resync(s, q, &st));
	imap_code(s, write ? IMAP_CODE_READ_WRITE : IMAP_CODE_READ_ONLY);
	return OK;
}

result run_SELECT(struct imap_session *s, struct imap_command *c)
{
	return imap_open_mailbox(s, &c->select, true);
}
