#include "auth/directory_core.h"
#include "auth/directory_rows.h"

#include "run/clock.h"

struct account_edit {
	struct directory *d;
	uint64_t id;
	const struct new_account *facts;
	struct address address;
	uint64_t domain;
	uint64_t number; /* the new value of a column */
	str text;
	struct book_new_account row; /* of one that is finished; key in `key` */
	char key[ADDRESS_MAX];
};

/* ---- making one ---- */

static result run_begin(struct db *db, void *arg)
{
	struct account_edit *e = arg;
	uint64_t address;
	TRY(db_run(db, "INSERT INTO account (name, hash, quota, admin, disabled, created, state) VALUES (?1, ?2, ?3, "
		"?4, 0, ?5, 0)",
		DB_TEXT(e->facts->name), DB_TEXT(e->facts->hash), DB_INT(e->facts->quota), DB_INT(e->facts->admin),
		DB_INT(e->number)));
	e->id = (uint64_t)db_last_row(db);
	TRY(rows_add_address(db, e->address.key, e->domain, &address));
	return db_run(db, "UPDATE address SET account = ?2 WHERE id = ?1", DB_INT(address), DB_INT(e->id));
}

static result check_new(struct account_edit *e)
{
	const struct book *b = &e->d->book;
	struct book_domain *domain = book_domain(b, e->address.domain);
	if (!domain)
		return failure(FAIL_ABSENT, "this server does not have the account's domain; add it first (postern domain "
			"add)");
	struct book_entry *taken = book_entry(b, e->address.key);
	if (taken && taken->fixed)
		return failure(FAIL_EXISTS, "this address exists in every domain; point it to an account with postern alias "
			"add");
	if (taken)
		return failure(FAIL_EXISTS, taken->account ? "there is such an account already" :
			"there is an alias of that name");
	if (e->facts->name.n > DIRECTORY_NAME_MAX || !str_is_utf8(e->facts->name))
		return failure(FAIL_INPUT, "the person's name is longer than 200 octets or no UTF-8");
	if (e->facts->hash.n > DIRECTORY_HASH_MAX)
		return failure(FAIL_INPUT, "the password's hash is longer than 256 octets");
	if (e->facts->quota > INT64_MAX)
		return failure(FAIL_INPUT, "the quota is larger than any disk");
	if (b->addresses.n >= BOOK_ADDRESSES)
		return failure(FAIL_LIMIT, "there are as many addresses as one server may have (10,000,000)");
	e->domain = domain->id;
	return OK;
}

result directory_begin_account(struct directory *d, const struct new_account *n, uint64_t *id)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct account_edit e = {.d = d, .facts = n, .number = (uint64_t)clock_wall_s()};
	TRY(address_parse(n->address, &a, &e.address));
	TRY(edit_begin(d));
	result r = check_new(&e);
	if (!failed(r))
		r = edit_commit(d, run_begin, NULL, &e);
	edit_end(d);
	if (r.kind == FAIL_EXISTS)
		return failure(FAIL_EXISTS, "there is such an account already, or it is being made or erased");
	if (!failed(r))
		*id = e.id;
	return r;
}

static result run_finish(struct db *db, void *arg)
{
	struct account_edit *e = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_run(db, "UPDATE account SET state = 1 WHERE id = ?1 AND state = 0", DB_INT(e->id)));
	if (db_changed(db) != 1)
		return failure(FAIL_CONFLICT, "the account is not being made");
	TRY(db_ask(db, &q, "SELECT address.id, key, admin, disabled, created FROM account"
		" JOIN address ON address.account = account.id WHERE account.id = ?1", DB_INT(e->id)));
	TRY(query_next(q, &row));
	str key = row ? query_bytes(q, 1) : (str){NULL, 0};
	if (!row || key.n > sizeof e->key)
		return failure(FAIL_DAMAGE, "an account in the directory has no address");
	memcpy(e->key, key.p, key.n);
	e->row = (struct book_new_account){
		.id = e->id, .entry = (uint64_t)query_int(q, 0), .key = str_of(e->key, key.n),
		.admin = query_int(q, 2) != 0, .disabled = query_int(q, 3) != 0, .created = query_int(q, 4)};
	return OK;
}

static void kept_finish(void *arg)
{
	struct account_edit *e = arg;
	(void)book_follows(e->d, book_add_account(&e->d->book, &e->row));
}

result directory_finish_account(struct directory *d, uint64_t id)
{
	struct account_edit e = {.d = d, .id = id};
	TRY(edit_begin(d));
	result r = edit_commit(d, run_finish, kept_finish, &e);
	edit_end(d);
	return r;
}

/* ---- erasing one ---- */

static result run_doom(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	int64_t address;
	TRY(db_run(db, "UPDATE account SET state = 2 WHERE id = ?1", DB_INT(e->id)));
	result r = db_get(db, &address, "SELECT id FROM address WHERE account = ?1", DB_INT(e->id));
	if (r.kind == FAIL_ABSENT)
		return OK;
	TRY(r);
	TRY(db_run(db, "DELETE FROM send_as WHERE account = ?1", DB_INT(e->id)));
	return rows_detach(db, (uint64_t)address);
}

static void kept_doom(void *arg)
{
	struct account_edit *e = arg;
	struct book_account *a = book_account(&e->d->book, e->id);
	if (a)
		book_remove_account(&e->d->book, a);
}

