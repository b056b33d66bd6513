/* What happens to a message when its time has come: it is let go, its sender is
 * warned, it is given up. */
#include "base/mem.h"
#include "queue/mail_core.h"
#include "run/clock.h"

enum { TOLD_DELAY = 1, TOLD_BY = 2, ARENA = 256 << 10 };
#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct judged {
	uint64_t id;
	bool under_way;
	trace_id delivery;
	uint64_t freed, warned, ended;
};

struct judging {
	struct queue *q;
	int64_t now;
	struct judged of[QUEUE_ALARMS];
	size_t n;
	int64_t later; /* when the first is due that is not yet */
	arena arena;
	struct way *ways; /* of what was let go */
	size_t ways_n;
};

struct times {
	int64_t arrived, hold, by, told, began;
	bool by_return;
};

/* ---- one message ---- */

static result read_times(struct db *db, struct judged *j, struct times *t)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT arrived, hold_until, deliver_by, by_return, told, delivery FROM message"
		" WHERE id = ?1",
		DB_INT(j->id)));
	TRY(query_next(rows, &row));
	if (!row)
		return failure(FAIL_ABSENT, "the message has gone");
	*t = (struct times){.arrived = query_int(rows, 0), .hold = query_int(rows, 1), .by = query_int(rows, 2),
		.by_return = query_int(rows, 3) != 0, .told = query_int(rows, 4)};
	t->began = t->hold > t->arrived ? t->hold : t->arrived;
	if (query_bytes(rows, 5).n == sizeof j->delivery.b)
		memcpy(j->delivery.b, query_bytes(rows, 5).p, sizeof j->delivery.b);
	return OK;
}

static result note_ways(struct db *db, struct judging *g, uint64_t message)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, "SELECT DISTINCT route, destination, turn FROM recipient WHERE message = ?1 AND state = 0",
		DB_INT(message)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return arena_result(&g->arena);
		struct way *more = arena_array(&g->arena, g->ways_n + 1, sizeof *more);
		if (!more)
			return arena_result(&g->arena);
		if (g->ways_n)
			memcpy(more, g->ways, g->ways_n * sizeof *more);
		g->ways = more;
		g->ways[g->ways_n++] = (struct way){.route = (uint64_t)query_int(rows, 0),
			.destination = arena_dup(&g->arena, query_bytes(rows, 1)), .sender = query_int(rows, 2)};
	}
}

static result let_free(struct db *db, struct judging *g, struct judged *j)
{
	/* Who only waits to be told of a delivery here (tell 3) is told now. */
	TRY(db_run(db, "UPDATE recipient SET state = CASE WHEN tell = 3 THEN 3 ELSE 0 END, next = ?2 WHERE message = ?1"
		" AND state = 1", DB_INT(j->id), DB_INT(g->now)));
	j->freed = db_changed(db);
	return j->freed > 0 ? note_ways(db, g, j->id) : OK;
}

static result give_up(struct db *db, struct judging *g, struct judged *j, bool by)
{
	TRY(db_run(db, "UPDATE recipient SET state = 3, tell = 1, status = ?2, text = CASE WHEN text = x'' OR ?4"
		" THEN ?3 ELSE"
		" text END WHERE message = ?1 AND state = 0", DB_INT(j->id), DB_BLOB(by ? STR("5.4.7") : STR("4.4.7")),
		DB_BLOB(by ? STR("it was not delivered within the time that its sender set") :
			STR("no attempt succeeded until its time was over")), DB_INT(by)));
	j->ended = db_changed(db);
	(void)g;
	return OK;
}

static result warn(struct db *db, struct judged *j, struct times *t, int64_t bit)
{
	TRY(db_run(db, "UPDATE recipient SET tell = 2 WHERE message = ?1 AND state = 0 AND tell = 0", DB_INT(j->id)));
	j->warned = db_changed(db);
	t->told |= bit;
	return OK;
}

static int64_t next_alarm(const struct judging *g, const struct times *t)
{
	const struct outward *o = &g->q->out;
	int64_t warn_at = t->began + (int64_t)o->warn_ms, end = t->began + (int64_t)o->expire_ms;
	int64_t at = g->now + DAY_MS;
	if (end > g->now && end < at)
		at = end;
	if (o->warn_ms > 0 && !(t->told & TOLD_DELAY) && warn_at > g->now && warn_at < at)
		at = warn_at;
	if (t->by > g->now && t->by < at)
		at = t->by;
	if (t->hold > g->now)
		at = t->hold;
	return at;
}

