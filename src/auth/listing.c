#include "auth/listing.h"

#include <stdlib.h>

#include "auth/directory_core.h"

struct page {
	const struct listing *l;
	size_t octets;
	size_t n;
	bool full;
	void *rows;
};

/* A copy that stays, counted; false when the page is full. */
static bool fits(struct page *p, size_t octets, size_t most)
{
	if (p->n == most || (p->n > 0 && p->octets + octets > LISTING_OCTETS))
		p->full = true;
	else
		p->octets += octets;
	return !p->full;
}

static result turn(struct page *p, result (*run)(struct db *db, void *arg), size_t most, size_t row)
{
	p->rows = arena_array(p->l->arena, most, row);
	if (!p->rows)
		return arena_result(p->l->arena);
	TRY(directory_read(p->l->d, run, p));
	return arena_result(p->l->arena);
}

/* ---- domains ---- */

static void domain_row(struct page *p, const struct query *q)
{
	struct web_auth_domain_row *rows = p->rows;
	str name = query_bytes(q, 0), catch_all = query_bytes(q, 1);
	if (fits(p, name.n + catch_all.n + LISTING_ROW, LISTING_DOMAINS))
		rows[p->n++] = (struct web_auth_domain_row){.name = arena_dup(p->l->arena, name),
			.catch_all = arena_dup(p->l->arena, catch_all), .accounts = (uint64_t)query_int(q, 2),
			.signs = query_int(q, 3) != 0, .second_factor = query_int(q, 4) != 0};
}

static result run_domains(struct db *db, void *arg)
{
	struct page *p = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row = true;
	TRY(db_ask(db, &q, "SELECT name, coalesce((SELECT key FROM address WHERE id = catch_all), ''),"
		" (SELECT count(account) FROM address WHERE domain = domain.id), signs, second_factor FROM domain"
		" WHERE name > ?1 ORDER BY name",
		DB_TEXT(p->l->after)));
	while (!p->full) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		domain_row(p, q);
	}
	return OK;
}

result listing_domains(const struct listing *l, struct web_auth_domains *out)
{
	struct page p = {.l = l};
	TRY(turn(&p, run_domains, LISTING_DOMAINS, sizeof(struct web_auth_domain_row)));
	out->rows.p = p.rows;
	out->rows.n = p.n;
	return OK;
}

/* ---- accounts ---- */

static void account_row(struct page *p, const struct query *q)
{
	struct web_auth_account_row *rows = p->rows;
	str address = query_bytes(q, 1), name = query_bytes(q, 2);
	if (fits(p, address.n + name.n + LISTING_ROW, LISTING_ACCOUNTS))
		rows[p->n++] = (struct web_auth_account_row){.account = (uint64_t)query_int(q, 0),
			.address = arena_dup(p->l->arena, address), .name = arena_dup(p->l->arena, name),
			.admin = query_int(q, 3) != 0, .disabled = query_int(q, 4) != 0, .created = query_int(q, 5)};
}

static result run_accounts(struct db *db, void *arg)
{
	struct page *p = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row = true;
	TRY(db_ask(db, &q, "SELECT account.id, key, name, admin, disabled, created FROM address"
		" JOIN account ON account.id = address.account WHERE key > ?1 AND state = 1 ORDER BY key",
			DB_TEXT(p->l->after)));
	while (!p->full) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		account_row(p, q);
	}
	return OK;
}

result listing_accounts(const struct listing *l, struct web_auth_accounts *out)
{
	struct page p = {.l = l};
	TRY(turn(&p, run_accounts, LISTING_ACCOUNTS, sizeof(struct web_auth_account_row)));
	out->rows.p = p.rows;
	out->rows.n = p.n;
	return OK;
}

/* ---- aliases: the order from the database, what they lead to from the book ---- */