result directory_doom_account(struct directory *d, uint64_t id)
{
	struct account_edit e = {.d = d, .id = id};
	TRY(edit_begin(d));
	result r = edit_commit(d, run_doom, kept_doom, &e);
	edit_end(d);
	return r;
}

static result run_forget(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	return db_run(db, "DELETE FROM account WHERE id = ?1 AND state = 2", DB_INT(e->id));
}

result directory_forget_account(struct directory *d, uint64_t id)
{
	struct account_edit e = {.d = d, .id = id};
	return edit_commit(d, run_forget, NULL, &e);
}

static result run_leftover(struct db *db, void *arg)
{
	struct account_edit *e = arg;
	int64_t id;
	result r = db_get(db, &id, "SELECT id FROM account WHERE state <> 1 AND id > ?1 ORDER BY id LIMIT 1",
		DB_INT(e->id));
	e->id = failed(r) ? 0 : (uint64_t)id;
	return r.kind == FAIL_ABSENT ? OK : r;
}

result directory_next_leftover(struct directory *d, uint64_t after, uint64_t *id)
{
	struct account_edit e = {.id = after};
	TRY(directory_read(d, run_leftover, &e));
	*id = e.id;
	return OK;
}

/* ---- single facts ---- */

static result one_row(struct db *db)
{
	return db_changed(db) == 1 ? OK : failure(FAIL_ABSENT, "there is no such account any more");
}

static result run_hash(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	TRY(db_run(db, "UPDATE account SET hash = ?2 WHERE id = ?1 AND state = 1", DB_INT(e->id), DB_TEXT(e->text)));
	return one_row(db);
}

struct raise_job {
	uint64_t id;
	str old, text;
};

static result run_raise(struct db *db, void *arg)
{
	const struct raise_job *j = arg;
	return db_run(db, "UPDATE account SET hash = ?3 WHERE id = ?1 AND hash = ?2", DB_INT(j->id), DB_TEXT(j->old),
		DB_TEXT(j->text));
}

static result run_quota(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	TRY(db_run(db, "UPDATE account SET quota = ?2 WHERE id = ?1 AND state = 1", DB_INT(e->id), DB_INT(e->number)));
	return one_row(db);
}

static result run_disabled(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	TRY(db_run(db, "UPDATE account SET disabled = ?2 WHERE id = ?1 AND state = 1", DB_INT(e->id), DB_INT(e->number)));
	return one_row(db);
}

static void kept_disabled(void *arg)
{
	const struct account_edit *e = arg;
	struct book_account *a = book_account(&e->d->book, e->id);
	if (a)
		a->disabled = e->number != 0;
}

static result run_admin(struct db *db, void *arg)
{
	const struct account_edit *e = arg;
	TRY(db_run(db, "UPDATE account SET admin = ?2 WHERE id = ?1 AND state = 1", DB_INT(e->id), DB_INT(e->number)));
	return one_row(db);
}

static void kept_admin(void *arg)
{
	const struct account_edit *e = arg;
	struct book_account *a = book_account(&e->d->book, e->id);
	if (a)
		book_set_admin(&e->d->book, a, e->number != 0);
}

result directory_set_hash(struct directory *d, uint64_t id, str text)
{
	struct account_edit e = {.d = d, .id = id, .text = text};
	must(text.n <= DIRECTORY_HASH_MAX);
	return edit_commit(d, run_hash, NULL, &e);
}

result directory_raise_hash(struct directory *d, uint64_t id, str old, str text)
{
	struct raise_job j = {id, old, text};
	must(text.n <= DIRECTORY_HASH_MAX);
	return edit_commit(d, run_raise, NULL, &j);
}

result directory_set_quota(struct directory *d, uint64_t id, uint64_t octets)
{
	struct account_edit e = {.d = d, .id = id, .number = octets};
	if (octets > INT64_MAX)
		return failure(FAIL_INPUT, "the quota is larger than any disk");
	return edit_commit(d, run_quota, NULL, &e);
}

result directory_set_disabled(struct directory *d, uint64_t id, bool disabled)
{
	struct account_edit e = {.d = d, .id = id, .number = disabled};
	return edit_commit(d, run_disabled, kept_disabled, &e);
}

result directory_set_admin(struct directory *d, uint64_t id, bool admin)
{
	struct account_edit e = {.d = d, .id = id, .number = admin};
	return edit_commit(d, run_admin, kept_admin, &e);
}

/* ---- reading one ---- */

struct account_read {
	uint64_t id;
	struct account_record *out;
};

static result run_read(struct db *db, void *arg)
{
	const struct account_read *r = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT hash, name, quota FROM account WHERE id = ?1", DB_INT(r->id)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such account any more");
	str text = query_bytes(q, 0), name = query_bytes(q, 1);
	if (text.n > DIRECTORY_HASH_MAX || name.n > DIRECTORY_NAME_MAX)
		return failure(FAIL_DAMAGE, "an account in the directory has a longer hash or name than there may be");
	memset(r->out, 0, sizeof *r->out);
	memcpy(r->out->hash, text.p, text.n);
	memcpy(r->out->name, name.p, name.n);
	r->out->name_n = name.n;
	r->out->quota = (uint64_t)query_int(q, 2);
	return OK;
}

result directory_read_account(struct directory *d, uint64_t id, struct account_record *out)
{
	struct account_read r = {id, out};
	return directory_read(d, run_read, &r);
}
