/* What happens to an item: taken by a courier, settled. */
#include "queue/items.h"
#include "queue/items_core.h"

#include "run/clock.h"
#include "run/random.h"

/* ---- with a courier ---- */

struct taking {
	struct queue *q;
	struct line *line;
	struct item *out;
	bool alone; /* no other courier of this line is under way */
	bool found, blocked;
	bool held; /* for longer than one look ahead */
	int64_t now, next;
};

static result run_take(struct db *db, void *arg)
{
	struct taking *t = arg;
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	t->found = t->blocked = t->held = false;
	t->next = -1;
	TRY(db_ask(db, &rows, "SELECT id, delivery, octets, attempts, deaths, next, hold FROM item"
		" WHERE account = ?1 AND state = 0 ORDER BY next, id LIMIT 1", DB_INT(t->line->account)));
	TRY(query_next(rows, &row));
	if (!row)
		return OK;
	str delivery = query_bytes(rows, 1);
	*t->out = (struct item){.id = (uint64_t)query_int(rows, 0), .account = t->line->account,
				.octets = (uint64_t)query_int(rows, 2), .attempts = (uint32_t)query_int(rows, 3),
				.deaths = (uint32_t)query_int(rows, 4)};
	t->next = query_int(rows, 5);
	if (delivery.n != sizeof t->out->delivery.b)
		return failure(FAIL_DAMAGE, "a queued item has no delivery id");
	memcpy(t->out->delivery.b, delivery.p, delivery.n);
	/* A wait longer than any of ours is a clock that was set back, unless the sender asked for it. */
	t->held = t->next > t->now + SCHEDULE_WAIT_MOST && query_int(rows, 6) > t->now;
	if (t->held || (t->next > t->now && t->next <= t->now + SCHEDULE_WAIT_MOST))
		return OK;
	t->blocked = t->out->deaths > 0 && !t->alone;
	if (t->blocked)
		return OK;
	t->found = true;
	return db_run(db, "UPDATE item SET state = 1 WHERE id = ?1", DB_INT(t->out->id));
}

/* Something taken: there may be more. Nothing: the first that waits says when;
 * for one that goes alone the last courier that leaves. */
static void kept_take(void *arg)
{
	struct taking *t = arg;
	struct schedule *s = &t->q->schedule;
	uint64_t at = SCHEDULE_NEVER;
	if (t->found && t->out->deaths > 0)
		t->line->exclusive = true;
	else if (t->blocked)
		t->line->blocked = true;
	else if (t->held)
		at = clock_mono_ms() + SCHEDULE_WAIT_MOST;
	else if (t->found || t->next >= 0)
		at = t->found ? clock_mono_ms() : items_when(t->next);
	schedule_set(s, t->line, SCHEDULE_NEVER);
	schedule_hasten(s, t->line, at);
	gate_wake_all(&t->q->changed);
}

result items_take(struct queue *q, struct line *l, struct item *out, bool *found)
{
	struct taking t = {.q = q, .line = l, .out = out, .alone = l->running == 1, .now = clock_wall_ms()};
	*found = false;
	TRY(items_write(q, run_take, kept_take, &t));
	*found = t.found;
	return OK;
}

/* ---- settled ---- */

struct settling {
	struct queue *q;
	struct item *item;
	enum item_state state; /* of one that stays */
	bool goes;
	bool has_body;
	struct blob_key body;
	bool back; /* the account takes again what it did not take before */
	int64_t now, next;
	str why;
};

static result run_settle(struct db *db, void *arg)
{
	struct settling *s = arg;
	if (!s->goes)
		return db_run(db, "UPDATE item SET state = ?2, attempts = ?3, deaths = ?4, next = ?5, why = ?6 WHERE id = ?1",
			DB_INT(s->item->id), DB_INT(s->state), DB_INT(s->item->attempts), DB_INT(s->item->deaths),
			DB_INT(s->next), DB_BLOB(s->why));
	TRY(items_body_of(db, s->item->id, &s->body, &s->has_body));
	if (s->back) /* what it could not take before, it may take now */
		TRY(db_run(db, "UPDATE item SET next = ?2 WHERE account = ?1 AND state = 0 AND deaths = 0 AND next > ?2",
			DB_INT(s->item->account), DB_INT(s->now)));
	return db_run(db, "DELETE FROM item WHERE id = ?1", DB_INT(s->item->id));
}

static void kept_settle(void *arg)
{
	struct settling *s = arg;
	struct line *l = schedule_find(&s->q->schedule, s->item->account);
	if (!s->goes && s->state == ITEM_WAITING && l)
		schedule_hasten(&s->q->schedule, l, items_when(s->next));
	else if (s->back && l)
		schedule_hasten(&s->q->schedule, l, clock_mono_ms());
}

static result settle_once(struct settling *s)
{
	TRY(items_write(s->q, run_settle, kept_settle, s));
	if (s->goes && s->has_body)
		items_delete_body(s->q, &s->body);
	return OK;
}

result items_settle(struct queue *q, struct item *i, enum item_end end, const char *why)
{
	struct settling s = {.q = q, .item = i, .why = str_sub(str_from(why), 0, QUEUE_WHY_MAX),
			     .goes = end == ITEM_DONE || end == ITEM_ORPHAN};
	i->attempts += end != ITEM_UNREACHED;
	i->deaths += end == ITEM_DIED;
	s.state = i->deaths >= QUEUE_DEATHS ? ITEM_QUARANTINE : ITEM_WAITING;
	s.now = clock_wall_ms();
	s.back = end == ITEM_DONE && i->attempts > 1;
	s.next = s.now + (int64_t)(end == ITEM_UNREACHED ? items_soon(q, 1) :
		schedule_backoff(&q->retry, i->attempts, random_below(1024)));
	for (;;) {
		result r = settle_once(&s);
		if (r.kind != FAIL_FULL && r.kind != FAIL_MEMORY && r.kind != FAIL_BUSY)
			return r;
		log_event(EV_STORE_FULL, &i->delivery, F_U64("item", i->id), F_STR("why", str_from(r.text)));
		TRY(fiber_sleep(QUEUE_DISK_MS));
	}
}

result items_body_of(struct db *db, uint64_t id, struct blob_key *key, bool *there)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	*there = false;
	TRY(db_ask(db, &rows, "SELECT body FROM content WHERE item = ?1 AND body IS NOT NULL", DB_INT(id)));
	TRY(query_next(rows, &row));
	if (!row)
		return OK;
	str bytes = query_bytes(rows, 0);
	if (bytes.n != sizeof key->b)
		return failure(FAIL_DAMAGE, "a queued item names no file");
	memcpy(key->b, bytes.p, sizeof key->b);
	*there = true;
	return OK;
}

struct deletion {
	struct queue *q;
	const struct blob_key *key;
};

static result run_delete_body(struct db *db, void *arg)
{
	const struct deletion *d = arg;
	(void)db;
	return engine_delete_body(d->q->engine, d->key);
}

void items_delete_body(struct queue *q, const struct blob_key *key)
{
	struct deletion d = {q, key};
	result r = items_read(q, run_delete_body, &d);
	(void)r; /* swept at the next start */
}

void items_drop_body(struct queue *q, const struct blob_key *key, result write)
{
	if (write.kind != FAIL_DISK)
		items_delete_body(q, key);
}