static result run_aliases(struct db *db, void *arg)
{
	struct page *p = arg;
	uint64_t *ids = p->rows;
	struct query AUTO_QUERY *q = NULL;
	bool row = true;
	TRY(db_ask(db, &q, "SELECT id FROM address WHERE account IS NULL AND key > ?1 ORDER BY key LIMIT ?2",
		DB_TEXT(p->l->after), DB_INT(LISTING_ALIASES)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		ids[p->n++] = (uint64_t)query_int(q, 0);
	}
}

/* Where the alias leads: its targets, or the administrators that a fixed one stands for. */
static size_t leads_to(struct book *b, struct book_entry *e, str out[BOOK_TARGETS])
{
	struct reach to;
	size_t n = 0;
	for (; n < e->targets_n; n++)
		out[n] = e->targets[n]->key;
	for (size_t i = 0; e->outside && i < e->outside->n && n < BOOK_TARGETS; i++)
		out[n++] = e->outside->address[i];
	if (n > 0)
		return n;
	reach_entry(b, e, &to);
	for (; n < to.n && n < BOOK_TARGETS; n++)
		out[n] = book_account(b, to.accounts[n])->entry->key;
	return n;
}

static result alias_row(struct page *p, struct book_entry *e, struct web_auth_alias_row *row)
{
	str targets[BOOK_TARGETS];
	size_t n = leads_to(&p->l->d->book, e, targets), octets = e->key.n + LISTING_ROW;
	for (size_t i = 0; i < n; i++)
		octets += targets[i].n + sizeof(uint32_t);
	if (!fits(p, octets, LISTING_ALIASES))
		return OK;
	str *copies = n ? arena_array(p->l->arena, n, sizeof *copies) : NULL;
	for (size_t i = 0; copies && i < n; i++)
		copies[i] = arena_dup(p->l->arena, targets[i]);
	*row = (struct web_auth_alias_row){.address = arena_dup(p->l->arena, e->key), .fixed = e->fixed};
	row->targets.p = copies;
	row->targets.n = n;
	p->n++;
	return arena_result(p->l->arena);
}

result listing_aliases(const struct listing *l, struct web_auth_aliases *out)
{
	struct page ids = {.l = l}, p = {.l = l};
	TRY(turn(&ids, run_aliases, LISTING_ALIASES, sizeof(uint64_t)));
	struct web_auth_alias_row *rows = arena_array(l->arena, LISTING_ALIASES, sizeof *rows);
	if (!rows)
		return arena_result(l->arena);
	for (size_t i = 0; i < ids.n && !p.full; i++) {
		struct book_entry *e = book_entry_by_id(&l->d->book, ((const uint64_t *)ids.rows)[i]);
		if (e && !e->account)
			TRY(alias_row(&p, e, &rows[p.n]));
	}
	out->rows.p = rows;
	out->rows.n = p.n;
	return OK;
}

/* ---- one account ---- */

struct texts {
	arena *arena;
	str *p;
	size_t n;
	size_t octets;
};

static void add_text(struct texts *t, str s)
{
	size_t more = s.n + sizeof(uint32_t);
	if (t->n == LISTING_RIGHTS || t->octets + more > LISTING_OCTETS / 2)
		return;
	t->octets += more;
	t->p[t->n++] = arena_dup(t->arena, s);
}

static bool leads(const struct reach *to, uint64_t account)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->accounts[i] == account)
			return true;
	return false;
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static result new_texts(const struct listing *l, struct texts *t)
{
	*t = (struct texts){.arena = l->arena, .p = arena_array(l->arena, LISTING_RIGHTS, sizeof(str))};
	return t->p ? OK : arena_result(l->arena);
}

result listing_rights(const struct listing *l, const struct book_account *who, struct web_auth_account_is *out)
{
	struct texts own, granted;
	struct reach to;
	size_t at = 0;
	str key;
	void *value;
	TRY(new_texts(l, &own));
	TRY(new_texts(l, &granted));
	add_text(&own, who->entry->key);
	LIST_EACH(n, &l->d->book.alias_list) {
		struct book_entry *e = LIST_OWNER(n, struct book_entry, node);
		reach_entry(&l->d->book, e, &to);
		if (leads(&to, who->id))
			add_text(&own, e->key);
	}
	while (hash_each(&who->grants, &at, &key, &value))
		add_text(&granted, key);
	if (granted.n > 0)
		qsort(granted.p, granted.n, sizeof *granted.p, by_bytes);
	out->addresses.p = own.p;
	out->addresses.n = own.n;
	out->send_as.p = granted.p;
	out->send_as.n = granted.n;
	return arena_result(l->arena);
}