static result judge(struct db *db, struct judging *g, struct judged *j)
{
	const struct outward *o = &g->q->out;
	struct times t;
	if (j->under_way)
		return db_run(db, "UPDATE message SET alarm = ?2 WHERE id = ?1", DB_INT(j->id),
			DB_INT(g->now + QUEUE_ALARM_AGAIN_MS));
	TRY(read_times(db, j, &t));
	if (t.hold > 0 && t.hold <= g->now)
		TRY(let_free(db, g, j));
	if (t.by > 0 && t.by <= g->now && t.by_return && t.hold <= g->now)
		TRY(give_up(db, g, j, true));
	else if (t.began + (int64_t)o->expire_ms <= g->now)
		TRY(give_up(db, g, j, false));
	else if (o->warn_ms > 0 && t.began + (int64_t)o->warn_ms <= g->now && !(t.told & TOLD_DELAY))
		TRY(warn(db, j, &t, TOLD_DELAY));
	else if (t.by > 0 && t.by <= g->now && !t.by_return && !(t.told & TOLD_BY))
		TRY(warn(db, j, &t, TOLD_BY));
	return db_run(db, "UPDATE message SET alarm = ?2, told = ?3 WHERE id = ?1", DB_INT(j->id),
		DB_INT(next_alarm(g, &t)),
		DB_INT(t.told));
}

/* ---- all that are due ---- */

static result run_find(struct db *db, void *arg)
{
	struct judging *g = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	g->n = 0;
	g->later = INT64_MAX;
	TRY(db_ask(db, &rows, "SELECT id, alarm FROM message ORDER BY alarm LIMIT ?1", DB_INT(QUEUE_ALARMS)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return OK;
		g->later = query_int(rows, 1);
		if (g->later > g->now)
			return OK;
		g->of[g->n++] = (struct judged){.id = (uint64_t)query_int(rows, 0)};
	}
}

static result run_judge(struct db *db, void *arg)
{
	struct judging *g = arg;
	arena_clear(&g->arena);
	g->ways = NULL;
	g->ways_n = 0;
	for (size_t i = 0; i < g->n; i++) {
		struct judged *j = &g->of[i];
		j->freed = j->warned = j->ended = 0;
		result r = judge(db, g, j);
		if (failed(r) && r.kind != FAIL_ABSENT)
			return r;
	}
	return OK;
}

static void kept_judge(void *arg)
{
	struct judging *g = arg;
	struct outward *o = &g->q->out;
	traffic_changed(&o->traffic);
	for (size_t i = 0; i < g->ways_n; i++)
		if (failed(traffic_wait(&o->traffic, &g->ways[i], clock_mono_ms())))
			break;
	if (g->ways_n > 0)
		gate_wake_all(&o->changed);
	for (size_t i = 0; i < g->n; i++)
		if (g->of[i].freed + g->of[i].warned + g->of[i].ended > 0)
			o->to_tell = true;
	if (o->to_tell)
		gate_wake_all(&o->tell);
}

static void mark(struct judging *g)
{
	struct outward *o = &g->q->out;
	o->judged_n = g->n;
	for (size_t i = 0; i < g->n; i++) {
		o->judged[i] = g->of[i].id;
		LIST_EACH(node, &o->parcels)
			if (LIST_OWNER(node, struct parcel, node)->message == g->of[i].id)
				g->of[i].under_way = true;
	}
}

static void report(const struct judging *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct judged *j = &g->of[i];
		if (j->freed > 0)
			log_event(EV_RELEASED, &j->delivery, F_U64("message", j->id), F_U64("recipients", j->freed));
		if (j->warned > 0)
			log_event(EV_DELAYED, &j->delivery, F_U64("message", j->id), F_U64("recipients", j->warned));
		if (j->ended > 0)
			log_event(EV_EXPIRED, &j->delivery, F_U64("message", j->id), F_U64("recipients", j->ended));
	}
}

/* How long to wait before looking again is the alarm's time. */
static result look(struct queue *q, struct judging *g)
{
	g->now = clock_wall_ms();
	TRY(items_read(q, run_find, g));
	if (g->n == 0) {
		q->out.alarm_at = g->later;
		return OK;
	}
	mark(g);
	result r = items_write(q, run_judge, kept_judge, g);
	q->out.judged_n = 0;
	if (!failed(r))
		report(g);
	return r;
}

void mail_alarm(struct queue *q, int64_t at)
{
	if (at < q->out.alarm_at)
		q->out.alarm_at = at;
	gate_wake_all(&q->out.alarm);
}

static uint64_t until(int64_t wall)
{
	int64_t ahead = wall - clock_wall_ms();
	return wall == INT64_MAX ? FIBER_FOREVER : ahead <= 0 ? 0 : ahead > DAY_MS ? (uint64_t)DAY_MS : (uint64_t)ahead;
}

void queue_run_alarms(struct queue *q)
{
	struct judging *g = mem_alloc(sizeof *g);
	must(g != NULL);
	*g = (struct judging){.q = q, .arena = arena_new(ARENA)};
	for (;;) {
		uint64_t wait = until(q->out.alarm_at);
		result r = OK;
		if (wait > 0)
			r = gate_wait(&q->out.alarm, wait);
		else if (failed(look(q, g)))
			r = fiber_sleep(QUEUE_DISK_MS);
		if (r.kind == FAIL_CANCELLED)
			break;
	}
	arena_free(&g->arena);
	mem_free(g);
}
