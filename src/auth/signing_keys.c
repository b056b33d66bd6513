#include "auth/signing_keys.h"

#include <stdio.h>

#include "auth/directory_core.h"
#include "base/mem.h"
#include "grammar/mime/date.h"
#include "run/random.h"

enum { SELECTOR_TRIES = 20, SECONDS_PER_DAY = 86400 };

/* ---- in memory ---- */

struct book_key *book_key(const struct book *b, uint64_t id)
{
	return hash_get_u64(&b->keys, id);
}

struct book_key *domain_key(const struct book_domain *d, enum key_state state, enum dkim_algorithm a)
{
	LIST_EACH(n, &d->keys) {
		struct book_key *k = LIST_OWNER(n, struct book_key, node);
		if (k->state == state && k->algorithm == a)
			return k;
	}
	return NULL;
}

static void forget(struct book *b, struct book_key *k)
{
	hash_remove_u64(&b->keys, k->id);
	list_remove(&k->node);
	mem_free(k);
}

void signing_keys_forget(struct book *b, struct book_domain *d)
{
	LIST_EACH_SAFE(n, &d->keys)
		forget(b, LIST_OWNER(n, struct book_key, node));
}

static result add(struct book *b, const struct book_key *from)
{
	struct book_key *k = mem_alloc(sizeof *k);
	if (!k)
		return failure(FAIL_MEMORY, "out of memory");
	*k = *from;
	list_init(&k->node);
	result r = hash_put_u64(&b->keys, k->id, k);
	if (failed(r)) {
		mem_free(k);
		return r;
	}
	list_insert(&k->domain->keys, &k->node);
	return OK;
}

static result read_row(const struct query *q, struct book *b, struct book_key *out)
{
	str selector = query_bytes(q, 3), name = query_bytes(q, 4);
	*out = (struct book_key){.id = (uint64_t)query_int(q, 0), .domain = book_domain(b, query_bytes(q, 1)),
		.algorithm = (enum dkim_algorithm)query_int(q, 2), .state = (enum key_state)query_int(q, 5),
		.since = query_int(q, 6), .selector_n = selector.n};
	if (selector.n > KEY_SELECTOR_MAX || name.n != KEY_NAME || !out->domain || out->algorithm > DKIM_ED25519_SHA256 ||
	    out->state > KEY_RETIRED)
		return failure(FAIL_DAMAGE, "a row of the signing keys in the directory is none");
	memcpy(out->selector, selector.p, selector.n);
	memcpy(out->name, name.p, name.n);
	return OK;
}

result signing_keys_load(struct db *db, struct book *b)
{
	struct query AUTO_QUERY *q = NULL;
	struct book_key k;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, domain, algorithm, selector, name, state, since FROM dkim_key WHERE state <> 4"
		" ORDER BY id"));
	for (;;) {
		TRY(query_next(q, &row));
		if (!row)
			return OK;
		TRY(read_row(q, b, &k));
		TRY(add(b, &k));
	}
}

/* ---- changes ---- */

struct key_edit {
	struct directory *d;
	str domain;
	str public;
	int64_t now;
	struct book_key key;     /* as it becomes */
	struct book_key pair[KEY_ALGORITHMS];
	struct book_key *retires;
};

/* Nothing of who receives where changes with a key, so no edge is told. */
static result commit(struct key_edit *e, result (*run)(struct db *, void *), void (*kept)(void *))
{
	const struct commit_job job = {.run = run, .kept = kept, .arg = e, .writes = true};
	result r = committer_do(e->d->store, &job);
	if (r.kind == FAIL_DISK && e->d->give_up)
		e->d->give_up(r);
	return r;
}

