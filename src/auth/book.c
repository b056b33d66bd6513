#include "auth/book.h"
#include "auth/signing_keys.h"

#include "base/mem.h"

void book_init(struct book *b)
{
	*b = (struct book){.domains = hash_new(BOOK_DOMAINS), .addresses = hash_new(BOOK_ADDRESSES),
			   .ids = hash_new(BOOK_ADDRESSES), .accounts = hash_new(BOOK_ADDRESSES),
			   .keys = hash_new(KEYS_MAX)};
	list_init(&b->domain_list);
	list_init(&b->account_list);
	list_init(&b->admin_list);
	list_init(&b->alias_list);
}

str book_domain_of(str key)
{
	size_t at = str_rchr(key, '@');
	return at == STR_NONE ? (str){NULL, 0} : str_skip(key, at + 1);
}

struct book_domain *book_domain(const struct book *b, str name)
{
	return hash_get(&b->domains, name);
}

struct book_account *book_account(const struct book *b, uint64_t id)
{
	return hash_get_u64(&b->accounts, id);
}

struct book_entry *book_entry(const struct book *b, str key)
{
	return hash_get(&b->addresses, key);
}

struct book_entry *book_entry_by_id(const struct book *b, uint64_t id)
{
	return hash_get_u64(&b->ids, id);
}

/* ---- domains ---- */

result book_add_domain(struct book *b, uint64_t id, str name)
{
	struct book_domain *d = mem_alloc(sizeof *d + name.n);
	if (!d)
		return failure(FAIL_MEMORY, "out of memory");
	char *copy = (char *)(d + 1);
	memcpy(copy, name.p, name.n);
	d->id = id;
	d->name = str_of(copy, name.n);
	d->signs = true;
	list_init(&d->keys);
	result r = hash_put(&b->domains, d->name, d);
	if (failed(r)) {
		mem_free(d);
		return r;
	}
	list_insert(&b->domain_list, &d->node);
	return OK;
}

void book_remove_domain(struct book *b, struct book_domain *d)
{
	LIST_EACH_SAFE(n, &b->alias_list) {
		struct book_entry *e = LIST_OWNER(n, struct book_entry, node);
		if (e->domain == d && e->fixed)
			book_remove_alias(b, e);
	}
	must(d->addresses == 0);
	signing_keys_forget(b, d);
	hash_remove(&b->domains, d->name);
	list_remove(&d->node);
	mem_free(d);
}

/* ---- addresses ---- */

static void free_entry(struct book *b, struct book_entry *e)
{
	hash_remove(&b->addresses, e->key);
	hash_remove_u64(&b->ids, e->id);
	list_remove(&e->node);
	if (!e->fixed)
		e->domain->addresses--;
	mem_free(e->targets);
	mem_free(e->outside);
	mem_free(e);
}

static result add_entry(struct book *b, uint64_t id, str key, struct book_entry **out)
{
	struct book_domain *d = book_domain(b, book_domain_of(key));
	must(d && !book_entry(b, key)); /* the database has it so */
	struct book_entry *e = mem_alloc(sizeof *e + key.n);
	if (!e)
		return failure(FAIL_MEMORY, "out of memory");
	char *copy = (char *)(e + 1);
	memcpy(copy, key.p, key.n);
	list_init(&e->node);
	e->id = id;
	e->domain = d;
	e->key = str_of(copy, key.n);
	result r = hash_put(&b->addresses, e->key, e);
	if (!failed(r))
		r = hash_put_u64(&b->ids, id, e);
	d->addresses++;
	if (failed(r))
		free_entry(b, e);
	else
		*out = e;
	return r;
}

static void drop_target(struct book_entry *alias, const struct book_entry *gone)
{
	size_t kept = 0;
	for (size_t i = 0; i < alias->targets_n; i++)
		if (alias->targets[i] != gone)
			alias->targets[kept++] = alias->targets[i];
	alias->targets_n = kept;
}

/* An alias without a target, which is not fixed; NULL when there is none. */
static struct book_entry *widowed(const struct book *b)
{
	LIST_EACH(n, &b->alias_list) {
		struct book_entry *e = LIST_OWNER(n, struct book_entry, node);
		if (e->targets_n == 0 && !e->outside && !e->fixed)
			return e;
	}
	return NULL;
}

/* Everything that names it, and the right to send as it, must not pass to who
 * gets the address next. */
