#include "auth/directory_core.h"
#include "auth/directory_rows.h"

#include "grammar/smtp/mailbox.h"

struct alias_edit {
	struct directory *d;
	struct book_entry *alias; /* NULL: a new one */
	struct address address;
	uint64_t id;
	uint64_t domain;
	uint64_t targets[BOOK_TARGETS];
	size_t targets_n;
	str outside[BOOK_TARGETS];
	size_t outside_n;
};

/* ---- making one, or pointing a fixed one elsewhere ---- */

static bool listed(const struct alias_edit *e, uint64_t id)
{
	for (size_t i = 0; i < e->targets_n; i++)
		if (e->targets[i] == id)
			return true;
	return false;
}

/* As mail to it is sent: the local part is the other server's business, so its case stays. */
static result add_outside(struct alias_edit *e, str text, arena *a)
{
	AUTO_BUF buf b = buf_new(ADDRESS_MAX + 16);
	struct mailbox m;
	TRY(mailbox_parse(text, a, &m));
	TRY(mailbox_domain(m.domain, a, &m.domain));
	mailbox_print(&b, &m);
	TRY(buf_result(&b));
	for (size_t i = 0; i < e->outside_n; i++)
		if (str_eq(e->outside[i], buf_str(&b)))
			return OK;
	e->outside[e->outside_n++] = arena_dup(a, buf_str(&b));
	return arena_result(a);
}

static result add_target(struct alias_edit *e, str text, arena *a)
{
	struct address address;
	TRY(address_parse(text, a, &address));
	struct book_entry *target = book_entry(&e->d->book, address.key);
	if (!book_domain(&e->d->book, address.domain))
		return add_outside(e, text, a);
	if (!target)
		return failure(FAIL_ABSENT, "there is no such account or alias for the alias to lead to; make it first");
	if (e->alias && (target == e->alias || reach_leads_to(&e->d->book, target, e->alias)))
		return failure(FAIL_CONFLICT, "the alias would lead back to itself");
	if (!listed(e, target->id))
		e->targets[e->targets_n++] = target->id;
	return OK;
}

static result plan(struct alias_edit *e, str text, arena *a)
{
	TRY(address_parse(text, a, &e->address));
	struct book_domain *domain = book_domain(&e->d->book, e->address.domain);
	if (!domain)
		return failure(FAIL_ABSENT, "this server does not have the alias's domain; add it first (postern domain add)");
	e->domain = domain->id;
	e->alias = book_entry(&e->d->book, e->address.key);
	if (e->alias && e->alias->account)
		return failure(FAIL_EXISTS, "there is an account of that name");
	if (e->alias && !e->alias->fixed)
		return failure(FAIL_EXISTS, "there is such an alias already; delete it first to point it elsewhere");
	if (e->alias)
		e->id = e->alias->id;
	return OK;
}

static result run_add(struct db *db, void *arg)
{
	struct alias_edit *e = arg;
	if (!e->alias)
		TRY(rows_add_address(db, e->address.key, e->domain, &e->id));
	TRY(db_run(db, "DELETE FROM target WHERE alias = ?1", DB_INT(e->id)));
	for (size_t i = 0; i < e->targets_n; i++)
		TRY(db_run(db, "INSERT INTO target (alias, target) VALUES (?1, ?2)", DB_INT(e->id), DB_INT(e->targets[i])));
	TRY(db_run(db, "DELETE FROM outside WHERE alias = ?1", DB_INT(e->id)));
	for (size_t i = 0; i < e->outside_n; i++)
		TRY(db_run(db, "INSERT INTO outside (alias, address) VALUES (?1, ?2)", DB_INT(e->id), DB_TEXT(e->outside[i])));
	return OK;
}

static void kept_add(void *arg)
{
	struct alias_edit *e = arg;
	if (!e->alias && !book_follows(e->d, book_add_alias(&e->d->book, e->id, e->address.key, false)))
		return;
	e->alias = book_entry_by_id(&e->d->book, e->id);
	if (book_follows(e->d, book_set_targets(&e->d->book, e->alias, e->targets, e->targets_n)))
		(void)book_follows(e->d, book_set_outside(e->alias, e->outside, e->outside_n));
}

