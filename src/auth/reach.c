#include "auth/reach.h"

enum { PARSE_MAX = 16384 };

/* ---- finding an entry ---- */

static struct book_entry *without_tag(const struct book *b, char separator, const struct address *a)
{
	char key[ADDRESS_MAX];
	str local = a->local;
	for (;;) {
		size_t cut = str_rchr(local, separator);
		if (cut == STR_NONE || cut == 0)
			return NULL;
		local = str_sub(local, 0, cut);
		size_t n = local.n + 1 + a->domain.n;
		must(n <= sizeof key); /* mailbox_parse has bounded both */
		memcpy(key, local.p, local.n);
		memcpy(key + local.n, a->key.p + a->local.n, 1 + a->domain.n);
		struct book_entry *e = book_entry(b, str_of(key, n));
		if (e)
			return e;
	}
}

static struct book_entry *find(const struct book *b, struct reach_rule rule, const struct address *a)
{
	struct book_entry *e = book_entry(b, a->key);
	return e || !rule.separator ? e : without_tag(b, rule.separator, a);
}

/* ---- following it ---- */

struct walk {
	struct book *book;
	struct reach *out;
	size_t disabled;
	struct {
		struct book_entry *entry;
		unsigned depth;
	} queue[REACH_ENTRIES];
	size_t queued;
	bool too_wide;
};

static void meet_account(struct walk *w, struct book_account *a)
{
	if (a->seen == w->book->round)
		return;
	a->seen = w->book->round;
	if (a->disabled)
		w->disabled++;
	else if (w->out->n == REACH_ACCOUNTS_MAX)
		w->too_wide = true;
	else
		w->out->accounts[w->out->n++] = a->id;
}

static void meet(struct walk *w, struct book_entry *e, unsigned depth)
{
	if (e->seen == w->book->round)
		return;
	e->seen = w->book->round;
	if (depth > REACH_DEPTH || w->queued == REACH_ENTRIES) {
		w->too_wide = true;
		return;
	}
	w->queue[w->queued].entry = e;
	w->queue[w->queued++].depth = depth;
}

static void meet_outside(struct walk *w, str address)
{
	struct reach *out = w->out;
	for (size_t i = 0; i < out->outside_n; i++)
		if (str_eq(out->outside[i], address))
			return;
	if (out->outside_n == REACH_OUTSIDE_MAX)
		w->too_wide = true;
	else
		out->outside[out->outside_n++] = address;
}

static size_t found(const struct walk *w)
{
	return w->out->n + w->disabled;
}

static void meet_admins(struct walk *w, const struct book_domain *of)
{
	size_t before = found(w);
	LIST_EACH(n, &w->book->admin_list) {
		struct book_account *a = LIST_OWNER(n, struct book_account, admin_node);
		if (!a->disabled && (!of || a->entry->domain == of))
			meet_account(w, a);
	}
	if (found(w) > before)
		return;
	if (of) {
		meet_admins(w, NULL);
		return;
	}
	LIST_EACH(n, &w->book->account_list) {
		struct book_account *a = LIST_OWNER(n, struct book_account, node);
		meet_account(w, a);
		if (!a->disabled)
			return;
	}
}

static void follow(struct walk *w)
{
	for (size_t i = 0; i < w->queued; i++) {
		struct book_entry *e = w->queue[i].entry;
		if (e->account)
			meet_account(w, e->account);
		else if (e->fixed && e->targets_n == 0 && !e->outside)
			meet_admins(w, e->domain);
		for (size_t t = 0; t < e->targets_n; t++)
			meet(w, e->targets[t], w->queue[i].depth + 1);
		for (size_t t = 0; e->outside && t < e->outside->n; t++)
			meet_outside(w, e->outside->address[t]);
	}
}

void reach_entry(struct book *b, struct book_entry *e, struct reach *out)
{
	struct walk w = {.book = b, .out = out, .queued = 0};
	out->n = out->outside_n = 0;
	b->round++;
	meet(&w, e, 0);
	follow(&w);
	if (w.too_wide)
		out->verdict = REACH_TOO_WIDE;
	else if (out->n > 0 || out->outside_n > 0)
		out->verdict = REACH_RECEIVED;
	else
		out->verdict = w.disabled ? REACH_DISABLED : e->fixed ? REACH_NOBODY : REACH_UNKNOWN;
}

/* ---- the questions ---- */

static void reach_bare_postmaster(struct book *b, struct reach *out)
{
	char key[ADDRESS_MAX] = "postmaster@";
	const size_t n = sizeof "postmaster@" - 1;
	if (list_empty(&b->domain_list))
		return;
	str name = LIST_OWNER(b->domain_list.next, struct book_domain, node)->name;
	memcpy(key + n, name.p, name.n);
	struct book_entry *e = book_entry(b, str_of(key, n + name.n));
	if (e)
		reach_entry(b, e, out);
}

void reach_recipient(struct book *b, struct reach_rule rule, str text, struct reach *out)
{
	AUTO_ARENA arena a = arena_new(PARSE_MAX);
	struct address address;
	out->verdict = REACH_NOBODY;
	out->n = out->outside_n = 0;
	if (str_ieq(text, STR("postmaster"))) {
		reach_bare_postmaster(b, out);
		return;
	}
	out->verdict = REACH_ELSEWHERE;
	if (failed(address_parse(text, &a, &address)))
		return;
	struct book_domain *d = book_domain(b, address.domain);
	if (!d)
		return;
	struct book_entry *e = find(b, rule, &address);
	if (!e)
		e = d->catch_all;
	out->verdict = REACH_UNKNOWN;
	if (e)
		reach_entry(b, e, out);
}

struct book_account *reach_login(struct book *b, str user)
{
	AUTO_ARENA arena a = arena_new(PARSE_MAX);
	struct address address;
	if (failed(address_parse(user, &a, &address)))
		return NULL;
	struct book_entry *e = book_entry(b, address.key);
	if (e && !e->account && e->targets_n == 1 && !e->outside)
		e = e->targets[0];
	return e ? e->account : NULL;
}

static bool leads_to_account(struct book *b, struct book_entry *e, uint64_t id)
{
	struct reach to;
	reach_entry(b, e, &to);
	for (size_t i = 0; i < to.n; i++)
		if (to.accounts[i] == id)
			return true;
	return false;
}

static bool granted(const struct book_account *who, const struct address *a)
{
	return hash_get(&who->grants, a->key) || hash_get(&who->grants, str_skip(a->key, a->local.n));
}

static bool writes_as_domain(const struct book_account *who, str text, arena *a)
{
	str key, granted;
	size_t at = 0;
	void *value;
	if (failed(address_or_domain(text, a, &key)))
		return false;
	if (str_eq(who->entry->domain->name, str_skip(key, 1)))
		return true;
	while (hash_each(&who->grants, &at, &granted, &value))
		if (str_ends(granted, key))
			return true;
	return false;
}

bool reach_may_send(struct book *b, struct reach_rule rule, const struct book_account *who, str text)
{
	AUTO_ARENA arena a = arena_new(PARSE_MAX);
	struct address address;
	if (text.n == 0)
		return true;
	if (text.p[0] == '@')
		return writes_as_domain(who, text, &a);
	if (failed(address_parse(text, &a, &address)))
		return false;
	struct book_entry *e = find(b, rule, &address);
	return (e && leads_to_account(b, e, who->id)) || granted(who, &address);
}

bool reach_leads_to(struct book *b, struct book_entry *from, const struct book_entry *to)
{
	struct reach reached;
	reach_entry(b, from, &reached);
	return to->seen == b->round;
}
