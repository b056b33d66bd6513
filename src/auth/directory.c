#include "auth/directory.h"
#include "auth/directory_core.h"
#include "auth/signing_keys.h"

#include "base/mem.h"
#include "engine/files.h"
#include "run/secret.h"

static const char path[] = "directory.db";

/* References lead from address to address, so what names a removed one goes
 * with it. Every domain has its two fixed addresses as rows of its own. */
static const char *const steps[] = {
	"CREATE TABLE domain ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
	" catch_all INTEGER REFERENCES address(id) ON DELETE SET NULL);"
	"CREATE TABLE account ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, hash TEXT NOT NULL, quota INTEGER NOT NULL,"
	" admin INTEGER NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL);"
	"CREATE INDEX account_unfinished ON account(id) WHERE state <> 1;"
	"CREATE TABLE address ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, domain INTEGER NOT NULL REFERENCES domain(id),"
	" account INTEGER UNIQUE REFERENCES account(id) ON DELETE CASCADE, fixed INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX address_domain ON address(domain);"
	"CREATE TABLE target ("
	" alias INTEGER NOT NULL REFERENCES address(id) ON DELETE CASCADE,"
	" target INTEGER NOT NULL REFERENCES address(id) ON DELETE CASCADE,"
	" PRIMARY KEY (alias, target)) WITHOUT ROWID;"
	"CREATE INDEX target_back ON target(target);"
	"CREATE TABLE send_as ("
	" account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE, key TEXT NOT NULL,"
	" PRIMARY KEY (account, key)) WITHOUT ROWID;"
	"CREATE INDEX send_as_key ON send_as(key);",
	/* mail to the world: aliases that lead elsewhere, ways instead of the MX, keys of rewritten senders */
	"CREATE TABLE outside ("
	" alias INTEGER NOT NULL REFERENCES address(id) ON DELETE CASCADE, address TEXT NOT NULL,"
	" PRIMARY KEY (alias, address)) WITHOUT ROWID;"
	"CREATE TABLE route ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, match TEXT NOT NULL, host TEXT NOT NULL,"
	" port INTEGER NOT NULL, mx INTEGER NOT NULL, protocol INTEGER NOT NULL, tls INTEGER NOT NULL,"
	" user TEXT NOT NULL, password BLOB NOT NULL, UNIQUE (kind, match));"
	"CREATE TABLE forward_key (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, made INTEGER NOT NULL);"
	"CREATE TABLE long_sender ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL UNIQUE, day INTEGER NOT NULL);"
	"CREATE INDEX long_sender_day ON long_sender(day);",
	/* keys of DKIM: by the domain's name, since a key may outlive its domain until the vault has destroyed it */
	"CREATE TABLE dkim_key ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, domain TEXT NOT NULL, selector TEXT NOT NULL, algorithm INTEGER NOT NULL,"
	" name TEXT NOT NULL UNIQUE, public TEXT NOT NULL, state INTEGER NOT NULL, since INTEGER NOT NULL,"
	" UNIQUE (domain, selector));"
	"CREATE INDEX dkim_key_doomed ON dkim_key(id) WHERE state = 4;"
	/* the accounts' sending profiles (profile.h) */
	"CREATE TABLE sent ("
	" account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE, slot INTEGER NOT NULL,"
	" sent INTEGER NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (account, slot)) WITHOUT ROWID;"
	"CREATE TABLE correspondent ("
	" id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" mark INTEGER NOT NULL);"
	"CREATE INDEX correspondent_account ON correspondent(account);"
	"CREATE TABLE mark_key (key BLOB NOT NULL);",
	/* app passwords (app_passwords.h), and the key that SCRAM's salts are made with */
	"CREATE TABLE app_password ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" name TEXT NOT NULL, protocols INTEGER NOT NULL, networks TEXT NOT NULL, expires INTEGER NOT NULL,"
	" created INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, used_protocol INTEGER NOT NULL DEFAULT 0,"
	" used_from TEXT NOT NULL DEFAULT '', plain BLOB NOT NULL, grouped BLOB NOT NULL, UNIQUE (account, name));"
	"CREATE TABLE salt_key (key BLOB NOT NULL);",
	"ALTER TABLE domain ADD COLUMN signs INTEGER NOT NULL DEFAULT 1;",
	/* second factors (second_factor.h) and rules (rules.h) */
	"CREATE TABLE second_factor ("
	" account INTEGER PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE, secret BLOB NOT NULL,"
	" step INTEGER NOT NULL, since INTEGER NOT NULL);"
	"CREATE TABLE recovery_code ("
	" account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE, digest BLOB NOT NULL,"
	" PRIMARY KEY (account, digest)) WITHOUT ROWID;"
	"ALTER TABLE domain ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE rule ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" protocols INTEGER NOT NULL, networks TEXT NOT NULL, hours TEXT NOT NULL);"
	"CREATE INDEX rule_account ON rule(account);",
	/* rules by country: the codes, or, with others, all but these */
	"ALTER TABLE rule ADD COLUMN countries TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE rule ADD COLUMN others INTEGER NOT NULL DEFAULT 0;",
	/* devices without TLS, and devices with a certificate: rows that have a fingerprint and no verifiers */
	"ALTER TABLE app_password ADD COLUMN clear INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX app_password_clear ON app_password(id) WHERE clear <> 0;"
	"ALTER TABLE app_password ADD COLUMN serial BLOB;"
	"ALTER TABLE app_password ADD COLUMN fingerprint BLOB;"
	"CREATE UNIQUE INDEX app_password_fingerprint ON app_password(fingerprint) WHERE fingerprint IS NOT NULL;"
	"CREATE TABLE authority (certificate BLOB NOT NULL);",
	/* locked accounts and what opens them (openers.h) */
	"CREATE TABLE lock ("
	" account INTEGER PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE, state INTEGER NOT NULL,"
	" public BLOB NOT NULL);"
	"CREATE TABLE opener ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" kind INTEGER NOT NULL, app_password INTEGER REFERENCES app_password(id) ON DELETE CASCADE, cost BLOB NOT NULL,"
	" public BLOB NOT NULL, sealed BLOB NOT NULL);"
	"CREATE INDEX opener_account ON opener(account);"
	"CREATE INDEX opener_app_password ON opener(app_password);",
	/* accounts that somebody else seems to use (contain.h), and letters of the server's own on their way */
	"CREATE TABLE contained ("
	" account INTEGER PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE, since INTEGER NOT NULL);"
	"CREATE TABLE notice ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" delivery BLOB NOT NULL, made INTEGER NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL);"
	"CREATE INDEX notice_account ON notice(account);",
};
const struct db_schema directory_schema = {steps, sizeof steps / sizeof *steps};

