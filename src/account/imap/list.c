#include "account/imap/patterns.h"
#include "account/imap/status.h"
#include "account/imap/verbs.h"

struct listing {
	struct imap_session *s;
	const struct imap_list *l;
	struct imap_patterns patterns;
};

/* RFC 5258 3.1: every criterion must hold; RECURSIVEMATCH takes in what has such a mailbox below. */
static bool selected(const struct listing *g, const struct mailbox_entry *e)
{
	unsigned want = g->l->select;
	bool below = (want & IMAP_SELECT_RECURSIVEMATCH) != 0;
	if (!(want & (IMAP_SELECT_SUBSCRIBED | IMAP_SELECT_SPECIAL_USE)))
		return e->exists || e->children;
	if ((want & IMAP_SELECT_SUBSCRIBED) && !e->subscribed && !(below && e->subscribed_below))
		return false;
	if ((want & IMAP_SELECT_SPECIAL_USE) && !e->use && !(below && e->special_below))
		return false;
	return true;
}

static void put_attribute(buf *out, bool *any, str word)
{
	if (*any)
		buf_putc(out, ' ');
	buf_put(out, word);
	*any = true;
}

static void put_attributes(struct listing *g, const struct mailbox_entry *e)
{
	buf *out = &g->s->out;
	bool any = false;
	if (!e->exists) {
		put_attribute(out, &any, STR("\\NonExistent"));
		if (!imap_enabled(g->s, ENABLED_REV2)) /* RFC 3501 knows only this */
			put_attribute(out, &any, STR("\\Noselect"));
	}
	put_attribute(out, &any, e->children ? STR("\\HasChildren") : STR("\\HasNoChildren"));
	if (e->subscribed && ((g->l->select & IMAP_SELECT_SUBSCRIBED) || (g->l->returns & IMAP_LIST_SUBSCRIBED)))
		put_attribute(out, &any, STR("\\Subscribed"));
	if (e->use) {
		buf_putc(out, ' ');
		imap_put_uses(out, e->use);
	}
}

/* RFC 5258 3.5: why a name is told that does not fit the criteria itself. */
static void put_child_info(struct listing *g, const struct mailbox_entry *e)
{
	if (!(g->l->select & IMAP_SELECT_RECURSIVEMATCH))
		return;
	bool subscribed = (g->l->select & IMAP_SELECT_SUBSCRIBED) && e->subscribed_below;
	bool special = (g->l->select & IMAP_SELECT_SPECIAL_USE) && e->special_below;
	if (!subscribed && !special)
		return;
	buf_put(&g->s->out, STR(" (\"CHILDINFO\" ("));
	buf_put(&g->s->out, subscribed ? STR("\"SUBSCRIBED\"") : STR(""));
	buf_put(&g->s->out, subscribed && special ? STR(" ") : STR(""));
	buf_put(&g->s->out, special ? STR("\"SPECIAL-USE\"") : STR(""));
	buf_put(&g->s->out, STR("))"));
}

static result put_entry(struct listing *g, const struct mailbox_entry *e)
{
	struct imap_session *s = g->s;
	struct mailbox_status st;
	buf_put(&s->out, STR("* LIST ("));
	put_attributes(g, e);
	buf_put(&s->out, STR(") \"/\" "));
	imap_put_name(&s->out, e->name, imap_utf8(s));
	put_child_info(g, e);
	buf_put(&s->out, STR("\r\n"));
	if ((g->l->returns & IMAP_LIST_STATUS) && e->exists && !failed(mailbox_status_of(&s->home->owner, e->name, &st)))
		imap_put_status(s, e->name, g->l->status, &st);
	return imap_send_if_long(s);
}

static result put_entries(struct listing *g)
{
	struct mailbox_entries all;
	TRY(mailbox_list(&g->s->home->owner, &g->s->arena, &all));
	for (size_t i = 0; i < all.n; i++) /* sending may suspend, and end what the names point to */
		all.v[i].name = arena_dup(&g->s->arena, all.v[i].name);
	TRY(arena_result(&g->s->arena));
	for (size_t i = 0; i < all.n; i++)
		if (selected(g, &all.v[i]) && imap_patterns_match(&g->patterns, all.v[i].name))
			TRY(put_entry(g, &all.v[i]));
	return OK;
}

result run_LIST(struct imap_session *s, struct imap_command *c)
{
	struct listing g = {.s = s, .l = &c->list};
	if (c->list.patterns.n == 1 && !c->list.patterns.v[0].n && !c->list.extended) {
		buf_put(&s->out, STR("* LIST (\\Noselect) \"/\" \"\"\r\n"));
		return OK;
	}
	if (c->list.status & IMAP_STATUS_HIGHESTMODSEQ)
		imap_enable_condstore(s);
	TRY(imap_patterns_read(s, &c->list, &g.patterns));
	return put_entries(&g);
}
