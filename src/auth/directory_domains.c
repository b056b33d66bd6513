#include "auth/directory_core.h"
#include "auth/directory_rows.h"

#include "grammar/smtp/mailbox.h"

enum { FIXED = 2 };
static const str fixed_names[FIXED] = {STR_INIT("postmaster@"), STR_INIT("abuse@")};

struct domain_edit {
	struct directory *d;
	struct book_domain *domain;
	str name;
	str keys[FIXED]; /* postmaster@name, abuse@name */
	uint64_t id;
	uint64_t fixed[FIXED];
	struct book_entry *catch_all;
	bool yes;
};

static result read_name(str text, arena *a, struct domain_edit *e)
{
	if (text.n > 0 && text.p[0] == '[')
		return failure(FAIL_INPUT, "a domain here has a name, such as example.org; an address in brackets cannot be "
			"one");
	TRY(mailbox_domain(text, a, &e->name));
	e->domain = book_domain(&e->d->book, e->name);
	return OK;
}

static result known_name(str text, arena *a, struct domain_edit *e)
{
	TRY(read_name(text, a, e));
	if (!e->domain)
		return failure(FAIL_ABSENT, "this server has no such domain; postern domain list shows those it has");
	return OK;
}

static result run_edit(struct directory *d, result (*run)(struct db *, void *), void (*kept)(void *),
	struct domain_edit *e)
{
	result r = edit_commit(d, run, kept, e);
	if (r.kind == FAIL_EXISTS)
		return failure(FAIL_CONFLICT, "something of this domain is being made or erased; try again in a moment");
	return r;
}

/* ---- a new domain, with its two addresses that always exist ---- */

static result fixed_keys(struct domain_edit *e, arena *a)
{
	for (size_t i = 0; i < FIXED; i++) {
		char *p = arena_alloc(a, fixed_names[i].n + e->name.n);
		if (!p)
			return arena_result(a);
		memcpy(p, fixed_names[i].p, fixed_names[i].n);
		memcpy(p + fixed_names[i].n, e->name.p, e->name.n);
		e->keys[i] = str_of(p, fixed_names[i].n + e->name.n);
	}
	return OK;
}

static result run_add(struct db *db, void *arg)
{
	struct domain_edit *e = arg;
	TRY(db_run(db, "INSERT INTO domain (name) VALUES (?1)", DB_TEXT(e->name)));
	e->id = (uint64_t)db_last_row(db);
	for (size_t i = 0; i < FIXED; i++) {
		TRY(rows_add_address(db, e->keys[i], e->id, &e->fixed[i]));
		TRY(db_run(db, "UPDATE address SET fixed = 1 WHERE id = ?1", DB_INT(e->fixed[i])));
	}
	return OK;
}

static void kept_add(void *arg)
{
	struct domain_edit *e = arg;
	bool follows = book_follows(e->d, book_add_domain(&e->d->book, e->id, e->name));
	for (size_t i = 0; i < FIXED && follows; i++)
		follows = book_follows(e->d, book_add_alias(&e->d->book, e->fixed[i], e->keys[i], true));
}

/* What leads to such an address elsewhere would not find it here. */
static bool led_to(const struct book *b, str domain)
{
	LIST_EACH(n, &b->alias_list) {
		const struct book_outside *o = LIST_OWNER(n, struct book_entry, node)->outside;
		for (size_t i = 0; o && i < o->n; i++)
			if (str_eq(book_domain_of(o->address[i]), domain))
				return true;
	}
	return false;
}

static result may_be_ours(const struct directory *d, str name)
{
	if (routes_find(&d->routes, ROUTE_RELAYED, name))
		return failure(FAIL_CONFLICT, "this server is a backup for that domain; end that first (postern route delete "
			"relayed)");
	if (led_to(&d->book, name))
		return failure(FAIL_CONFLICT, "an alias leads to an address elsewhere in that domain; delete the alias, "
			"and add it again when the domain is here");
	return OK;
}

static result add(struct directory *d, str name)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct domain_edit e = {.d = d};
	TRY(read_name(name, &a, &e));
	if (e.domain)
		return failure(FAIL_EXISTS, "this server has that domain already");
	if (d->book.domains.n >= BOOK_DOMAINS)
		return failure(FAIL_LIMIT, "there are as many domains as one server may have (100,000)");
	TRY(may_be_ours(d, e.name));
	TRY(fixed_keys(&e, &a));
	return run_edit(d, run_add, kept_add, &e);
}