bool book_follows(struct directory *d, result r)
{
	if (!failed(r))
		return true;
	d->behind = true;
	if (d->give_up)
		d->give_up(r);
	return false;
}

/* ---- reading it into the book ---- */

static result load_domains(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, name, signs, second_factor FROM domain ORDER BY id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(book_add_domain(b, (uint64_t)query_int(q, 0), query_bytes(q, 1)));
		book_domain(b, query_bytes(q, 1))->signs = query_int(q, 2) != 0;
		book_domain(b, query_bytes(q, 1))->second_factor = query_int(q, 3) != 0;
	}
}

static result load_accounts(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT account.id, address.id, key, admin, disabled, created,"
		" EXISTS (SELECT 1 FROM second_factor AS f WHERE f.account = account.id),"
		" (SELECT count(*) FROM rule AS r WHERE r.account = account.id),"
		" ifnull((SELECT l.state FROM lock AS l WHERE l.account = account.id), 0) FROM account"
		" JOIN address ON address.account = account.id WHERE state = 1 ORDER BY account.id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		struct book_new_account n = {
			.id = (uint64_t)query_int(q, 0), .entry = (uint64_t)query_int(q, 1), .key = query_bytes(q, 2),
			.admin = query_int(q, 3) != 0, .disabled = query_int(q, 4) != 0, .created = query_int(q, 5)};
		TRY(book_add_account(b, &n));
		book_account(b, n.id)->second_factor = query_int(q, 6) != 0;
		book_account(b, n.id)->rules = (size_t)query_int(q, 7);
		book_account(b, n.id)->lock = (unsigned)query_int(q, 8);
	}
}

static result load_aliases(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, key, fixed FROM address WHERE account IS NULL ORDER BY id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(book_add_alias(b, (uint64_t)query_int(q, 0), query_bytes(q, 1), query_int(q, 2) != 0));
	}
}

