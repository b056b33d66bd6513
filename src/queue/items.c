#include "queue/items.h"
#include "queue/items_core.h"

#include <unistd.h>

#include "run/clock.h"
#include "run/memfd.h"
#include "run/random.h"

enum { CHUNK = 1 << 20 };

/* The bytes lie apart from what changes with every attempt. */
static const char *const steps[] = {
	"CREATE TABLE item ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, delivery BLOB NOT NULL, account INTEGER NOT NULL,"
	" sender BLOB NOT NULL, recipient BLOB NOT NULL, size INTEGER NOT NULL, octets INTEGER NOT NULL,"
	" state INTEGER NOT NULL, attempts INTEGER NOT NULL, deaths INTEGER NOT NULL,"
	" kept INTEGER NOT NULL, next INTEGER NOT NULL, why BLOB NOT NULL, UNIQUE (delivery, account));"
	"CREATE INDEX item_line ON item(account, state, next);"
	"CREATE INDEX item_state ON item(state);"
	"CREATE TABLE content ("
	" item INTEGER PRIMARY KEY REFERENCES item(id) ON DELETE CASCADE,"
	" wrapped BLOB NOT NULL, body BLOB, sealed BLOB);"
	"CREATE INDEX content_body ON content(body) WHERE body IS NOT NULL;",
	/* What the sender asked of reports (RFC 3461). */
	"ALTER TABLE item ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE item ADD COLUMN ret INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE item ADD COLUMN envid BLOB NOT NULL DEFAULT x'';"
	"ALTER TABLE item ADD COLUMN orcpt BLOB NOT NULL DEFAULT x'';",
	"ALTER TABLE item ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;" /* FUTURERELEASE */
	/* Mail for other servers. Times are milliseconds; `turn` is the sender, as the
	 * traffic knows it; states and `tell` are in queue/mail.h. A recipient's
	 * number is taken from the items' sequence. */
	"INSERT INTO sqlite_sequence (name, seq) SELECT 'item', 0"
	" WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'item');"
	"CREATE TABLE message ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, delivery BLOB NOT NULL UNIQUE, account INTEGER NOT NULL,"
	" sender BLOB NOT NULL, turn INTEGER NOT NULL, size INTEGER NOT NULL, octets INTEGER NOT NULL,"
	" arrived INTEGER NOT NULL, received INTEGER NOT NULL, ret INTEGER NOT NULL, envid BLOB NOT NULL,"
	" flags INTEGER NOT NULL, hold_until INTEGER NOT NULL, deliver_by INTEGER NOT NULL, by_return INTEGER NOT NULL,"
	" told INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, alarm INTEGER NOT NULL,"
	" wrapped BLOB NOT NULL, body BLOB);"
	"CREATE INDEX message_alarm ON message(alarm);"
	"CREATE INDEX message_body ON message(body) WHERE body IS NOT NULL;"
	"CREATE TABLE sealed (message INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE, bytes BLOB NOT NULL);"
	"CREATE TABLE recipient ("
	" id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE,"
	" address BLOB NOT NULL, notify INTEGER NOT NULL, orcpt BLOB NOT NULL, route INTEGER NOT NULL,"
	" destination BLOB NOT NULL, turn INTEGER NOT NULL, state INTEGER NOT NULL, tell INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL, last INTEGER NOT NULL DEFAULT 0,"
	" code INTEGER NOT NULL DEFAULT 0, status BLOB NOT NULL DEFAULT x'', text BLOB NOT NULL DEFAULT x'',"
	" host BLOB NOT NULL DEFAULT x'', advice INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX recipient_line ON recipient(route, destination, turn, next, id) WHERE state = 0;"
	"CREATE INDEX recipient_message ON recipient(message);"
	"CREATE INDEX recipient_tell ON recipient(message, id) WHERE tell <> 0;"
	"CREATE TABLE suppressed ("
	" address BLOB PRIMARY KEY, hits INTEGER NOT NULL, last INTEGER NOT NULL, until INTEGER NOT NULL,"
	" status BLOB NOT NULL, text BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE tls_day ("
	" day INTEGER NOT NULL, policy_domain BLOB NOT NULL, what BLOB NOT NULL, sessions INTEGER NOT NULL,"
	" policy_type BLOB NOT NULL, policy BLOB NOT NULL, host BLOB NOT NULL, address BLOB NOT NULL,"
	" local BLOB NOT NULL, result BLOB NOT NULL, detail BLOB NOT NULL,"
	" PRIMARY KEY (day, policy_domain, what)) WITHOUT ROWID;",
	/* `routes`: the number of auth's table that the rows go by. Suppressed addresses are in one form. */
	"CREATE TABLE known (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO known (name, value) VALUES ('routes', 0);"
	"UPDATE OR REPLACE suppressed SET address = CAST(lower(CAST(address AS TEXT)) AS BLOB);",
	/* Accounts whose mail to other servers is held (contain.h). */
	("CREATE TABLE contained (account INTEGER PRIMARY KEY, since INTEGER NOT NULL);"
	 "CREATE INDEX message_account ON message(account) WHERE account > 0;"),
};
const struct db_schema items_schema = {steps, sizeof steps / sizeof *steps};

