#include "account/imap/fetching.h"

#include "grammar/mime/facts.h"

static void put_id(buf *out, uint64_t content)
{
	char id[EMAIL_ID_SIZE];
	fetch_email_id(content, id);
	buf_putc(out, '(');
	buf_put(out, str_of(id, sizeof id));
	buf_putc(out, ')');
}

static void put_item(struct fetching *g, const struct fetch_letter *l, enum imap_fetch_item item)
{
	buf *out = &g->s->out;
	const struct fetch_row *row = l->row;
	switch (item) {
	case IMAP_ITEM_FLAGS:
		imap_put_view_flags(g->s, l->m->flags);
		break;
	case IMAP_ITEM_INTERNALDATE:
		imap_put_time(out, (struct imap_time){.seconds = row->date, .minutes = row->minutes});
		break;
	case IMAP_ITEM_SAVEDATE:
		imap_put_time(out, (struct imap_time){.seconds = row->saved});
		break;
	case IMAP_ITEM_RFC822_SIZE:
		buf_put_u64(out, l->m->size);
		break;
	case IMAP_ITEM_ENVELOPE:
		buf_put(out, row->envelope);
		break;
	case IMAP_ITEM_BODY:
		buf_put(out, row->basic);
		break;
	case IMAP_ITEM_BODYSTRUCTURE:
		buf_put(out, row->structure);
		break;
	case IMAP_ITEM_UID:
		buf_put_u64(out, l->m->uid);
		break;
	case IMAP_ITEM_MODSEQ:
		buf_printf(out, "(%llu)", (unsigned long long)l->m->modseq);
		g->s->modseqs = true;
		break;
	case IMAP_ITEM_EMAILID:
		put_id(out, l->m->content);
		break;
	case IMAP_ITEM_THREADID: /* RFC 8474 5.2: a server without threads answers NIL */
		buf_put(out, STR("NIL"));
		break;
	}
}

static const struct {
	enum imap_fetch_item item;
	str name;
} names[] = {
	{IMAP_ITEM_UID, STR_INIT("UID")},
	{IMAP_ITEM_FLAGS, STR_INIT("FLAGS")},
	{IMAP_ITEM_INTERNALDATE, STR_INIT("INTERNALDATE")},
	{IMAP_ITEM_RFC822_SIZE, STR_INIT("RFC822.SIZE")},
	{IMAP_ITEM_MODSEQ, STR_INIT("MODSEQ")},
	{IMAP_ITEM_EMAILID, STR_INIT("EMAILID")},
	{IMAP_ITEM_THREADID, STR_INIT("THREADID")},
	{IMAP_ITEM_SAVEDATE, STR_INIT("SAVEDATE")},
	{IMAP_ITEM_ENVELOPE, STR_INIT("ENVELOPE")},
	{IMAP_ITEM_BODY, STR_INIT("BODY")},
	{IMAP_ITEM_BODYSTRUCTURE, STR_INIT("BODYSTRUCTURE")},
};
enum { NAMES = sizeof names / sizeof *names };

static unsigned items_of(const struct fetching *g, const struct fetch_letter *l)
{
	unsigned items = g->items;
	if (l->marked) {
		items |= IMAP_ITEM_FLAGS;
		if (imap_enabled(g->s, ENABLED_CONDSTORE)) /* RFC 7162 3.2: every change is told with it */
			items |= IMAP_ITEM_MODSEQ | IMAP_ITEM_UID;
	}
	return items;
}

static void put_gap(buf *out, bool *any)
{
	if (*any)
		buf_putc(out, ' ');
	*any = true;
}

/* A table that does not decode leaves the parts unknown, not the message. */
static void read_table(struct fetching *g, struct fetch_letter *l)
{
	struct facts known;
	uint64_t body = l->row->size - l->row->trace.n;
	if (!g->tables)
		return;
	result r = facts_stored_decode(l->row->parts, body, g->batch, &known);
	if (failed(r))
		g->trouble = r;
	else
		l->parts = known.parts;
}

result fetch_put_row(struct fetching *g, struct fetch_letter *l)
{
	struct imap_session *s = g->s;
	unsigned items = items_of(g, l);
	bool any = false;
	size_t k = 0;
	buf_put(&s->out, STR("* "));
	buf_put_u64(&s->out, l->m->number);
	buf_put(&s->out, STR(" FETCH ("));
	for (size_t i = 0; i < NAMES; i++) {
		if (!(items & names[i].item))
			continue;
		put_gap(&s->out, &any);
		buf_put(&s->out, names[i].name);
		buf_putc(&s->out, ' ');
		put_item(g, l, names[i].item);
	}
	read_table(g, l);
	for (const struct imap_section *sec = g->f->sections; sec; sec = sec->next) {
		put_gap(&s->out, &any);
		TRY(fetch_put_section(g, l, sec, &g->names[k++]));
	}
	buf_put(&s->out, STR(")\r\n"));
	return imap_send_if_long(s);
}
