/* The queue, steered. */
#include "base/mem.h"
#include "queue/admin_core.h"
#include "queue/mail_core.h"
#include "run/clock.h"

/* What was changed, for the log and the files that go. */
struct touched {
	uint64_t item, account;
	trace_id delivery;
};

struct acting {
	struct queue *q;
	struct chosen chosen;
	enum admin_act act;
	int64_t now;
	uint64_t n;
	bool busy;   /* one was left out that its account is just given */
	buf touched; /* struct touched */
	buf bodies;  /* struct blob_key */
};

/* ---- the rows ---- */

/* Which an act concerns; an item that its account is just given is in none. */
static const char *const items_chosen[] = {
	[ADMIN_RETRY] = "SELECT i.id, i.account, i.delivery FROM item i WHERE i.state = 0 AND" CHOSEN_ITEM,
	[ADMIN_HOLD] = "SELECT i.id, i.account, i.delivery FROM item i WHERE i.state = 0 AND" CHOSEN_ITEM,
	[ADMIN_RELEASE] = "SELECT i.id, i.account, i.delivery FROM item i WHERE i.state <> 1 AND" CHOSEN_ITEM,
	[ADMIN_DROP] = "SELECT i.id, i.account, i.delivery FROM item i WHERE i.state <> 1 AND" CHOSEN_ITEM,
};
#define MAIL_CHOSEN "SELECT r.id, 0, m.delivery FROM recipient r JOIN message m ON m.id = r.message WHERE"
static const char *const mail_chosen[] = {
	[ADMIN_RETRY] = MAIL_CHOSEN " r.state = 0 AND" CHOSEN_MAIL,
	[ADMIN_HOLD] = MAIL_CHOSEN " r.state IN (0, 1) AND" CHOSEN_MAIL,
	[ADMIN_RELEASE] = MAIL_CHOSEN " r.state <> 3 AND" CHOSEN_MAIL,
	[ADMIN_DROP] = MAIL_CHOSEN CHOSEN_MAIL,
};
static const char *const items_changed[] = {
	[ADMIN_RETRY] = "UPDATE item SET next = ?2 WHERE id = ?1",
	[ADMIN_HOLD] = "UPDATE item SET state = 4 WHERE id = ?1 AND ?2",
	[ADMIN_RELEASE] = "UPDATE item SET state = 0, deaths = 0, next = ?2 WHERE id = ?1",
	[ADMIN_DROP] = "DELETE FROM item WHERE id = ?1 AND ?2",
};
static const char *const mail_changed[] = {
	[ADMIN_RETRY] = "UPDATE recipient SET next = ?2 WHERE id = ?1",
	[ADMIN_HOLD] = "UPDATE recipient SET state = 4 WHERE id = ?1 AND ?2",
	[ADMIN_RELEASE] = "UPDATE recipient SET state = CASE WHEN tell = 3 THEN 3 ELSE 0 END, next = ?2 WHERE id = ?1",
	[ADMIN_DROP] = "DELETE FROM recipient WHERE id = ?1 AND ?2",
};

static result gather(struct db *db, struct acting *a, const char *sql)
{
	struct query AUTO_QUERY *rows = NULL;
	bool row;
	TRY(db_ask(db, &rows, sql, CHOSEN_ARGS(&a->chosen)));
	for (;;) {
		TRY(query_next(rows, &row));
		if (!row)
			return buf_result(&a->touched);
		struct touched t = {.item = (uint64_t)query_int(rows, 0), .account = (uint64_t)query_int(rows, 1)};
		str delivery = query_bytes(rows, 2);
		if (delivery.n == sizeof t.delivery.b)
			memcpy(t.delivery.b, delivery.p, delivery.n);
		buf_put(&a->touched, str_of((const char *)&t, sizeof t));
	}
}

static struct touched touched_at(const struct acting *a, size_t i)
{
	struct touched t;
	memcpy(&t, a->touched.p + i * sizeof t, sizeof t);
	return t;
}

static void note_body(struct acting *a, const struct blob_key *key)
{
	buf_put(&a->bodies, str_of((const char *)key->b, sizeof key->b));
}

static result change_item(struct db *db, struct acting *a, uint64_t id)
{
	struct blob_key key;
	bool there = false;
	if (a->act == ADMIN_DROP)
		TRY(items_body_of(db, id, &key, &there));
	if (there)
		note_body(a, &key);
	return db_run(db, items_changed[a->act], DB_INT(id), DB_INT(a->now));
}

static result change_mail(struct db *db, struct acting *a, uint64_t id)
{
	int64_t message;
	struct blob_key key;
	bool there = false;
	TRY(db_get(db, &message, "SELECT message FROM recipient WHERE id = ?1", DB_INT(id)));
	TRY(db_run(db, mail_changed[a->act], DB_INT(id), DB_INT(a->now)));
	if (a->act == ADMIN_RELEASE)
		TRY(db_run(db, "UPDATE message SET deaths = 0 WHERE id = ?1", DB_INT(message)));
	if (a->act == ADMIN_DROP)
		TRY(mail_close(db, (uint64_t)message, &key, &there));
	if (there)
		note_body(a, &key);
	return OK;
}