result items_commit(struct queue *q, const struct commit_job *job)
{
	result r = committer_do(q->store, job);
	if (r.kind == FAIL_DISK)
		q->world->give_up(r);
	return r;
}

result items_write(struct queue *q, result (*run)(struct db *db, void *arg), void (*kept)(void *arg), void *arg)
{
	const struct commit_job job = {.run = run, .kept = kept, .arg = arg, .writes = true};
	return items_commit(q, &job);
}

result items_read(struct queue *q, result (*run)(struct db *db, void *arg), void *arg)
{
	const struct commit_job job = {.run = run, .arg = arg};
	return committer_do(q->store, &job);
}

uint64_t items_soon(const struct queue *q, unsigned unreached)
{
	const struct backoff soon = {q->retry.first / QUEUE_SOON + 1, q->retry.most};
	return schedule_backoff(&soon, unreached, random_below(1024));
}

uint64_t items_when(int64_t wall_ms)
{
	int64_t ahead = wall_ms - clock_wall_ms();
	uint64_t now = clock_mono_ms();
	return ahead <= 0 || ahead > SCHEDULE_WAIT_MOST ? now : now + (uint64_t)ahead;
}

/* ---- at start ---- */

result items_recover(struct db *db)
{
	return db_run(db, "UPDATE item SET state = 0, attempts = attempts + 1 WHERE state = 1");
}

result items_load_lines(struct db *db, struct queue *q)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT account, min(next) FROM item WHERE state = 0 GROUP BY account"));
	for (;;) {
		struct line *l;
		TRY(query_next(rows, &row));
		if (!row)
			return OK;
		TRY(schedule_line(&q->schedule, (uint64_t)query_int(rows, 0), &l));
		schedule_hasten(&q->schedule, l, items_when(query_int(rows, 1)));
	}
}

struct sweep {
	hash names;
	result r;
};

static result remember_name(struct sweep *s, str bytes)
{
	struct blob_key key;
	struct blob_name name;
	if (bytes.n != sizeof key.b)
		return failure(FAIL_DAMAGE, "a queued item names no file");
	memcpy(key.b, bytes.p, sizeof key.b);
	blob_name_of(&key, &name);
	return hash_put(&s->names, str_from(name.text), s);
}

static bool wanted(void *ctx, str name)
{
	const struct sweep *s = ctx;
	return hash_get(&s->names, name) != NULL;
}

static result load_names(struct db *db, struct sweep *s)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT body FROM content WHERE body IS NOT NULL"
		" UNION ALL SELECT body FROM message WHERE body IS NOT NULL"));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return OK;
		TRY(remember_name(s, query_bytes(rows, 0)));
	}
}

result items_sweep(struct queue *q, struct db *db)
{
	struct sweep s = {.names = hash_new(SCHEDULE_LINES)};
	result r = load_names(db, &s);
	if (!failed(r))
		r = engine_sweep_bodies(q->engine, wanted, &s);
	hash_free(&s.names);
	return r;
}

/* ---- keeping ---- */

static result run_put_body(struct db *db, void *arg)
{
	struct keeping *k = arg;
	(void)db;
	return engine_put_body(k->q->engine, k->m->sealed.bytes, &k->body);
}

int64_t items_ms_of(int64_t seconds)
{
	return seconds > 0 && seconds < INT64_MAX / 1000 ? seconds * 1000 : 0;
}

result keeping_insert(struct db *db, struct keeping *k)
{
	const struct edge_queue_keep *m = k->m;
	k->id = 0;
	TRY(db_run(db, "INSERT OR IGNORE INTO item (delivery, account, sender, recipient, size, octets, state, attempts,"
		" deaths, kept, next, why, notify, ret, envid, orcpt, hold)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, x'', ?11, ?12, ?13, ?14, ?15)",
		DB_BLOB(str_of((const char *)m->delivery.b, sizeof m->delivery.b)), DB_INT(m->account), DB_BLOB(m->sender),
		DB_BLOB(m->recipient), DB_INT(m->size), DB_INT(m->sealed.bytes.n), DB_INT(k->state), DB_INT(m->deaths),
		DB_INT(k->now), DB_INT(k->next), DB_INT(m->notify), DB_INT(m->ret), DB_BLOB(m->envid), DB_BLOB(m->orcpt),
		DB_INT(items_ms_of(m->hold_until))));
	if (db_changed(db) == 0)
		return OK;
	uint64_t id = (uint64_t)db_last_row(db);
	struct db_arg file = DB_NULL, bytes = DB_NULL;
	if (k->in_file)
		file = DB_BLOB(str_of((const char *)k->body.b, sizeof k->body.b));
	else
		bytes = DB_BLOB(m->sealed.bytes);
	TRY(db_run(db, "INSERT INTO content (item, wrapped, body, sealed) VALUES (?1, ?2, ?3, ?4)",
		DB_INT(id), DB_BLOB(m->wrapped), file, bytes));
	k->id = id;
	return OK;
}

