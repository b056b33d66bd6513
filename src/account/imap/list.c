#include "account/imap/list.h"
#include "account/imap/patterns.h"
#include "account/imap/status.h"
#include "account/imap/verbs.h"

struct listing {
	struct imap_session *s;
	const struct imap_list *l;
	struct imap_patterns patterns;
	struct mailbox_entries all;
	bool *matches; /* of each name: the patterns fit */
	bool *above;   /* a name below it meets the criteria and is not told itself (RFC 9051 6.3.9.3) */
};

/* RFC 5258 3.1: every criterion must hold. */
static bool meets(const struct listing *g, const struct mailbox_entry *e)
{
	unsigned want = g->l->select;
	if (!(want & (IMAP_SELECT_SUBSCRIBED | IMAP_SELECT_SPECIAL_USE)))
		return e->exists || e->children;
	if ((want & IMAP_SELECT_SUBSCRIBED) && !e->subscribed)
		return false;
	return !(want & IMAP_SELECT_SPECIAL_USE) || e->use;
}

static bool lies_below(str name, str parent)
{
	return name.n > parent.n && name.p[parent.n] == IMAP_SEPARATOR && str_starts(name, parent);
}

/* What lies below a name stands behind it, so the levels above the one at hand are a stack. */
static result look_below(struct listing *g)
{
	size_t open[IMAP_NAME_LEVELS_MAX], n = 0;
	for (size_t i = 0; i < g->all.n; i++) {
		const struct mailbox_entry *e = &g->all.v[i];
		TRY(effort_go_on());
		while (n && !lies_below(e->name, g->all.v[open[n - 1]].name))
			n--;
		g->matches[i] = imap_patterns_match(&g->patterns, e->name);
		for (size_t k = 0; k < n && !g->matches[i] && meets(g, e); k++)
			g->above[open[k]] = true;
		must(n < IMAP_NAME_LEVELS_MAX);
		open[n++] = i;
	}
	return OK;
}

static void put_attribute(buf *out, bool *any, str word)
{
	if (*any)
		buf_putc(out, ' ');
	buf_put(out, word);
	*any = true;
}

static void put_attributes(struct imap_session *s, const struct mailbox_entry *e, bool subscribed)
{
	buf *out = &s->out;
	bool any = false;
	if (!e->exists) {
		put_attribute(out, &any, STR("\\NonExistent"));
		if (!imap_enabled(s, ENABLED_REV2)) /* RFC 3501 knows only this */
			put_attribute(out, &any, STR("\\Noselect"));
	}
	put_attribute(out, &any, e->children ? STR("\\HasChildren") : STR("\\HasNoChildren"));
	if (subscribed && e->subscribed)
		put_attribute(out, &any, STR("\\Subscribed"));
	if (e->use) {
		buf_putc(out, ' ');
		imap_put_uses(out, e->use);
	}
}

static void put_line(struct imap_session *s, const struct mailbox_entry *e, bool subscribed)
{
	buf_put(&s->out, STR("* LIST ("));
	put_attributes(s, e, subscribed);
	buf_put(&s->out, STR(") \"/\" "));
	imap_put_name(&s->out, e->name, imap_utf8(s));
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
	bool status = (g->l->returns & IMAP_LIST_STATUS) && e->exists && meets(g, e);
	put_line(s, e, (g->l->select & IMAP_SELECT_SUBSCRIBED) || (g->l->returns & IMAP_LIST_SUBSCRIBED));
	put_child_info(g, e);
	buf_put(&s->out, STR("\r\n"));
	if (status && !failed(mailbox_status_of(&s->home->owner, e->name, &st)))
		imap_put_status(s, e->name, g->l->status, &st);
	return imap_send_if_long(s);
}

static result put_entries(struct listing *g)
{
	bool recursive = (g->l->select & IMAP_SELECT_RECURSIVEMATCH) != 0;
	TRY(mailbox_list(&g->s->home->owner, &g->s->arena, &g->all));
	g->matches = arena_array(&g->s->arena, g->all.n + 1, sizeof *g->matches);
	g->above = arena_array(&g->s->arena, g->all.n + 1, sizeof *g->above);
	TRY(arena_result(&g->s->arena));
	TRY(look_below(g));
	for (size_t i = 0; i < g->all.n; i++) {
		const struct mailbox_entry *e = &g->all.v[i];
		if (g->matches[i] && (meets(g, e) || (recursive && g->above[i])))
			TRY(put_entry(g, e));
	}
	return OK;
}

/* ---- for other commands */

static bool same_name(str wire, str name)
{
	return str_eq(str_ends(wire, STR("/")) ? str_sub(wire, 0, wire.n - 1) : wire, name);
}

result imap_put_list_of(struct imap_session *s, str name, str wire)
{
	struct mailbox_entries all;
	struct mailbox_entry none = {.name = name};
	const struct mailbox_entry *e = &none;
	if (!imap_enabled(s, ENABLED_REV2))
		return OK;
	TRY(mailbox_list(&s->home->owner, &s->arena, &all));
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i].name, name))
			e = &all.v[i];
	put_line(s, e, true);
	if (!same_name(wire, name)) {
		buf_put(&s->out, STR(" (\"OLDNAME\" ("));
		imap_put_string(&s->out, wire, true);
		buf_put(&s->out, STR("))"));
	}
	buf_put(&s->out, STR("\r\n"));
	return OK;
}

result imap_tell_name(struct imap_session *s, str name, str wire)
{
	return same_name(wire, name) ? OK : imap_put_list_of(s, name, wire);
}

result imap_tell_renamed(struct imap_session *s, const struct imap_rename *wire, str from, str to)
{
	if (same_name(wire->from, from) && same_name(wire->to, to))
		return OK;
	return imap_put_list_of(s, to, wire->from);
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
