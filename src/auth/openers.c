#include "auth/openers.h"

#include "auth/directory_core.h"
#include "engine/seal_box.h"

enum { COST = 16 + 4 + 8 };

static void put_cost(const struct opener_cost *c, unsigned char out[COST])
{
	memcpy(out, c->salt, sizeof c->salt);
	box_put_u32(out + 16, c->passes);
	box_put_u64(out + 20, c->memory);
}

static result take_cost(str b, struct opener_cost *out)
{
	if (b.n != COST)
		return failure(FAIL_DAMAGE, "an opener in the directory has a salt of another length");
	memcpy(out->salt, b.p, sizeof out->salt);
	out->passes = box_get_u32((const unsigned char *)b.p + 16);
	out->memory = box_get_u64((const unsigned char *)b.p + 20);
	return OK;
}

static str public_bytes(const struct owner_public *p)
{
	return str_of((const char *)p->b, sizeof p->b);
}

static result take_public(str b, struct owner_public *out)
{
	if (b.n != sizeof out->b)
		return failure(FAIL_DAMAGE, "a key in the directory has another length");
	memcpy(out->b, b.p, b.n);
	return OK;
}

/* ---- reading ---- */

struct read_job {
	uint64_t account;
	struct account_lock *out;
};

static result read_state(struct db *db, uint64_t account, struct account_lock *out)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT state, public FROM lock WHERE account = ?1", DB_INT(account)));
	TRY(query_next(q, &row));
	if (!row)
		return OK;
	out->state = (enum lock_state)query_int(q, 0);
	if (out->state > LOCK_RELEASING)
		return failure(FAIL_DAMAGE, "a lock in the directory has an unknown state");
	return take_public(query_bytes(q, 1), &out->public);
}

static result read_opener(const struct query *q, struct opener *o)
{
	*o = (struct opener){.id = (uint64_t)query_int(q, 0), .kind = (enum opener_kind)query_int(q, 1),
		.app_password = (uint64_t)query_int(q, 2)};
	TRY(take_cost(query_bytes(q, 3), &o->cost));
	TRY(take_public(query_bytes(q, 4), &o->public));
	str box = query_bytes(q, 5);
	o->sealed = box.n == sizeof o->box;
	if (o->sealed)
		memcpy(o->box, box.p, box.n);
	return OK;
}

static result run_read(struct db *db, void *arg)
{
	const struct read_job *j = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	j->out->n = 0;
	j->out->state = LOCK_NONE;
	TRY(read_state(db, j->account, j->out));
	TRY(db_ask(db, &q, "SELECT id, kind, ifnull(app_password, 0), cost, public, sealed FROM opener WHERE account = ?1"
		" ORDER BY id", DB_INT(j->account)));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		if (j->out->n == OPENERS_MAX)
			return failure(FAIL_DAMAGE, "an account in the directory has more openers than there may be");
		TRY(read_opener(q, &j->out->v[j->out->n]));
		j->out->n++;
	}
}

result lock_read(struct directory *d, uint64_t account, arena *a, struct account_lock *out)
{
	struct read_job j = {account, out};
	*out = (struct account_lock){.v = arena_array(a, OPENERS_MAX, sizeof *out->v)};
	return out->v ? directory_read(d, run_read, &j) : arena_result(a);
}

/* ---- writing ---- */

result opener_insert(struct db *db, uint64_t account, const struct opener *o)
{
	unsigned char cost[COST];
	put_cost(&o->cost, cost);
	return db_run(db, "INSERT INTO opener (account, kind, app_password, cost, public, sealed) VALUES"
		" (?1, ?2, nullif(?3, 0), ?4, ?5, ?6)", DB_INT(account), DB_INT(o->kind), DB_INT(o->app_password),
		DB_BLOB(str_of((const char *)cost, sizeof cost)), DB_BLOB(public_bytes(&o->public)),
		DB_BLOB(str_of((const char *)o->box, o->sealed ? sizeof o->box : 0)));
}

static result put_opener(struct db *db, uint64_t account, const struct opener *o)
{
	if (o->id)
		return db_run(db, "UPDATE opener SET sealed = ?2 WHERE id = ?1", DB_INT(o->id),
			DB_BLOB(str_of((const char *)o->box, o->sealed ? sizeof o->box : 0)));
	if (o->kind != OPENER_APP)
		TRY(db_run(db, "DELETE FROM opener WHERE account = ?1 AND kind = ?2", DB_INT(account), DB_INT(o->kind)));
	return opener_insert(db, account, o);
}

struct put_job {
	struct directory *d;
	const struct lock_change *c;
};

static result unchanged(struct db *db, const struct lock_change *c)
{
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT hash, ifnull((SELECT state FROM lock WHERE account = account.id), 0) FROM account"
		" WHERE id = ?1 AND state = 1", DB_INT(c->account)));
	TRY(query_next(q, &row));
	if (!row)
		return failure(FAIL_ABSENT, "there is no such account any more");
	if (query_int(q, 1) != (int64_t)c->from || (c->had.n && !str_eq(c->had, query_bytes(q, 0))))
		return failure(FAIL_CONFLICT, "the account was changed meanwhile; try again");
	return OK;
}

static result run_put(struct db *db, void *arg)
{
	const struct lock_change *c = ((const struct put_job *)arg)->c;
	TRY(unchanged(db, c));
	TRY(db_run(db, "INSERT INTO lock (account, state, public) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (account) DO UPDATE SET state = ?2, public = ?3", DB_INT(c->account), DB_INT(c->state),
		DB_BLOB(public_bytes(&c->public))));
	for (size_t i = 0; i < c->n; i++)
		TRY(put_opener(db, c->account, &c->v[i]));
	return c->hash.n ? db_run(db, "UPDATE account SET hash = ?2 WHERE id = ?1", DB_INT(c->account), DB_TEXT(c->hash))
			 : OK;
}

static void kept_put(void *arg)
{
	const struct put_job *j = arg;
	struct book_account *who = book_account(&j->d->book, j->c->account);
	if (who)
		who->lock = j->c->state;
}

result lock_put(struct directory *d, const struct lock_change *c)
{
	struct put_job j = {d, c};
	must(c->hash.n <= DIRECTORY_HASH_MAX);
	return edit_commit(d, run_put, kept_put, &j);
}

struct drop_job {
	struct directory *d;
	uint64_t account;
};

static result run_drop(struct db *db, void *arg)
{
	const struct drop_job *j = arg;
	TRY(db_run(db, "DELETE FROM lock WHERE account = ?1", DB_INT(j->account)));
	TRY(db_run(db, "UPDATE opener SET sealed = x'' WHERE account = ?1", DB_INT(j->account)));
	return db_run(db, "DELETE FROM opener WHERE account = ?1 AND kind <> ?2", DB_INT(j->account), DB_INT(OPENER_APP));
}

static void kept_drop(void *arg)
{
	const struct drop_job *j = arg;
	struct book_account *who = book_account(&j->d->book, j->account);
	if (who)
		who->lock = LOCK_NONE;
}

result lock_drop(struct directory *d, uint64_t account)
{
	struct drop_job j = {d, account};
	return edit_commit(d, run_drop, kept_drop, &j);
}
