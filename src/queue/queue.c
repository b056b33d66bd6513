#include "queue/queue.h"

#include "queue/courier.h"
#include "queue/fresh.h"
#include "queue/items.h"
#include "queue/mail.h"
#include "run/clock.h"

struct queue queue;

static result give_back(struct db *db, void *arg)
{
	struct queue *q = arg;
	engine_trim(q->engine);
	return committer_give_back(db, NULL);
}

static result open_store(struct queue *q, const unsigned char *key)
{
	static const unsigned char id[BOX_ID] = "queue";
	struct db_options o = {.path = "queue.db", .key = key, .id = id, .schema = &items_schema,
		.log_frames = QUEUE_LOG_FRAMES, .mirror = true};
	struct db *db;
	TRY(engine_open_db(q->engine, &o, &db));
	result r = items_recover(db);
	if (r.kind == FAIL_FULL)
		r = OK; /* what was with a courier waits for a start that finds room; the rest goes on */
	if (!failed(r))
		r = items_load_lines(db, q);
	if (!failed(r))
		r = mail_load(db, q);
	if (!failed(r))
		r = items_sweep(q, db);
	if (failed(r)) {
		db_close(&db);
		return r;
	}
	const struct commit_job lull = {.run = give_back, .arg = q, .brief = true};
	return committer_open(&db, &lull, &q->store);
}

static void outward_init(struct outward *o)
{
	struct gate *gates[] = {&o->changed, &o->calmer, &o->alarm, &o->tell, &o->routes.done};
	for (size_t i = 0; i < sizeof gates / sizeof *gates; i++)
		gate_init(gates[i]);
	list_init(&o->parcels);
	tls_days_init(&o->tls);
	traffic_init(&o->traffic, &o->retry, o->sessions_each);
}

result queue_open(struct queue *q, struct files *f, const unsigned char key[QUEUE_KEY])
{
	schedule_init(&q->schedule);
	gate_init(&q->changed);
	gate_init(&q->lighter);
	outward_init(&q->out);
	q->opened = true;
	TRY(engine_hold(f, &q->engine));
	return open_store(q, key);
}

void queue_close(struct queue *q)
{
	if (!q->opened)
		return;
	q->opened = false;
	must(q->couriers == 0 && q->out.carriers == 0);
	committer_close(&q->store);
	engine_release(&q->engine);
	schedule_free(&q->schedule);
	fresh_free(q);
	traffic_free(&q->out.traffic);
	tls_days_free(&q->out.tls);
}

/* The line that a courier can be sent to now; otherwise how long nothing is to do. */
static struct line *due(struct queue *q, uint64_t *wait)
{
	uint64_t now = clock_mono_ms();
	*wait = FIBER_FOREVER;
	if (q->couriers == QUEUE_COURIERS)
		return NULL;
	for (;;) {
		struct line *l = schedule_first(&q->schedule);
		if (!l)
			return NULL;
		if (l->due.at > now) {
			*wait = l->due.at - now;
			return NULL;
		}
		if (!l->exclusive && l->running < QUEUE_COURIERS_EACH)
			return l;
		schedule_set(&q->schedule, l, SCHEDULE_NEVER); /* its couriers look for more by themselves */
	}
}

void queue_run(struct queue *q)
{
	uint64_t wait;
	for (;;) {
		struct line *l = due(q, &wait);
		result r = OK;
		if (l && failed(courier_send(q, l)))
			r = fiber_sleep(QUEUE_DISK_MS);
		else if (!l)
			r = gate_wait(&q->changed, wait);
		if (r.kind == FAIL_CANCELLED)
			return;
	}
}
