/* Once a day tells each domain how TLS with its servers went (RFC 8460). */
#include "queue/mail_core.h"
#include "run/clock.h"
#include "run/random.h"

enum {
	DAY_MS = 86400000,
	LOOK_MS = 3600000,       /* between looks whether something is to be told */
	SPREAD_MS = 4 * LOOK_MS, /* begins at a time of its own after midnight, so that not all servers report at once */
	REPORT_ARENA = 16 << 20,
};

struct telling {
	struct queue *q;
	int64_t number; /* of the day */
	int64_t until;  /* seconds: a part of the day; 0: all of it */
	struct tls_day day;
	arena *arena;
	trace_id id;
	struct queue_relay_tls_reported is;
	struct edge_queue_post post;
	struct posting posting;
};

/* Those with the most sessions come first: what does not fit is left out. */
static size_t fitting(const struct tls_day *d)
{
	enum { ROW = 64 }; /* lengths and numbers of a row, amply */
	size_t octets = 0, n = 0;
	for (; n < d->n; n++) {
		const struct queue_relay_tls_outcome *o = &d->rows[n].what;
		octets += ROW + o->policy_type.n + o->policy_domain.n + o->policy.n + o->host.n + o->address.n + o->local.n +
			  o->result.n + o->detail.n;
		if (octets > TLS_DAYS_OCTETS)
			break;
	}
	return n;
}

static result ask_relay(struct telling *t)
{
	struct channel *relay;
	struct queue_relay_tls_count *rows = arena_array(t->arena, t->day.n + 1, sizeof *rows);
	struct queue_relay_tls_report m = {.report = t->id, .day = t->number, .until = t->until,
		.domain = t->day.domain};
	const struct asking how = {.trace = &t->id, .arena = t->arena, .timeout_ms = QUEUE_REPORT_MS};
	if (!rows)
		return arena_result(t->arena);
	size_t n = fitting(&t->day);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct queue_relay_tls_count){t->day.rows[i].what, t->day.rows[i].sessions};
	m.rows.p = rows;
	m.rows.n = n;
	TRY(t->q->world->relay(&relay));
	return queue_relay_tls_report_call_within(relay, &how, &m, &t->is);
}

/* ---- told is forgotten, in one transaction with the mail that tells it ---- */

static result prepare_mail(struct telling *t)
{
	size_t n = t->is.mail.n;
	struct edge_queue_recipient *to = arena_array(t->arena, n, sizeof *to);
	if (!to)
		return arena_result(t->arena);
	for (size_t i = 0; i < n; i++)
		to[i] = (struct edge_queue_recipient){.address = t->is.mail.p[i], .notify = NOTIFY_NEVER};
	t->post = (struct edge_queue_post){.delivery = t->id, .recipients = {.p = to, .n = n}, .size = t->is.size,
		.received = clock_wall_s(), .flags = t->is.flags | MAIL_REPORT, .wrapped = t->is.wrapped,
		.sealed = body_view(&t->is.sealed)};
	t->posting = (struct posting){.q = t->q, .m = &t->post};
	TRY(posting_prepare(&t->posting, t->arena));
	return posting_body(&t->posting);
}

/* Sessions counted while it was told stay for another report. */
static result forget(struct db *db, const struct telling *t)
{
	for (size_t i = 0; i < t->day.n; i++)
		TRY(db_run(db, "UPDATE tls_day SET sessions = sessions - ?4 WHERE day = ?1 AND policy_domain = ?2"
			" AND what = ?3",
			DB_INT(t->number), DB_BLOB(t->day.domain), DB_BLOB(t->day.rows[i].name), DB_INT(t->day.rows[i].sessions)));
	return db_run(db, "DELETE FROM tls_day WHERE day = ?1 AND policy_domain = ?2 AND (?3 OR sessions <= 0)",
		DB_INT(t->number), DB_BLOB(t->day.domain), DB_INT(t->until == 0));
}

static result run_told(struct db *db, void *arg)
{
	struct telling *t = arg;
	if (t->is.mail.n > 0)
		TRY(posting_insert(db, &t->posting));
	return forget(db, t);
}

static void kept_told(void *arg)
{
	struct telling *t = arg;
	if (t->is.mail.n > 0)
		posting_kept(&t->posting);
}

