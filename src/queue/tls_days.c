#include "queue/tls_days.h"

#include <sodium.h>

#include "base/mem.h"
#include "queue/items_core.h"
#include "run/clock.h"
#include "talk/web_queue.h"

enum { KEY_MAX = 6000, PARTS = 8, NAME = 16, DAY_S = 86400 };

/* A count, and behind it the octets of its outcome's parts, which are its key. */
struct count {
	int64_t day;
	uint64_t sessions;
	struct queue_relay_tls_outcome what;
	char octets[];
};

static void parts_of(struct queue_relay_tls_outcome *o, str *out[PARTS])
{
	str *const parts[PARTS] = {&o->policy_type, &o->policy_domain, &o->policy, &o->host, &o->address, &o->local,
		&o->result, &o->detail};
	memcpy(out, parts, sizeof parts);
}

int64_t tls_days_today(void)
{
	return clock_wall_s() / DAY_S;
}

void tls_days_init(struct tls_days *d)
{
	d->counts = hash_new(TLS_DAYS_MEMORY);
	gate_init(&d->some);
	gate_init(&d->tell);
}

void tls_days_free(struct tls_days *d)
{
	hash_free_values(&d->counts);
}

/* ---- counted ---- */

static bool key_of(const struct queue_relay_tls_outcome *what, int64_t day, buf *key)
{
	struct queue_relay_tls_outcome o = *what;
	str *parts[PARTS];
	parts_of(&o, parts);
	buf_put(key, str_of((const char *)&day, sizeof day));
	for (size_t i = 0; i < PARTS; i++) {
		buf_put(key, *parts[i]);
		buf_putc(key, '\0');
	}
	return !failed(buf_result(key));
}

static struct count *count_of(str key, const struct queue_relay_tls_outcome *what, int64_t day)
{
	struct count *c = mem_alloc(sizeof *c + key.n);
	str *parts[PARTS];
	size_t at = sizeof day;
	if (!c)
		return NULL;
	memcpy(c->octets, key.p, key.n);
	c->day = day;
	c->what = *what;
	parts_of(&c->what, parts);
	for (size_t i = 0; i < PARTS; i++) {
		parts[i]->p = c->octets + at;
		at += parts[i]->n + 1;
	}
	return c;
}

static void note_one(struct tls_days *d, const struct queue_relay_tls_outcome *what)
{
	AUTO_BUF buf key = buf_new(KEY_MAX);
	int64_t day = tls_days_today();
	if (!key_of(what, day, &key))
		return;
	struct count *c = hash_get(&d->counts, buf_str(&key));
	if (!c) {
		c = count_of(buf_str(&key), what, day);
		if (!c || failed(hash_put(&d->counts, buf_str(&key), c))) {
			mem_free(c);
			return;
		}
	}
	c->sessions++;
	gate_wake_all(&d->some);
}

void tls_days_note(struct tls_days *d, const struct queue_relay_tls_outcome *what, size_t n)
{
	for (size_t i = 0; i < n && !d->off; i++)
		note_one(d, &what[i]);
}

/* ---- written down ---- */

static result write_one(struct db *db, str key, const struct count *c)
{
	unsigned char name[NAME];
	const struct queue_relay_tls_outcome *o = &c->what;
	crypto_generichash(name, sizeof name, (const unsigned char *)key.p, key.n, NULL, 0);
	return db_run(db, "INSERT INTO tls_day (day, policy_domain, what, sessions, policy_type, policy, host, address,"
		" local, result, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT (day, policy_domain, what) DO UPDATE SET sessions = sessions + ?4", DB_INT(c->day),
		DB_BLOB(o->policy_domain), DB_BLOB(str_of((const char *)name, sizeof name)), DB_INT(c->sessions),
		DB_BLOB(o->policy_type), DB_BLOB(o->policy), DB_BLOB(o->host), DB_BLOB(o->address), DB_BLOB(o->local),
		DB_BLOB(o->result), DB_BLOB(o->detail));
}

static result run_flush(struct db *db, void *arg)
{
	struct tls_days *d = arg;
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&d->counts, &at, &key, &value))
		TRY(write_one(db, key, value));
	return db_run(db, "DELETE FROM tls_day WHERE day < ?1", DB_INT(tls_days_today() - TLS_DAYS_KEPT));
}

/* The counts are the thread's until they are written: new ones gather apart. */
result tls_days_flush(struct queue *q)
{
	struct tls_days taken = {.counts = q->out.tls.counts};
	q->out.tls.counts = hash_new(TLS_DAYS_MEMORY);
	result r = taken.counts.n > 0 ? items_write(q, run_flush, NULL, &taken) : OK;
	if (failed(r))
		log_event(EV_STORE_FULL, NULL, F_STR("why", STR("counts for TLS reports were lost")));
	tls_days_free(&taken);
	return r;
}

static void flush(struct queue *q)
{
	result r = tls_days_flush(q);
	(void)r; /* it has said so */
}

void tls_days_run(struct queue *q)
{
	struct tls_days *d = &q->out.tls;
	for (;;) {
		result r = d->counts.n > 0 ? fiber_sleep(TLS_DAYS_FLUSH_MS) : gate_wait(&d->some, FIBER_FOREVER);
		if (r.kind == FAIL_CANCELLED)
			break;
		if (d->counts.n > 0)
			flush(q);
	}
	flush(q);
}

/* ---- read ---- */

struct reading {
	int64_t day;
	str after;
	arena *arena;
	struct tls_day *out;
};