result directory_add_domain(struct directory *d, str name)
{
	TRY(edit_begin(d));
	result r = add(d, name);
	edit_end(d);
	return r;
}

/* ---- removing one ---- */

static result run_delete(struct db *db, void *arg)
{
	struct domain_edit *e = arg;
	for (size_t i = 0; i < FIXED; i++)
		TRY(rows_erase(db, e->fixed[i]));
	TRY(db_run(db, "DELETE FROM send_as WHERE key = '@' || ?1", DB_TEXT(e->name)));
	TRY(db_run(db, "UPDATE dkim_key SET state = 4 WHERE domain = ?1", DB_TEXT(e->name)));
	return db_run(db, "DELETE FROM domain WHERE id = ?1", DB_INT(e->domain->id));
}

static void kept_delete(void *arg)
{
	struct domain_edit *e = arg;
	str whole = str_skip(e->keys[0], fixed_names[0].n - 1); /* "@name" */
	LIST_EACH(n, &e->d->book.account_list)
		hash_remove(&LIST_OWNER(n, struct book_account, node)->grants, whole);
	book_remove_domain(&e->d->book, e->domain);
}

static result delete(struct directory *d, str name)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct domain_edit e = {.d = d};
	TRY(known_name(name, &a, &e));
	if (e.domain->addresses > 0)
		return failure(FAIL_CONFLICT, "the domain still has accounts or aliases; delete those first");
	TRY(fixed_keys(&e, &a));
	for (size_t i = 0; i < FIXED; i++)
		e.fixed[i] = book_entry(&d->book, e.keys[i])->id;
	return run_edit(d, run_delete, kept_delete, &e);
}

result directory_delete_domain(struct directory *d, str name)
{
	TRY(edit_begin(d));
	result r = delete(d, name);
	edit_end(d);
	return r;
}

/* ---- catch-all ---- */

static result run_catch_all(struct db *db, void *arg)
{
	const struct domain_edit *e = arg;
	struct db_arg to = DB_NULL;
	if (e->catch_all)
		to = DB_INT(e->catch_all->id);
	return db_run(db, "UPDATE domain SET catch_all = ?2 WHERE id = ?1", DB_INT(e->domain->id), to);
}

static void kept_catch_all(void *arg)
{
	struct domain_edit *e = arg;
	e->domain->catch_all = e->catch_all;
}

static result set_catch_all(struct directory *d, str name, str target)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct domain_edit e = {.d = d};
	struct address address;
	TRY(known_name(name, &a, &e));
	if (target.n > 0) {
		TRY(address_parse(target, &a, &address));
		e.catch_all = book_entry(&d->book, address.key);
		if (!e.catch_all)
			return failure(FAIL_ABSENT, "mail can be caught by an account or alias of this server; there is none of "
				"that name");
	}
	return run_edit(d, run_catch_all, kept_catch_all, &e);
}

result directory_set_catch_all(struct directory *d, str name, str target)
{
	TRY(edit_begin(d));
	result r = set_catch_all(d, name, target);
	edit_end(d);
	return r;
}

/* ---- yes or no ---- */

static result run_signing(struct db *db, void *arg)
{
	const struct domain_edit *e = arg;
	return db_run(db, "UPDATE domain SET signs = ?2 WHERE id = ?1", DB_INT(e->domain->id), DB_INT(e->yes));
}

static void kept_signing(void *arg)
{
	struct domain_edit *e = arg;
	e->domain->signs = e->yes;
}

static result run_demand(struct db *db, void *arg)
{
	const struct domain_edit *e = arg;
	return db_run(db, "UPDATE domain SET second_factor = ?2 WHERE id = ?1", DB_INT(e->domain->id), DB_INT(e->yes));
}

static void kept_demand(void *arg)
{
	struct domain_edit *e = arg;
	e->domain->second_factor = e->yes;
}

struct flag {
	result (*run)(struct db *db, void *arg);
	void (*kept)(void *arg);
};

static result set_flag(struct directory *d, str name, const struct flag *f, bool yes)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct domain_edit e = {.d = d, .yes = yes};
	TRY(edit_begin(d));
	result r = known_name(name, &a, &e);
	if (!failed(r))
		r = run_edit(d, f->run, f->kept, &e);
	edit_end(d);
	return r;
}

result directory_set_signing(struct directory *d, str name, bool signs)
{
	return set_flag(d, name, &(struct flag){run_signing, kept_signing}, signs);
}

result directory_demand_factor(struct directory *d, str name, bool demanded)
{
	return set_flag(d, name, &(struct flag){run_demand, kept_demand}, demanded);
}