static result settle(struct telling *t)
{
	if (t->is.wanted && !t->is.told && t->is.mail.n == 0)
		return failure(FAIL_BUSY, "no place of the domain took it");
	if (t->is.mail.n > 0)
		TRY(prepare_mail(t));
	result r = items_write(t->q, run_told, kept_told, t);
	if (failed(r) && t->is.mail.n > 0)
		posting_drop_body(&t->posting, r);
	if (!failed(r) && t->is.mail.n > 0)
		log_event(EV_TLS_REPORTED, &t->id, F_STR("domain", t->day.domain), F_STR("to", t->is.mail.p[0]),
			F_STR("report", t->is.name));
	return r;
}

/* ---- domain after domain, day after day ---- */

static result tell(struct telling *t)
{
	t->id = trace_new();
	t->is = (struct queue_relay_tls_reported){0};
	result r = ask_relay(t);
	if (!failed(r))
		r = settle(t);
	queue_relay_tls_reported_release(&t->is);
	return r;
}

/* The domains of a day, several at once, each taken by one fiber. */
struct round {
	struct queue *q;
	int64_t day, until;
	buf after;         /* the domain that was taken last */
	bool taking, over; /* somebody looks for the next one; there is none */
	size_t running;
	struct gate free, done;
	result r;
};

static result take_next(struct round *g, struct telling *t)
{
	while (g->taking)
		TRY(gate_wait(&g->free, FIBER_FOREVER));
	if (g->over)
		return OK;
	g->taking = true;
	result r = tls_days_next(g->q, (struct tls_from){g->day, buf_str(&g->after)}, t->arena, &t->day);
	buf_clear(&g->after);
	buf_put(&g->after, failed(r) ? (str){0} : t->day.domain);
	g->over = g->after.n == 0 || failed(buf_result(&g->after));
	g->taking = false;
	gate_wake_all(&g->free);
	return r;
}

/* What cannot be told now is told at a later look, until it is forgotten. */
static result tell_next(struct round *g)
{
	AUTO_ARENA arena a = arena_new(REPORT_ARENA);
	struct telling t = {.q = g->q, .number = g->day, .until = g->until, .arena = &a};
	TRY(take_next(g, &t));
	result r = t.day.domain.n > 0 ? tell(&t) : OK;
	if (failed(r) && r.kind != FAIL_CANCELLED)
		log_event(EV_TLS_UNREPORTED, &t.id, F_STR("domain", t.day.domain), F_STR("why", str_from(r.text)));
	return r.kind == FAIL_CANCELLED ? failure(FAIL_CANCELLED, "the room is stopping") : OK;
}

static void one_lane(void *arg)
{
	struct round *g = arg;
	while (!g->over && !failed(g->r)) {
		result r = tell_next(g);
		if (failed(r))
			g->r = r;
	}
	g->running--;
	gate_wake_all(&g->done);
}

static result tell_day(struct queue *q, int64_t day, int64_t until)
{
	struct round g = {.q = q, .day = day, .until = until, .r = OK,
		.after = buf_new(QUEUE_RELAY_TLS_OUTCOME_POLICY_DOMAIN_MAX)};
	gate_init(&g.free);
	gate_init(&g.done);
	for (g.running = 1; g.running < TLS_DAYS_AT_ONCE; g.running++)
		if (failed(fiber_start(one_lane, &g, "tls report", NULL)))
			break;
	one_lane(&g);
	while (g.running > 0) /* the lanes use this frame */
		gate_hold(&g.done);
	buf_free(&g.after);
	return g.r;
}

static result tell_all(struct queue *q, bool today_too)
{
	int64_t today = tls_days_today(), first;
	TRY(tls_days_oldest(q, today, &first));
	for (int64_t day = first; first >= 0 && day < today; day++)
		TRY(tell_day(q, day, 0));
	return today_too ? tell_day(q, today, clock_wall_s()) : OK;
}

/* Until the next look: an hour, or until somebody asks. *now: somebody does. */
static result wait_for_look(struct queue *q, bool *now)
{
	result r = q->out.tls.now ? OK : gate_wait(&q->out.tls.tell, LOOK_MS + random_below(LOOK_MS / 4));
	*now = q->out.tls.now;
	q->out.tls.now = false;
	return r.kind == FAIL_CANCELLED ? r : OK;
}

void tls_days_tell(struct queue *q)
{
	uint32_t begins = random_below(SPREAD_MS);
	bool now;
	while (!failed(wait_for_look(q, &now))) {
		if (q->out.tls.off || (!now && clock_wall_ms() % DAY_MS < begins))
			continue;
		if (tell_all(q, now).kind == FAIL_CANCELLED)
			return;
	}
}
