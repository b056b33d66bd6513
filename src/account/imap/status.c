#include "account/imap/status.h"
#include "account/imap/verbs.h"

static void put_item(struct imap_session *s, enum imap_status_item item, const struct mailbox_status *st)
{
	uint64_t n = 0;
	buf_put(&s->out, imap_status_name(item));
	buf_putc(&s->out, ' ');
	switch (item) {
	case IMAP_STATUS_MESSAGES: n = st->messages; break;
	case IMAP_STATUS_RECENT: n = st->recent; break;
	case IMAP_STATUS_UIDNEXT: n = st->uidnext; break;
	case IMAP_STATUS_UIDVALIDITY: n = st->uidvalidity; break;
	case IMAP_STATUS_UNSEEN: n = st->unseen; break;
	case IMAP_STATUS_DELETED: n = st->deleted; break;
	case IMAP_STATUS_DELETED_STORAGE: n = st->deleted_octets; break;
	case IMAP_STATUS_SIZE: n = st->octets; break;
	case IMAP_STATUS_HIGHESTMODSEQ: n = st->modseq; break;
	case IMAP_STATUS_APPENDLIMIT: n = s->home->message_max; break;
	case IMAP_STATUS_MAILBOXID:
		buf_putc(&s->out, '(');
		buf_put(&s->out, str_of(st->mailboxid, MAILBOX_ID_SIZE));
		buf_putc(&s->out, ')');
		return;
	}
	buf_put_u64(&s->out, n);
}

void imap_put_status(struct imap_session *s, str name, unsigned items, const struct mailbox_status *st)
{
	const char *gap = "";
	buf_put(&s->out, STR("* STATUS "));
	imap_put_name(&s->out, name, imap_utf8(s));
	buf_put(&s->out, STR(" ("));
	for (unsigned bit = 1; bit && bit <= items; bit <<= 1) {
		if (!(items & bit))
			continue;
		buf_put(&s->out, str_from(gap));
		put_item(s, (enum imap_status_item)bit, st);
		gap = " ";
	}
	buf_put(&s->out, STR(")\r\n"));
}

result run_STATUS(struct imap_session *s, struct imap_command *c)
{
	str name, canonical;
	struct mailbox_status st;
	TRY(imap_name_of(s, c->status.mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &canonical));
	TRY(mailbox_status_of(&s->home->owner, canonical, &st));
	if (c->status.items & IMAP_STATUS_HIGHESTMODSEQ)
		imap_enable_condstore(s);
	imap_put_status(s, canonical, c->status.items, &st);
	return OK;
}
