/* What became of the recipients of one transaction. */
#include "queue/mail_core.h"
#include "run/clock.h"
#include "run/random.h"

struct settling {
	struct queue *q;
	struct parcel *parcel;
	const struct mail_end *end;
	int64_t now, next;
	uint32_t deaths;
	bool has_body, told, waits;
	struct blob_key body;
};

static const struct queue_relay_outcome unheard = {.verdict = QUEUE_RELAY_VERDICT_LATER};

static const struct queue_relay_outcome *outcome_of(const struct settling *s, size_t i)
{
	return s->end->outcomes ? &s->end->outcomes[i] : &unheard;
}

static bool over(const struct settling *s)
{
	return s->now >= s->parcel->began + (int64_t)s->q->out.expire_ms;
}

bool mail_wants(const struct parcel *p, uint8_t notify, enum mail_tell what)
{
	if (p->sender.n == 0 || (p->flags & MAIL_REPORT) || notify == NOTIFY_NEVER)
		return false;
	switch (what) {
	case TELL_FAILED: return notify == 0 || (notify & NOTIFY_FAILURE);
	case TELL_DELAYED: return (notify == 0 || (notify & NOTIFY_DELAY)) && !(p->flags & MAIL_FORWARDED);
	case TELL_DELIVERED:
	case TELL_RELAYED: return notify & NOTIFY_SUCCESS;
	case TELL_NOTHING: break;
	}
	return false;
}

/* It stays until that is reported. */
static result gone(struct db *db, struct settling *s, size_t i, enum mail_tell tell)
{
	const struct queue_relay_outcome *o = outcome_of(s, i);
	s->told = true;
	return db_run(db, "UPDATE recipient SET state = 3, tell = ?2, attempts = attempts + 1, last = ?3, code ="
		" ?4, status = ?5,"
		" text = ?6, host = ?7, advice = ?8 WHERE id = ?1", DB_INT(s->parcel->to[i].id), DB_INT(tell), DB_INT(s->now),
		DB_INT(o->code), DB_BLOB(o->verdict == QUEUE_RELAY_VERDICT_LATER ? STR("4.4.7") : o->status), DB_BLOB(o->text),
		DB_BLOB(s->end->host), DB_INT(o->advice));
}

static result stays(struct db *db, struct settling *s, size_t i)
{
	const struct queue_relay_outcome *o = outcome_of(s, i);
	str text = s->end->outcomes ? o->text : s->end->why;
	s->waits = true;
	return db_run(db, "UPDATE recipient SET state = CASE WHEN state = 0 AND ?9 THEN 2 ELSE state END,"
		" attempts = attempts + 1, next = ?2, last = ?3, code = ?4, status = ?5, text = ?6, host = ?7, advice = ?8"
		" WHERE id = ?1 AND state <> 3", DB_INT(s->parcel->to[i].id), DB_INT(s->next), DB_INT(s->now), DB_INT(o->code),
		DB_BLOB(o->status), DB_BLOB(text), DB_BLOB(s->end->host), DB_INT(o->advice),
		DB_INT(s->deaths >= QUEUE_DEATHS));
}

static result settle_one(struct db *db, struct settling *s, size_t i)
{
	const struct addressee *to = &s->parcel->to[i];
	const struct queue_relay_outcome *o = outcome_of(s, i);
	const struct suppress_note n = {.address = to->address, .status = o->status, .text = o->text, .now = s->now,
		.for_ms = s->q->out.suppress_ms};
	bool success = o->verdict == QUEUE_RELAY_VERDICT_DELIVERED || o->verdict == QUEUE_RELAY_VERDICT_RELAYED;
	if (success && s->q->out.suppresses)
		TRY(suppress_known(db, to->address));
	if (o->verdict == QUEUE_RELAY_VERDICT_RELAYED && mail_wants(s->parcel, to->notify, TELL_RELAYED))
		return gone(db, s, i, TELL_RELAYED);
	if (success)
		return db_run(db, "DELETE FROM recipient WHERE id = ?1", DB_INT(to->id));
	if (o->verdict == QUEUE_RELAY_VERDICT_LATER && !(s->end->outcomes && over(s)))
		return stays(db, s, i);
	if (n.for_ms > 0 && suppress_counts(o->status)) {
		s->q->out.suppresses = true;
		TRY(suppress_unknown(db, &n));
	}
	return gone(db, s, i, TELL_FAILED);
}

result mail_close(struct db *db, uint64_t message, struct blob_key *body, bool *has_body)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	*has_body = false;
	TRY(db_ask(db, &rows, "DELETE FROM message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM recipient WHERE"
		" message = ?1) RETURNING body", DB_INT(message)));
	TRY(query_next(rows, &row));
	if (row && query_bytes(rows, 0).n == sizeof body->b) {
		memcpy(body->b, query_bytes(rows, 0).p, sizeof body->b);
		*has_body = true;
	}
	return OK;
}

static result run_settle(struct db *db, void *arg)
{
	struct settling *s = arg;
	s->told = s->waits = false;
	if (s->end->died)
		TRY(db_run(db, "UPDATE message SET deaths = ?2 WHERE id = ?1", DB_INT(s->parcel->message), DB_INT(s->deaths)));
	for (size_t i = 0; i < s->parcel->n; i++)
		TRY(settle_one(db, s, i));
	return mail_close(db, s->parcel->message, &s->body, &s->has_body);
}

static void kept_settle(void *arg)
{
	struct settling *s = arg;
	struct outward *o = &s->q->out;
	struct turn *t = s->parcel->turn;
	if (s->waits) {
		turn_changed(t);
		traffic_taken(&o->traffic, t, mail_when(s->q, s->next));
	}
	if (s->told) {
		o->to_tell = true;
		gate_wake_all(&o->tell);
	}
}

result mail_settle(struct queue *q, struct parcel *p, const struct mail_end *end)
{
	struct settling s = {.q = q, .parcel = p, .end = end, .now = clock_wall_ms(), .deaths = p->deaths + end->died};
	uint32_t attempts = p->n > 0 ? p->to[0].attempts + 1 : 1;
	s.next = s.now + (end->died ? QUEUE_DISK_MS : (int64_t)schedule_backoff(&q->out.retry, attempts,
		random_below(1024)));
	const struct commit_job job = {.run = run_settle, .kept = kept_settle, .arg = &s, .writes = true,
		.brief = p->n < 8, .gathers = true};
	for (;;) {
		result r = items_commit(q, &job);
		if (!failed(r) && s.has_body)
			items_delete_body(q, &s.body);
		if (r.kind != FAIL_FULL && r.kind != FAIL_MEMORY && r.kind != FAIL_BUSY)
			return r;
		log_event(EV_STORE_FULL, &p->delivery, F_U64("message", p->message), F_STR("why", str_from(r.text)));
		TRY(fiber_sleep(QUEUE_DISK_MS));
	}
}