static result run_act(struct db *db, void *arg)
{
	struct acting *a = arg;
	int64_t delivering;
	buf_clear(&a->touched);
	buf_clear(&a->bodies);
	TRY(gather(db, a, items_chosen[a->act]));
	size_t items = a->touched.n / sizeof(struct touched);
	TRY(gather(db, a, mail_chosen[a->act]));
	a->n = a->touched.n / sizeof(struct touched);
	for (size_t i = 0; i < a->n; i++)
		TRY(i < items ? change_item(db, a, touched_at(a, i).item) : change_mail(db, a, touched_at(a, i).item));
	TRY(db_get(db, &delivering, "SELECT EXISTS (SELECT 1 FROM item i WHERE i.state = 1 AND" CHOSEN_ITEM ")",
		CHOSEN_ARGS(&a->chosen)));
	a->busy = delivering != 0;
	return buf_result(&a->bodies);
}

/* ---- after them ---- */

static void hasten_accounts(struct acting *a)
{
	struct queue *q = a->q;
	for (size_t i = 0; i < a->n; i++) {
		struct touched t = touched_at(a, i);
		struct line *l;
		if (t.account == 0 || failed(schedule_line(&q->schedule, t.account, &l)))
			continue;
		l->not_before = 0;
		schedule_hasten(&q->schedule, l, clock_mono_ms());
	}
	gate_wake_all(&q->changed);
}

static void kept_act(void *arg)
{
	struct acting *a = arg;
	traffic_changed(&a->q->out.traffic);
	if (a->act != ADMIN_RETRY && a->act != ADMIN_RELEASE)
		return;
	hasten_accounts(a);
	a->q->out.to_tell = true;
	gate_wake_all(&a->q->out.tell);
}

static void log_each(const struct acting *a)
{
	static const enum log_name names[] = {[ADMIN_RETRY] = EV_RELEASED, [ADMIN_HOLD] = EV_HELD,
		[ADMIN_RELEASE] = EV_RELEASED, [ADMIN_DROP] = EV_QUEUE_DROPPED};
	for (size_t i = 0; i < a->n; i++) {
		struct touched t = touched_at(a, i);
		log_event(names[a->act], &t.delivery, F_U64("item", t.item), F_U64("account", t.account),
			  F_STR("why", STR("an administrator did it")));
	}
}

static void finish(struct acting *a)
{
	struct blob_key key;
	for (size_t at = 0; at + sizeof key.b <= a->bodies.n; at += sizeof key.b) {
		memcpy(key.b, a->bodies.p + at, sizeof key.b);
		items_delete_body(a->q, &key);
	}
	log_each(a);
}

static result act(struct acting *a)
{
	TRY(items_write(a->q, run_act, kept_act, a));
	finish(a);
	if (a->n == 0 && a->busy)
		return failure(FAIL_BUSY, "the item is being delivered just now; look again in a moment");
	if (a->n == 0)
		return failure(FAIL_ABSENT, "there is nothing like that in the queue; postern queue list shows what there is");
	if (a->act != ADMIN_RETRY && a->act != ADMIN_RELEASE)
		return OK;
	traffic_retry(&a->q->out.traffic, clock_mono_ms());
	return mail_refresh(a->q);
}

result admin_act(struct queue *q, const struct choice *c, enum admin_act what, uint64_t *n)
{
	struct acting a = {.q = q, .act = what, .now = clock_wall_ms(), .touched = buf_new(SIZE_MAX),
		.bodies = buf_new(SIZE_MAX)};
	result r = OK;
	if (c->item == 0 && c->message.n == 0 && c->sender.n == 0 && c->destination.n == 0)
		r = failure(FAIL_INPUT, "say which: an item, a message, a sender or a destination");
	if (!failed(r))
		r = chosen_of(c, &a.chosen);
	if (!failed(r))
		r = act(&a);
	*n = a.n;
	buf_free(&a.touched);
	buf_free(&a.bodies);
	return r;
}

result admin_flush(struct queue *q, uint64_t *n)
{
	struct acting a = {.q = q, .act = ADMIN_RETRY, .now = clock_wall_ms(), .touched = buf_new(SIZE_MAX),
		.bodies = buf_new(SIZE_MAX)};
	result r = act(&a);
	*n = a.n;
	buf_free(&a.touched);
	buf_free(&a.bodies);
	return r.kind == FAIL_ABSENT || r.kind == FAIL_BUSY ? OK : r;
}

/* ---- suppressed addresses ---- */

struct lifting {
	str address;
	bool there;
};

static result run_lift(struct db *db, void *arg)
{
	struct lifting *l = arg;
	TRY(suppress_known(db, l->address));
	l->there = db_changed(db) > 0;
	return OK;
}

result admin_lift(struct queue *q, str address)
{
	struct lifting l = {.address = address};
	TRY(items_write(q, run_lift, NULL, &l));
	return l.there ? OK : failure(FAIL_ABSENT, "that address is not suppressed");
}
