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
	struct tls_day day;
	arena *arena;
	trace_id id;
	struct queue_relay_tls_reported is;
	struct edge_queue_post post;
	struct posting posting;
};

static result ask_relay(struct telling *t)
{
	struct channel *relay;
	struct queue_relay_tls_count *rows = arena_array(t->arena, t->day.n + 1, sizeof *rows);
	struct queue_relay_tls_report m = {.report = t->id, .day = t->number, .domain = t->day.domain};
	const struct asking how = {.trace = &t->id, .arena = t->arena, .timeout_ms = QUEUE_REPORT_MS};
	if (!rows)
		return arena_result(t->arena);
	for (size_t i = 0; i < t->day.n; i++)
		rows[i] = (struct queue_relay_tls_count){t->day.rows[i].what, t->day.rows[i].sessions};
	m.rows.p = rows;
	m.rows.n = t->day.n;
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

static result run_told(struct db *db, void *arg)
{
	struct telling *t = arg;
	if (t->is.mail.n > 0)
		TRY(posting_insert(db, &t->posting));
	return db_run(db, "DELETE FROM tls_day WHERE day = ?1 AND policy_domain = ?2", DB_INT(t->number),
		DB_BLOB(t->day.domain));
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
		log_event(EV_TLS_REPORTED, &t->id, F_STR("domain", t->day.domain), F_STR("to", t->is.mail.p[0]));
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

/* What cannot be told now is told at a later look, until it is forgotten. */
static result tell_next(struct queue *q, int64_t day, buf *after)
{
	AUTO_ARENA arena a = arena_new(REPORT_ARENA);
	struct telling t = {.q = q, .number = day, .arena = &a};
	TRY(tls_days_next(q, (struct tls_from){day, buf_str(after)}, &a, &t.day));
	buf_clear(after);
	buf_put(after, t.day.domain);
	TRY(buf_result(after));
	result r = t.day.domain.n > 0 ? tell(&t) : OK;
	if (failed(r) && r.kind != FAIL_CANCELLED)
		log_event(EV_TLS_UNREPORTED, &t.id, F_STR("domain", t.day.domain), F_STR("why", str_from(r.text)));
	return r.kind == FAIL_CANCELLED ? r : OK;
}

static result tell_day(struct queue *q, int64_t day)
{
	AUTO_BUF buf after = buf_new(QUEUE_RELAY_TLS_OUTCOME_POLICY_DOMAIN_MAX);
	do
		TRY(tell_next(q, day, &after));
	while (after.n > 0);
	return OK;
}

static result tell_all(struct queue *q)
{
	int64_t today = tls_days_today(), first;
	TRY(tls_days_oldest(q, today - 1, &first));
	for (int64_t day = first; first >= 0 && day < today; day++)
		TRY(tell_day(q, day));
	return OK;
}

void tls_days_tell(struct queue *q)
{
	uint32_t begins = random_below(SPREAD_MS);
	while (!failed(fiber_sleep(LOOK_MS + random_below(LOOK_MS / 4)))) {
		if (clock_wall_ms() % DAY_MS < begins)
			continue;
		if (tell_all(q).kind == FAIL_CANCELLED)
			return;
	}
}