static void forget(struct book *b, struct book_entry *gone)
{
	LIST_EACH(n, &b->alias_list)
		drop_target(LIST_OWNER(n, struct book_entry, node), gone);
	LIST_EACH(n, &b->domain_list) {
		struct book_domain *d = LIST_OWNER(n, struct book_domain, node);
		if (d->catch_all == gone)
			d->catch_all = NULL;
	}
	LIST_EACH(n, &b->account_list)
		hash_remove(&LIST_OWNER(n, struct book_account, node)->grants, gone->key);
	free_entry(b, gone);
}

void book_remove_alias(struct book *b, struct book_entry *alias)
{
	while (alias) {
		forget(b, alias);
		alias = widowed(b);
	}
}

result book_add_alias(struct book *b, uint64_t id, str key, bool fixed)
{
	struct book_entry *e;
	TRY(add_entry(b, id, key, &e));
	e->fixed = fixed;
	if (fixed)
		e->domain->addresses--;
	list_insert(&b->alias_list, &e->node);
	return OK;
}

result book_set_targets(struct book *b, struct book_entry *alias, const uint64_t *entries, size_t n)
{
	struct book_entry **targets = n ? mem_array(n, sizeof(struct book_entry *)) : NULL;
	if (n && !targets)
		return failure(FAIL_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		targets[i] = book_entry_by_id(b, entries[i]);
		must(targets[i]); /* the database's references are checked */
	}
	mem_free(alias->targets);
	alias->targets = targets;
	alias->targets_n = n;
	return OK;
}

result book_set_outside(struct book_entry *alias, const str *addresses, size_t n)
{
	struct book_outside *outside = NULL;
	size_t octets = sizeof *outside + n * sizeof *outside->address;
	for (size_t i = 0; i < n; i++)
		octets += addresses[i].n;
	if (n > 0 && !(outside = mem_alloc(octets)))
		return failure(FAIL_MEMORY, "out of memory");
	char *at = outside ? (char *)&outside->address[n] : NULL;
	for (size_t i = 0; i < n; i++) {
		outside->n = i + 1;
		outside->address[i] = str_of(at, addresses[i].n);
		memcpy(at, addresses[i].p, addresses[i].n);
		at += addresses[i].n;
	}
	mem_free(alias->outside);
	alias->outside = outside;
	return OK;
}

/* ---- accounts ---- */

result book_add_account(struct book *b, const struct book_new_account *n)
{
	struct book_account *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "out of memory");
	a->id = n->id;
	a->admin = n->admin;
	a->disabled = n->disabled;
	a->created = n->created;
	a->grants = hash_new(BOOK_GRANTS);
	list_init(&a->admin_node);
	result r = add_entry(b, n->entry, n->key, &a->entry);
	if (!failed(r) && failed(r = hash_put_u64(&b->accounts, a->id, a)))
		free_entry(b, a->entry);
	if (failed(r)) {
		mem_free(a);
		return r;
	}
	a->entry->account = a;
	list_insert(&b->account_list, &a->node);
	if (a->admin)
		list_insert(&b->admin_list, &a->admin_node);
	return OK;
}

void book_set_admin(struct book *b, struct book_account *a, bool admin)
{
	a->admin = admin;
	list_remove(&a->admin_node);
	struct list *before = b->admin_list.next;
	while (before != &b->admin_list && LIST_OWNER(before, struct book_account, admin_node)->id < a->id)
		before = before->next;
	if (admin)
		list_insert(before, &a->admin_node);
}

static void free_account(struct book_account *a)
{
	list_remove(&a->node);
	list_remove(&a->admin_node);
	hash_free(&a->grants);
	mem_free(a);
}

void book_remove_account(struct book *b, struct book_account *a)
{
	struct book_entry *e = a->entry;
	hash_remove_u64(&b->accounts, a->id);
	free_account(a);
	forget(b, e);
	book_remove_alias(b, widowed(b));
}

void book_free(struct book *b)
{
	size_t at = 0;
	str key;
	void *value;
	LIST_EACH_SAFE(n, &b->account_list)
		free_account(LIST_OWNER(n, struct book_account, node));
	while (hash_each(&b->addresses, &at, &key, &value)) {
		struct book_entry *e = value;
		mem_free(e->targets);
		mem_free(e->outside);
		mem_free(e);
	}
	LIST_EACH_SAFE(n, &b->domain_list) {
		signing_keys_forget(b, LIST_OWNER(n, struct book_domain, node));
		mem_free(LIST_OWNER(n, struct book_domain, node));
	}
	hash_free(&b->domains);
	hash_free(&b->addresses);
	hash_free(&b->ids);
	hash_free(&b->accounts);
	hash_free(&b->keys);
}
