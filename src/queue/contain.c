#include "queue/contain.h"

#include "engine/query.h"
#include "queue/items_core.h"
#include "run/clock.h"

struct containing {
	struct queue *q;
	uint64_t account;
	bool release;
	int64_t now, n;
};

#define OF_ACCOUNT " message IN (SELECT id FROM message WHERE account = ?1 AND account > 0)"

result contain_holds(struct db *db, uint64_t account, bool *out)
{
	int64_t there;
	TRY(db_get(db, &there, "SELECT EXISTS (SELECT 1 FROM contained WHERE account = ?1)", DB_INT(account)));
	*out = there != 0;
	return OK;
}

static result run_hold(struct db *db, void *arg)
{
	struct containing *c = arg;
	TRY(db_run(db, "INSERT OR IGNORE INTO contained (account, since) VALUES (?1, ?2)", DB_INT(c->account),
		   DB_INT(c->now)));
	TRY(db_run(db, "UPDATE recipient SET state = 4 WHERE state IN (0, 1) AND" OF_ACCOUNT, DB_INT(c->account)));
	c->n = (int64_t)db_changed(db);
	return OK;
}

static result run_free(struct db *db, void *arg)
{
	struct containing *c = arg;
	TRY(db_run(db, "DELETE FROM contained WHERE account = ?1", DB_INT(c->account)));
	if (!c->release)
		return db_get(db, &c->n, "SELECT count(*) FROM recipient WHERE state = 4 AND" OF_ACCOUNT, DB_INT(c->account));
	/* What its sender wanted to wait waits for its time. */
	TRY(db_run(db, "UPDATE recipient SET state = CASE WHEN (SELECT hold_until FROM message AS m WHERE m.id ="
		" recipient.message) > ?2 THEN 1 WHEN tell = 3 THEN 3 ELSE 0 END, next = ?2 WHERE state = 4 AND" OF_ACCOUNT,
		DB_INT(c->account), DB_INT(c->now)));
	c->n = (int64_t)db_changed(db);
	return OK;
}

/* What lies ready in memory to be sent goes by its row again. */
static void kept_change(void *arg)
{
	const struct containing *c = arg;
	traffic_changed(&c->q->out.traffic);
}

static result change(struct queue *q, struct containing *c, result (*run)(struct db *db, void *arg), uint64_t *n)
{
	c->now = clock_wall_ms();
	c->q = q;
	TRY(items_write(q, run, kept_change, c));
	*n = (uint64_t)c->n;
	return OK;
}

result contain_hold(struct queue *q, uint64_t account, uint64_t *n)
{
	struct containing c = {.account = account};
	return change(q, &c, run_hold, n);
}

result contain_free(struct queue *q, uint64_t account, bool release, uint64_t *n)
{
	struct containing c = {.account = account, .release = release};
	TRY(change(q, &c, run_free, n));
	if (!release)
		return OK;
	q->out.to_tell = true;
	gate_wake_all(&q->out.tell);
	traffic_retry(&q->out.traffic, clock_mono_ms());
	return mail_refresh(q);
}