void keeping_kept(struct keeping *k)
{
	struct line *l;
	if (k->id == 0 || k->state != ITEM_WAITING)
		return;
	/* Without memory for a line the item waits for the next start. */
	if (!failed(schedule_line(&k->q->schedule, k->m->account, &l)))
		schedule_hasten(&k->q->schedule, l, items_when(k->next));
	gate_wake_all(&k->q->changed);
}

result keeping_prepare(struct keeping *k)
{
	k->now = clock_wall_ms();
	k->next = k->now + (int64_t)items_soon(k->q, 1);
	if (items_ms_of(k->m->hold_until) > k->now)
		k->next = items_ms_of(k->m->hold_until);
	k->in_file = k->m->sealed.bytes.n > QUEUE_INLINE;
	k->state = k->m->deaths >= QUEUE_DEATHS ? ITEM_QUARANTINE : ITEM_WAITING;
	return k->in_file ? items_read(k->q, run_put_body, k) : OK;
}

static result run_keep(struct db *db, void *arg)
{
	return keeping_insert(db, arg);
}

static void kept_keep(void *arg)
{
	keeping_kept(arg);
}

result items_keep(struct queue *q, const struct edge_queue_keep *m, uint64_t *item)
{
	struct keeping k = {.q = q, .m = m};
	TRY(keeping_prepare(&k));
	result r = items_write(q, run_keep, kept_keep, &k);
	if (k.in_file && (failed(r) || k.id == 0))
		items_drop_body(q, &k.body, r);
	*item = k.id;
	return r;
}

/* ---- loading ---- */

struct loading {
	struct queue *q;
	const struct item *item;
	struct item_content *out;
	int fd; /* of one kept in a file */
};

static result copy_body(struct loading *l, struct blob *b)
{
	AUTO_BUF buf chunk = buf_new(CHUNK);
	TRY(memfd_create_empty("item", &l->fd));
	for (uint64_t at = 0; at < blob_size(b); at += CHUNK) {
		buf_clear(&chunk);
		TRY(blob_read(b, at, CHUNK, &chunk));
		TRY(memfd_append(l->fd, buf_str(&chunk)));
	}
	return memfd_seal(l->fd);
}

static result load_file(struct loading *l, str bytes)
{
	struct blob AUTO_BLOB *b = NULL;
	struct blob_key key;
	if (bytes.n != sizeof key.b)
		return failure(FAIL_DAMAGE, "a queued item names no file");
	memcpy(key.b, bytes.p, sizeof key.b);
	TRY(engine_open_body(l->q->engine, &key, &b));
	return copy_body(l, b);
}

static result run_load(struct db *db, void *arg)
{
	struct loading *l = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT wrapped, body, sealed FROM content WHERE item = ?1", DB_INT(l->item->id)));
	TRY(query_next(rows, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the item's content is missing");
	str wrapped = query_bytes(rows, 0);
	if (wrapped.n > sizeof l->out->wrapped)
		return failure(FAIL_DAMAGE, "a queued item's key is longer than it may be");
	memcpy(l->out->wrapped, wrapped.p, wrapped.n);
	l->out->wrapped_n = wrapped.n;
	if (!query_is_null(rows, 1))
		return load_file(l, query_bytes(rows, 1));
	buf_put(&l->out->bytes, query_bytes(rows, 2));
	return buf_result(&l->out->bytes);
}

result items_load(struct queue *q, const struct item *i, struct item_content *out)
{
	struct loading l = {.q = q, .item = i, .out = out, .fd = -1};
	*out = (struct item_content){.bytes = buf_new(QUEUE_INLINE)};
	result r = items_read(q, run_load, &l);
	if (l.fd >= 0 && !failed(r))
		r = body_map(l.fd, i->octets, &out->sealed);
	else if (l.fd >= 0)
		close(l.fd);
	else
		out->sealed = body_of(buf_str(&out->bytes));
	if (failed(r))
		items_content_free(out);
	return r;
}

struct fetching {
	struct loading loading;
	const struct blob_key *key;
};

static result run_fetch(struct db *db, void *arg)
{
	struct fetching *f = arg;
	(void)db;
	return load_file(&f->loading, str_of((const char *)f->key->b, sizeof f->key->b));
}

result items_load_file(struct queue *q, const struct blob_key *key, uint64_t octets, struct body *out)
{
	struct fetching f = {.loading = {.q = q, .fd = -1}, .key = key};
	result r = items_read(q, run_fetch, &f);
	if (!failed(r))
		return body_map(f.loading.fd, octets, out);
	if (f.loading.fd >= 0)
		close(f.loading.fd);
	return r;
}

void items_content_free(struct item_content *c)
{
	body_free(&c->sealed);
	buf_free(&c->bytes);
}