static void read_row(struct reading *r, const struct query *q)
{
	struct tls_row *row = &r->out->rows[r->out->n++];
	str *parts[PARTS];
	*row = (struct tls_row){.sessions = (uint64_t)query_int(q, PARTS),
		.name = arena_dup(r->arena, query_bytes(q, PARTS + 1))};
	parts_of(&row->what, parts);
	for (int i = 0; i < PARTS; i++)
		*parts[i] = arena_dup(r->arena, query_bytes(q, i));
}

static result find_domain(struct db *db, struct reading *r)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT policy_domain FROM tls_day WHERE day = ?1 AND policy_domain > ?2"
		" ORDER BY policy_domain LIMIT 1", DB_INT(r->day), DB_BLOB(r->after)));
	TRY(query_next(rows, &row));
	r->out->domain = row ? arena_dup(r->arena, query_bytes(rows, 0)) : (str){0};
	return arena_result(r->arena);
}

static result run_next(struct db *db, void *arg)
{
	struct reading *r = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	*r->out = (struct tls_day){0};
	TRY(find_domain(db, r));
	if (r->out->domain.n == 0)
		return OK;
	r->out->rows = arena_array(r->arena, TLS_DAYS_ROWS, sizeof *r->out->rows);
	if (!r->out->rows)
		return arena_result(r->arena);
	TRY(db_ask(db, &rows, "SELECT policy_type, policy_domain, policy, host, address, local, result, detail, sessions,"
		" what"
		" FROM tls_day WHERE day = ?1 AND policy_domain = ?2 ORDER BY sessions DESC LIMIT ?3", DB_INT(r->day),
		DB_BLOB(r->out->domain), DB_INT(TLS_DAYS_ROWS)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(r->arena);
		read_row(r, rows);
	}
}

result tls_days_next(struct queue *q, struct tls_from from, arena *a, struct tls_day *out)
{
	struct reading r = {from.day, from.after, a, out};
	return items_read(q, run_next, &r);
}

static result run_oldest(struct db *db, void *arg)
{
	int64_t *day = arg;
	result r = db_get(db, day, "SELECT day FROM tls_day WHERE day <= ?1 ORDER BY day LIMIT 1", DB_INT(*day));
	if (r.kind != FAIL_ABSENT)
		return r;
	*day = -1;
	return OK;
}

result tls_days_oldest(struct queue *q, int64_t most, int64_t *day)
{
	*day = most;
	return items_read(q, run_oldest, day);
}

static result run_forget(struct db *db, void *arg)
{
	const struct reading *r = arg;
	return db_run(db, "DELETE FROM tls_day WHERE day = ?1 AND policy_domain = ?2", DB_INT(r->day), DB_BLOB(r->after));
}

result tls_days_forget(struct queue *q, int64_t day, str domain)
{
	struct reading r = {.day = day, .after = domain};
	return items_write(q, run_forget, NULL, &r);
}

/* ---- shown ---- */

struct listing {
	int64_t day;
	str domain;
	arena *arena;
	struct web_queue_tls_row *rows;
	size_t n;
};

static void list_row(struct listing *l, const struct query *q)
{
	AUTO_BUF buf b = buf_new(WEB_QUEUE_TLS_ROW_REPORT_MAX);
	struct web_queue_tls_row *row = &l->rows[l->n++];
	*row = (struct web_queue_tls_row){.day = query_int(q, 0), .domain = arena_dup(l->arena, query_bytes(q, 1)),
		.sessions = (uint64_t)query_int(q, 2), .failures = (uint64_t)query_int(q, 3)};
	buf_printf(&b, "%lld.%.*s", (long long)row->day, STR_ARG(row->domain));
	row->report = arena_dup(l->arena, buf_str(&b));
}

static result run_list(struct db *db, void *arg)
{
	struct listing *l = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	l->n = 0;
	TRY(db_ask(db, &rows, "SELECT day, policy_domain, sum(sessions), sum(sessions * (result <> x'')) FROM tls_day"
		" WHERE (day, policy_domain) > (?1, ?2) GROUP BY day, policy_domain ORDER BY day, policy_domain LIMIT ?3",
		DB_INT(l->day), DB_BLOB(l->domain), DB_INT(WEB_QUEUE_TLS_ARE_ROWS_MAX)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(l->arena);
		list_row(l, rows);
	}
}

result tls_days_list(struct queue *q, str after, arena *a, struct web_queue_tls_are *out)
{
	struct listing l = {.arena = a, .rows = arena_array(a, WEB_QUEUE_TLS_ARE_ROWS_MAX, sizeof *l.rows)};
	size_t dot = str_chr(after, '.');
	uint64_t day = 0;
	if (dot != STR_NONE && str_to_u64(str_sub(after, 0, dot), &day) && day <= INT64_MAX)
		l.domain = str_skip(after, dot + 1);
	l.day = (int64_t)day;
	if (!l.rows)
		return arena_result(a);
	TRY(tls_days_flush(q));
	TRY(items_read(q, run_list, &l));
	out->rows.p = l.rows;
	out->rows.n = l.n;
	return OK;
}

static result run_count(struct db *db, void *arg)
{
	return db_get(db, arg, "SELECT count(*) FROM (SELECT DISTINCT day, policy_domain FROM tls_day)");
}

result tls_days_tell_now(struct queue *q, uint64_t *n)
{
	int64_t count;
	if (q->out.tls.off)
		return failure(FAIL_DENIED, "reports about TLS are switched off (`tls-reports`)");
	TRY(tls_days_flush(q));
	TRY(items_read(q, run_count, &count));
	*n = (uint64_t)count;
	q->out.tls.now = true;
	gate_wake_all(&q->out.tls.tell);
	return OK;
}
