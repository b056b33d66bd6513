/* The traffic, from the rows: at start, and after an administrator changed many. */
#include "base/mem.h"
#include "queue/mail_core.h"
#include "run/clock.h"

static result first_alarm(struct db *db, int64_t *at)
{
	result r = db_get(db, at, "SELECT alarm FROM message ORDER BY alarm LIMIT 1");
	if (r.kind != FAIL_ABSENT)
		return r;
	*at = INT64_MAX;
	return OK;
}

static result any_suppressed(struct db *db, bool *any)
{
	int64_t there;
	TRY(db_get(db, &there, "SELECT EXISTS (SELECT 1 FROM suppressed)"));
	*any = there != 0;
	return OK;
}

static result routes_known(struct db *db, uint64_t *table)
{
	int64_t known;
	TRY(db_get(db, &known, "SELECT value FROM known WHERE name = 'routes'"));
	*table = (uint64_t)known;
	return OK;
}

result mail_load(struct db *db, struct queue *q)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(first_alarm(db, &q->out.alarm_at));
	TRY(routes_known(db, &q->out.routes.table));
	TRY(any_suppressed(db, &q->out.suppresses));
	TRY(db_ask(db, &rows, "SELECT route, destination, turn, min(next) FROM recipient WHERE state = 0"
		" GROUP BY route, destination, turn"));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			break;
		const struct way w = {.route = (uint64_t)query_int(rows, 0), .destination = query_bytes(rows, 1),
			.sender = query_int(rows, 2)};
		TRY(traffic_wait(&q->out.traffic, &w, mail_when(q, query_int(rows, 3))));
	}
	q->out.to_tell = true;
	return OK;
}

/* ---- while at work: read on the store thread, applied on the loop ---- */

struct refresh {
	struct queue *q;
	buf ways; /* route, sender, next, length, name */
};

struct packed {
	uint64_t route;
	int64_t sender, next;
	size_t n;
};

static result run_refresh(struct db *db, void *arg)
{
	struct refresh *f = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	buf_clear(&f->ways);
	TRY(db_ask(db, &rows, "SELECT route, destination, turn, min(next) FROM recipient WHERE state = 0"
		" GROUP BY route, destination, turn"));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return buf_result(&f->ways);
		str name = query_bytes(rows, 1);
		const struct packed p = {(uint64_t)query_int(rows, 0), query_int(rows, 2), query_int(rows, 3), name.n};
		buf_put(&f->ways, str_of((const char *)&p, sizeof p));
		buf_put(&f->ways, name);
	}
}

static void kept_refresh(void *arg)
{
	struct refresh *f = arg;
	struct packed p;
	for (str rest = buf_str(&f->ways); rest.n >= sizeof p; rest = str_skip(rest, sizeof p + p.n)) {
		memcpy(&p, rest.p, sizeof p);
		const struct way w = {.route = p.route, .destination = str_sub(rest, sizeof p, p.n), .sender = p.sender};
		if (failed(traffic_wait(&f->q->out.traffic, &w, mail_when(f->q, p.next))))
			return; /* without memory it waits for the next start */
	}
}

result mail_refresh(struct queue *q)
{
	struct refresh f = {.q = q, .ways = buf_new(SIZE_MAX)};
	const struct commit_job job = {.run = run_refresh, .kept = kept_refresh, .arg = &f};
	result r = committer_do(q->store, &job);
	buf_free(&f.ways);
	gate_wake_all(&q->out.changed);
	return r;
}