static result add(struct alias_edit *e, str address, const str *targets, size_t n)
{
	AUTO_ARENA arena a = arena_new(256 * 1024);
	TRY(plan(e, address, &a));
	if (n == 0 && !e->alias)
		return failure(FAIL_INPUT, "an alias needs at least one address to lead to");
	if (n > BOOK_TARGETS)
		return failure(FAIL_LIMIT, "an alias leads to at most 100 addresses; an alias may lead to other aliases");
	for (size_t i = 0; i < n; i++)
		TRY(add_target(e, targets[i], &a));
	result r = edit_commit(e->d, run_add, kept_add, e);
	if (r.kind == FAIL_EXISTS)
		return failure(FAIL_CONFLICT, "an account of one of these names is being made or erased; try again in a "
			"moment");
	return r;
}

result directory_add_alias(struct directory *d, str address, const str *targets, size_t n)
{
	struct alias_edit e = {.d = d};
	TRY(edit_begin(d));
	result r = add(&e, address, targets, n);
	edit_end(d);
	return r;
}

/* ---- removing one ---- */

static result run_delete(struct db *db, void *arg)
{
	const struct alias_edit *e = arg;
	return rows_erase(db, e->alias->id);
}

static void kept_delete(void *arg)
{
	struct alias_edit *e = arg;
	book_remove_alias(&e->d->book, e->alias);
}

static result delete(struct alias_edit *e, str text)
{
	AUTO_ARENA arena a = arena_new(16384);
	TRY(address_parse(text, &a, &e->address));
	e->alias = book_entry(&e->d->book, e->address.key);
	if (!e->alias || e->alias->account)
		return failure(FAIL_ABSENT, "there is no such alias; postern alias list shows those there are");
	if (e->alias->fixed)
		return failure(FAIL_DENIED, "postmaster@ and abuse@ exist in every domain (RFC 2142); point it elsewhere with "
			"postern alias add");
	return edit_commit(e->d, run_delete, kept_delete, e);
}

result directory_delete_alias(struct directory *d, str address)
{
	struct alias_edit e = {.d = d};
	TRY(edit_begin(d));
	result r = delete(&e, address);
	edit_end(d);
	return r;
}

/* ---- rights to send ---- */

struct grant_edit {
	struct directory *d;
	uint64_t id;
	str key;
	bool granted;
};

static result run_grant(struct db *db, void *arg)
{
	const struct grant_edit *e = arg;
	if (e->granted)
		return db_run(db, "INSERT INTO send_as (account, key) VALUES (?1, ?2)", DB_INT(e->id), DB_TEXT(e->key));
	return db_run(db, "DELETE FROM send_as WHERE account = ?1 AND key = ?2", DB_INT(e->id), DB_TEXT(e->key));
}

static void kept_grant(void *arg)
{
	const struct grant_edit *e = arg;
	struct book_account *a = book_account(&e->d->book, e->id);
	if (e->granted)
		(void)book_follows(e->d, hash_put(&a->grants, e->key, a));
	else
		hash_remove(&a->grants, e->key);
}

static result grant(struct grant_edit *e, str address)
{
	AUTO_ARENA arena a = arena_new(16384);
	TRY(address_or_domain(address, &a, &e->key));
	const struct book_account *who = book_account(&e->d->book, e->id);
	if (!who)
		return failure(FAIL_ABSENT, "there is no such account any more");
	bool has = hash_get(&who->grants, e->key) != NULL;
	if (e->granted && !has && who->grants.n >= BOOK_GRANTS)
		return failure(FAIL_LIMIT, "an account may send as at most 1,000 further addresses; grant a whole domain as "
			"@domain");
	if (!e->granted && !has)
		return failure(FAIL_ABSENT, "the account has no such right; postern account show lists those it has");
	return has == e->granted ? OK : edit_commit(e->d, run_grant, kept_grant, e);
}

result directory_grant(struct directory *d, uint64_t id, str address, bool granted)
{
	struct grant_edit e = {.d = d, .id = id, .granted = granted};
	TRY(edit_begin(d));
	result r = grant(&e, address);
	edit_end(d);
	return r;
}