static result load_targets_of(struct db *db, struct book *b, struct book_entry *alias)
{
	struct query AUTO_QUERY *q = NULL;
	uint64_t targets[BOOK_TARGETS];
	size_t n = 0;
	bool row;
	TRY(db_ask(db, &q, "SELECT target FROM target WHERE alias = ?1 ORDER BY target", DB_INT(alias->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return book_set_targets(b, alias, targets, n);
		if (n == BOOK_TARGETS)
			return failure(FAIL_DAMAGE, "an alias in the directory has more targets than there may be");
		uint64_t id = (uint64_t)query_int(q, 0);
		if (book_entry_by_id(b, id)) /* not an account that is being erased */
			targets[n++] = id;
	}
}

static result load_outside_of(struct db *db, struct book_entry *alias)
{
	struct query AUTO_QUERY *q = NULL;
	AUTO_ARENA arena a = arena_new(BOOK_TARGETS * (ADDRESS_MAX + 64));
	str addresses[BOOK_TARGETS];
	size_t n = 0;
	bool row;
	TRY(db_ask(db, &q, "SELECT address FROM outside WHERE alias = ?1 ORDER BY address", DB_INT(alias->id)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			break;
		if (n == BOOK_TARGETS)
			return failure(FAIL_DAMAGE, "an alias in the directory has more targets than there may be");
		addresses[n++] = arena_dup(&a, query_bytes(q, 0));
		TRY(arena_result(&a));
	}
	return n > 0 ? book_set_outside(alias, addresses, n) : OK;
}

static result load_targets(struct db *db, struct book *b)
{
	LIST_EACH(n, &b->alias_list) {
		struct book_entry *alias = LIST_OWNER(n, struct book_entry, node);
		TRY(load_targets_of(db, b, alias));
		TRY(load_outside_of(db, alias));
	}
	return OK;
}

static result load_catch_alls(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT name, catch_all FROM domain WHERE catch_all IS NOT NULL"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		struct book_domain *d = book_domain(b, query_bytes(q, 0));
		d->catch_all = book_entry_by_id(b, (uint64_t)query_int(q, 1));
	}
}

static result load_grants(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT account, key FROM send_as"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		struct book_account *a = book_account(b, (uint64_t)query_int(q, 0));
		if (a)
			TRY(hash_put(&a->grants, query_bytes(q, 1), a));
	}
}

static result load(struct db *db, struct book *b)
{
	TRY(load_domains(db, b));
	TRY(signing_keys_load(db, b));
	TRY(load_accounts(db, b));
	TRY(load_aliases(db, b));
	TRY(load_targets(db, b));
	TRY(load_catch_alls(db, b));
	return load_grants(db, b);
}

/* ---- life ---- */

result directory_exists(struct files *f, bool *out)
{
	return files_exists(f, path, out);
}

static result open_in(struct directory *d, struct files *f, const unsigned char *key)
{
	static const unsigned char id[BOX_ID] = "directory";
	struct db_options o = {.files = f, .path = path, .key = key, .id = id, .schema = &directory_schema};
	struct db *db;
	TRY(db_open(&o, &db));
	int64_t last = 0;
	result r = load(db, &d->book);
	if (!failed(r))
		r = routes_load(db, &d->routes);
	if (!failed(r))
		r = forward_keys_load(db, &d->forward);
	if (!failed(r))
		r = db_get(db, &last, "SELECT coalesce(max(id), 0) FROM account");
	d->last_account = (uint64_t)last;
	if (failed(r)) {
		db_close(&db);
		return r;
	}
	return committer_open(&db, &committer_lull, &d->store);
}

result directory_open(struct files *f, const unsigned char key[DIRECTORY_KEY], struct directory **out)
{
	struct directory *d = mem_alloc(sizeof *d);
	if (!d)
		return failure(FAIL_MEMORY, "out of memory");
	book_init(&d->book);
	routes_init(&d->routes);
	gate_init(&d->edited);
	result r = open_in(d, f, key);
	if (failed(r))
		directory_close(&d);
	else
		*out = d;
	return r;
}

void directory_close(struct directory **at)
{
	struct directory *d = *at;
	*at = NULL;
	if (!d)
		return;
	committer_close(&d->store);
	book_free(&d->book);
	routes_free(&d->routes);
	secret_wipe(&d->forward, sizeof d->forward);
	mem_free(d);
}

/* ---- for the other files of the directory ---- */

result edit_begin(struct directory *d)
{
	while (d->editing)
		TRY(gate_wait(&d->edited, FIBER_FOREVER));
	if (d->behind) {
		gate_wake_one(&d->edited);
		return failure(FAIL_BUSY, "the directory ran out of memory and is starting anew; try again");
	}
	d->editing = true;
	return OK;
}

void edit_end(struct directory *d)
{
	d->editing = false;
	gate_wake_one(&d->edited);
}

result edit_commit(struct directory *d, result (*run)(struct db *db, void *arg), void (*kept)(void *arg), void *arg)
{
	const struct commit_job job = {.run = run, .kept = kept, .arg = arg, .writes = true};
	result r = committer_do(d->store, &job);
	if (r.kind == FAIL_DISK && d->give_up)
		d->give_up(r);
	if (!failed(r) && kept && d->changed)
		d->changed();
	return r;
}

result directory_read(struct directory *d, result (*run)(struct db *db, void *arg), void *arg)
{
	const struct commit_job job = {.run = run, .arg = arg};
	return committer_do(d->store, &job);
}

result directory_find_account(struct directory *d, str text, struct book_account **out)
{
	AUTO_ARENA arena a = arena_new(16384);
	struct address address;
	TRY(address_parse(text, &a, &address));
	struct book_entry *e = book_entry(&d->book, address.key);
	if (e && !e->account)
		return failure(FAIL_ABSENT, "this is an alias; name the account itself (postern alias list shows where it "
			"leads)");
	if (!e)
		return failure(FAIL_ABSENT, "there is no such account; postern account list shows those there are");
	*out = e->account;
	return OK;
}