/* "20261122r5c": the day, the algorithm, and something that makes two of one day differ. */
static void name_key(struct book_key *k, int64_t now)
{
	struct date day = date_of_days(now / SECONDS_PER_DAY);
	unsigned char bytes[KEY_NAME / 2];
	int n = snprintf(k->selector, sizeof k->selector, "%04u%02u%02u%c%02x", day.year, day.month, day.day,
		k->algorithm == DKIM_RSA_SHA256 ? 'r' : 'e', random_below(256));
	must(n > 0 && (size_t)n < sizeof k->selector);
	k->selector_n = (size_t)n;
	random_fill(bytes, sizeof bytes);
	for (size_t i = 0; i < KEY_NAME; i++)
		k->name[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

static result run_begin(struct db *db, void *arg)
{
	struct key_edit *e = arg;
	for (size_t i = 0; i < KEY_ALGORITHMS; i++) {
		struct book_key *k = &e->pair[i];
		TRY(db_run(db, "INSERT INTO dkim_key (domain, selector, algorithm, name, public, state, since)"
			" VALUES (?1, ?2, ?3, ?4, '', ?5, ?6)", DB_TEXT(e->domain), DB_TEXT(key_selector(k)),
			DB_INT(k->algorithm), DB_TEXT(key_name(k)), DB_INT(KEY_BEGUN), DB_INT(e->now)));
		k->id = (uint64_t)db_last_row(db);
	}
	return OK;
}

static void kept_begin(void *arg)
{
	struct key_edit *e = arg;
	for (size_t i = 0; i < KEY_ALGORITHMS; i++)
		if (!book_follows(e->d, add(&e->d->book, &e->pair[i])))
			return;
}

static bool on_its_way(const struct book_domain *d)
{
	for (int a = 0; a < KEY_ALGORITHMS; a++)
		if (domain_key(d, KEY_BEGUN, (enum dkim_algorithm)a) || domain_key(d, KEY_PUBLISHED, (enum dkim_algorithm)a))
			return true;
	return false;
}

static result begin(struct key_edit *e)
{
	struct book_domain *domain = book_domain(&e->d->book, e->domain);
	result r = OK;
	if (!domain)
		return failure(FAIL_ABSENT, "this server has no such domain; postern domain list shows those it has");
	if (on_its_way(domain))
		return OK;
	for (int tried = 0; tried < SELECTOR_TRIES; tried++) {
		for (size_t i = 0; i < KEY_ALGORITHMS; i++) {
			e->pair[i] = (struct book_key){.domain = domain, .algorithm = (enum dkim_algorithm)i, .since = e->now};
			name_key(&e->pair[i], e->now);
		}
		r = commit(e, run_begin, kept_begin);
		if (r.kind != FAIL_EXISTS)
			break;
	}
	return r;
}

result directory_begin_keys(struct directory *d, str domain, int64_t now)
{
	struct key_edit e = {.d = d, .domain = domain, .now = now};
	TRY(edit_begin(d));
	result r = begin(&e);
	edit_end(d);
	return r;
}

static result run_set(struct db *db, void *arg)
{
	const struct key_edit *e = arg;
	if (e->public.n > 0)
		TRY(db_run(db, "UPDATE dkim_key SET public = ?2 WHERE id = ?1", DB_INT(e->key.id), DB_TEXT(e->public)));
	if (e->retires)
		TRY(db_run(db, "UPDATE dkim_key SET state = ?2, since = ?3 WHERE id = ?1", DB_INT(e->retires->id),
			DB_INT(KEY_RETIRED), DB_INT(e->now)));
	return db_run(db, "UPDATE dkim_key SET state = ?2, since = ?3 WHERE id = ?1", DB_INT(e->key.id),
		DB_INT(e->key.state), DB_INT(e->now));
}

static void kept_set(void *arg)
{
	struct key_edit *e = arg;
	struct book_key *k = book_key(&e->d->book, e->key.id);
	if (e->retires) {
		e->retires->state = KEY_RETIRED;
		e->retires->since = e->now;
	}
	k->state = e->key.state;
	k->since = e->now;
	if (k->state == KEY_DOOMED)
		forget(&e->d->book, k);
}

/* From one state only, so that what two fibers do at once is done once. */
static result set(struct key_edit *e, uint64_t id, enum key_state from, enum key_state to)
{
	struct book_key *k = book_key(&e->d->book, id);
	if (!k || k->state != from)
		return OK;
	struct book_key *active = domain_key(k->domain, KEY_ACTIVE, k->algorithm);
	e->key = *k;
	e->key.state = to == KEY_PUBLISHED && !active ? KEY_ACTIVE : to;
	e->retires = to == KEY_ACTIVE ? active : NULL;
	return commit(e, run_set, kept_set);
}

static result set_locked(struct key_edit *e, uint64_t id, enum key_state from, enum key_state to)
{
	TRY(edit_begin(e->d));
	result r = set(e, id, from, to);
	edit_end(e->d);
	return r;
}

result directory_finish_key(struct directory *d, uint64_t id, str public, int64_t now)
{
	struct key_edit e = {.d = d, .public = public, .now = now};
	return set_locked(&e, id, KEY_BEGUN, KEY_PUBLISHED);
}

result directory_turn_key(struct directory *d, uint64_t id, int64_t now)
{
	struct key_edit e = {.d = d, .now = now};
	return set_locked(&e, id, KEY_PUBLISHED, KEY_ACTIVE);
}

result directory_doom_key(struct directory *d, uint64_t id)
{
	struct key_edit e = {.d = d};
	return set_locked(&e, id, KEY_RETIRED, KEY_DOOMED);
}

/* ---- reading ---- */

struct key_look {
	uint64_t id;
	buf *public;
	struct doomed_key *doomed;
};

static result run_public(struct db *db, void *arg)
{
	struct key_look *l = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT public FROM dkim_key WHERE id = ?1", DB_INT(l->id)));
	TRY(query_next(q, &row));
	buf_clear(l->public);
	if (row)
		buf_put(l->public, query_bytes(q, 0));
	return row ? buf_result(l->public) : failure(FAIL_ABSENT, "there is no such signing key");
}

result directory_read_public(struct directory *d, uint64_t id, buf *out)
{
	struct key_look l = {.id = id, .public = out};
	return directory_read(d, run_public, &l);
}

static result run_doomed(struct db *db, void *arg)
{
	struct key_look *l = arg;
	struct query AUTO_QUERY *q = NULL;
	bool row;
	TRY(db_ask(db, &q, "SELECT id, name FROM dkim_key WHERE state = 4 AND id > ?1 ORDER BY id LIMIT 1", DB_INT(l->id)));
	TRY(query_next(q, &row));
	*l->doomed = (struct doomed_key){.id = row ? (uint64_t)query_int(q, 0) : 0};
	if (!row)
		return OK;
	str name = query_bytes(q, 1);
	if (name.n != KEY_NAME)
		return failure(FAIL_DAMAGE, "a row of the signing keys in the directory is none");
	memcpy(l->doomed->name, name.p, name.n);
	return OK;
}

result directory_next_doomed(struct directory *d, uint64_t after, struct doomed_key *out)
{
	struct key_look l = {.id = after, .doomed = out};
	return directory_read(d, run_doomed, &l);
}

static result run_forget(struct db *db, void *arg)
{
	const struct key_edit *e = arg;
	return db_run(db, "DELETE FROM dkim_key WHERE id = ?1 AND state = 4", DB_INT(e->key.id));
}

result directory_forget_key(struct directory *d, uint64_t id)
{
	struct key_edit e = {.d = d, .key = {.id = id}};
	return commit(&e, run_forget, NULL);
}
