#include "account/imap/session.h"

#include <stdlib.h>

static void put_number_line(buf *out, uint32_t n, str word)
{
	buf_put(out, STR("* "));
	buf_put_u64(out, n);
	buf_put(out, word);
}

static int by_uid(const void *a, const void *b)
{
	const struct view_gone *x = a, *y = b;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

/* RFC 7162 3.2.10: with QRESYNC the uids take the place of EXPUNGE. */
static void put_vanished(struct imap_session *s, struct view_changes *ch)
{
	struct imap_set_writer w = {.out = &s->out};
	qsort(ch->gone, ch->gone_n, sizeof *ch->gone, by_uid);
	buf_put(&s->out, STR("* VANISHED "));
	for (size_t i = 0; i < ch->gone_n; i++)
		imap_set_add(&w, ch->gone[i].uid);
	imap_set_end(&w);
	buf_put(&s->out, STR("\r\n"));
}

static result put_gone(struct imap_session *s, struct view_changes *ch)
{
	if (ch->gone_n && imap_enabled(s, ENABLED_QRESYNC)) {
		put_vanished(s, ch);
		return imap_send_if_long(s);
	}
	for (size_t i = 0; i < ch->gone_n; i++) {
		put_number_line(&s->out, ch->gone[i].number, STR(" EXPUNGE\r\n"));
		TRY(imap_send_if_long(s));
	}
	return OK;
}

/* This session's own changes were told by the command that made them. */
static result put_flagged(struct imap_session *s, const struct view_changes *ch)
{
	for (size_t i = 0; i < ch->flagged_n; i++) {
		struct view_message m;
		if (ch->flagged[i].own || failed(view_at(s->view, ch->flagged[i].number, &m)))
			continue;
		imap_put_flags_news(s, &m);
		TRY(imap_send_if_long(s));
	}
	return OK;
}

/* A mailbox that took a name which had shown a higher UIDVALIDITY gets a new one (RFC 9051 2.3.1.1, 6.4.4.1). */
static void put_validity(struct imap_session *s)
{
	struct mailbox_status st;
	if (failed(view_status(s->view, &st)) || st.uidvalidity == s->uidvalidity)
		return;
	s->uidvalidity = st.uidvalidity;
	s->saved_n = 0;
	buf_printf(&s->out, "* OK [" IMAP_CODE_UIDVALIDITY " %u] The mailbox was renamed\r\n", st.uidvalidity);
}

result imap_news(struct imap_session *s, bool expunge)
{
	struct view_changes ch;
	if (!s->view)
		return OK;
	TRY(view_pull(s->view, expunge, &s->arena, &ch));
	put_validity(s);
	TRY(put_gone(s, &ch));
	if (ch.arrived) {
		put_number_line(&s->out, ch.exists, STR(" EXISTS\r\n"));
		if (!imap_enabled(s, ENABLED_REV2))
			put_number_line(&s->out, ch.recent, STR(" RECENT\r\n"));
	}
	if (ch.keywords)
		imap_put_keywords(s);
	return put_flagged(s, &ch);
}

static void put_highest_modseq(struct imap_session *s, const char *text)
{
	buf_printf(&s->out, "* OK [" IMAP_CODE_HIGHESTMODSEQ " %llu] %s\r\n",
		(unsigned long long)view_modseq(s->view), text);
}

void imap_put_held_back(struct imap_session *s)
{
	if (!s->view || !imap_enabled(s, ENABLED_QRESYNC))
		return;
	bool holds = view_holds_back(s->view);
	if (holds && s->modseqs)
		put_highest_modseq(s, "Removals with a higher one are not told yet");
	else if (!holds && s->held)
		put_highest_modseq(s, "Everything up to here is told");
	s->held = holds && (s->held || s->modseqs);
}

void imap_enable_condstore(struct imap_session *s)
{
	if (imap_enabled(s, ENABLED_CONDSTORE))
		return;
	s->enabled |= ENABLED_CONDSTORE;
	if (!s->view)
		return;
	put_highest_modseq(s, "Highest modification sequence");
}

void imap_unselect(struct imap_session *s)
{
	view_close(&s->view);
	s->saved_n = 0;
	s->held = false;
}
