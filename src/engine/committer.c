#include "engine/committer.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "engine/db.h"
#include "engine/kept_log.h"
#include "run/effort.h"
#include "run/fiber.h"
#include "run/worker.h"

struct committer {
	struct db *db; /* the store thread's, until it has ended */
	struct worker *worker;
	_Atomic size_t commits;
	size_t waiting;
	struct gate drained;    /* nobody waits, or `watcher` has ended */
	bool closing;
	struct commit_job lull; /* without `run`: none */
	struct fiber *watcher;  /* for a lull; NULL in one */
	bool worked;            /* since it looked */
	buf together; /* the store thread's: records of several jobs */
};

struct queued {
	struct job job; /* first: the worker's */
	struct commit_job what;
	struct effort *effort; /* of who waits for it */
	result r;
};

/* ---- on the store thread ---- */

static struct queued *at(struct job **jobs, size_t i)
{
	return LIST_OWNER(jobs[i], struct queued, job);
}

static bool has_record(const struct commit_job *j)
{
	return j->record != NULL;
}

static bool is_writer(const struct commit_job *j)
{
	return j->writes;
}

/* Some first, and how many; both in their order, since the answers go out in this order. */
static size_t parted(struct job **jobs, size_t n, bool (*is_first)(const struct commit_job *))
{
	struct job *others[COMMITTER_BATCH_MAX];
	size_t first = 0, kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (is_first(&at(jobs, i)->what))
			jobs[first++] = jobs[i];
		else
			others[kept++] = jobs[i];
	}
	for (size_t i = 0; i < kept; i++)
		jobs[first + i] = others[i];
	return first;
}

static result commit(struct committer *c)
{
	TRY(db_commit(c->db));
	atomic_fetch_add_explicit(&c->commits, 1, memory_order_relaxed);
	return OK;
}

static result run_one(struct committer *c, struct queued *q)
{
	effort_lend(q->effort);
	result r = q->what.run(c->db, q->what.arg);
	effort_lend(NULL);
	return r;
}

static void write_alone(struct committer *c, struct queued *q)
{
	q->r = db_begin(c->db);
	if (failed(q->r))
		return;
	q->r = run_one(c, q);
	if (!failed(q->r) && !db_in_transaction(c->db))
		q->r = failure(FAIL_DISK, "the database dropped the change");
	if (failed(q->r))
		db_rollback(c->db);
	else
		q->r = commit(c);
}

/* False when the transaction is lost. */
static bool write_part(struct committer *c, struct queued *q)
{
	q->r = db_part_begin(c->db);
	if (failed(q->r))
		return false;
	q->r = run_one(c, q);
	if (!failed(q->r) && db_in_transaction(c->db))
		q->r = db_part_keep(c->db);
	if (failed(q->r))
		db_part_undo(c->db);
	return db_in_transaction(c->db);
}

/* False when each has to be tried alone. */
static bool write_together(struct committer *c, struct job **jobs, size_t n)
{
	result r = db_begin(c->db);
	for (size_t i = 0; i < n && !failed(r); i++) {
		if (!write_part(c, at(jobs, i))) {
			db_rollback(c->db);
			return false;
		}
	}
	if (!failed(r))
		r = commit(c);
	if (r.kind == FAIL_FULL || r.kind == FAIL_MEMORY)
		return false;
	for (size_t i = 0; i < n && failed(r); i++)
		at(jobs, i)->r = r;
	return true;
}

/* ---- ahead of a commit ---- */

static void keep_these(struct committer *c, struct job **jobs, size_t n, const buf *records)
{
	result r = buf_result(records);
	if (n && !failed(r))
		r = db_keep(c->db, buf_str(records));
	for (size_t i = 0; i < n; i++) {
		struct queued *q = at(jobs, i);
		if (failed(q->r))
			continue;
		q->r = r;
		if (!failed(r))
			q->what.recorded(c->db, q->what.arg);
	}
}

/* As many together as one record may be long. */
static void keep_together(struct committer *c, struct job **jobs, size_t n)
{
	buf *all = &c->together;
	size_t from = 0;
	buf_clear(all);
	for (size_t i = 0; i < n; i++) {
		struct queued *q = at(jobs, i);
		q->r = run_one(c, q);
		str record = failed(q->r) ? STR("") : buf_str(q->what.record);
		if (all->n + record.n > KEPT_RECORD_MAX) {
			keep_these(c, jobs + from, i - from, all);
			buf_clear(all);
			from = i;
		}
		buf_put(all, record);
	}
	keep_these(c, jobs + from, n - from, all);
}

static void keep_alone(struct committer *c, struct job **jobs)
{
	struct queued *q = at(jobs, 0);
	q->r = run_one(c, q);
	if (!failed(q->r))
		keep_these(c, jobs, 1, q->what.record);
}

static void keep_ahead(struct committer *c, struct job **jobs, size_t n)
{
	if (n == 1)
		keep_alone(c, jobs);
	else if (n > 1)
		keep_together(c, jobs, n);
}

static void run_batch(void *ctx, struct job **jobs, size_t all)
{
	struct committer *c = ctx;
	size_t ahead = parted(jobs, all, has_record), n = all - ahead;
	keep_ahead(c, jobs, ahead);
	jobs += ahead;
	size_t writers = parted(jobs, n, is_writer);
	if (writers == 1 || (writers > 1 && !write_together(c, jobs, writers)))
		for (size_t i = 0; i < writers; i++)
			write_alone(c, at(jobs, i));
	for (size_t i = writers; i < n; i++)
		at(jobs, i)->r = run_one(c, at(jobs, i));
}

static bool is_due(void *ctx)
{
	const struct committer *c = ctx;
	return db_unsettled(c->db);
}

/* What fails here is told by a later commit, or was no harm. */
static void settle(void *ctx)
{
	struct committer *c = ctx;
	(void)!failed(db_checkpoint(c->db));
}

/* A log that memory mirrored would go on without its mirror, and dearer, until it begins anew: so it begins anew. */
result committer_give_back(struct db *db, void *arg)
{
	(void)arg;
	result r = db_checkpoint(db);
	db_trim(db);
	return r;
}

const struct commit_job committer_lull = {.run = committer_give_back, .brief = true};

/* ---- on the loop ---- */

static result do_job(struct committer *c, const struct commit_job *job)
{
	struct queued q = {.job = {.brief = job->brief, .gathers = job->gathers}, .what = *job,
		.effort = effort_current()};
	c->waiting++;
	result r = worker_run_always(c->worker, &q.job);
	if (!failed(r))
		r = q.r;
	if (!failed(r) && job->kept)
		job->kept(job->arg);
	if (--c->waiting == 0)
		gate_wake_all(&c->drained);
	return r;
}

/* What fails in a lull is told by a later commit, or was no harm. With the end of a job that is still under way the
 * watch begins anew. */
static void watch_for_lull(void *arg)
{
	struct committer *c = arg;
	while (c->worked) {
		c->worked = false;
		if (failed(fiber_sleep(COMMITTER_LULL_MS)))
			break;
		if (!c->worked && !c->waiting)
			(void)!failed(do_job(c, &c->lull));
	}
	c->watcher = NULL;
	gate_wake_all(&c->drained);
}

/* Where there is no memory for the watcher, work that comes later starts it. */
static void had_work(struct committer *c)
{
	c->worked = true;
	if (c->lull.run && !c->watcher && !c->closing)
		(void)!failed(fiber_start(watch_for_lull, c, "lull", &c->watcher));
}

result committer_open(struct db **db, const struct commit_job *lull, struct committer **out)
{
	struct committer *c = mem_alloc(sizeof *c);
	if (!c) {
		db_close(db);
		return failure(FAIL_MEMORY, "out of memory");
	}
	c->db = *db;
	*db = NULL;
	if (lull)
		c->lull = *lull;
	c->together = buf_new(KEPT_RECORD_MAX);
	gate_init(&c->drained);
	struct worker_plan plan = {
		.run = run_batch,
		.ctx = c,
		.name = "store",
		.queue_max = COMMITTER_QUEUE_MAX,
		.batch_max = COMMITTER_BATCH_MAX,
		.brief_ns = UINT64_C(1000) * COMMITTER_BRIEF_US,
		.due = is_due,
		.tidy = settle,
	};
	result r = worker_open(&plan, &c->worker);
	if (failed(r)) {
		db_close(&c->db);
		mem_free(c);
		return r;
	}
	had_work(c); /* the opening */
	*out = c;
	return OK;
}

void committer_close(struct committer **at)
{
	struct committer *c = *at;
	*at = NULL;
	if (!c)
		return;
	c->closing = true;
	if (c->watcher)
		fiber_cancel(c->watcher);
	while (c->waiting || c->watcher)
		if (failed(gate_wait(&c->drained, FIBER_FOREVER)))
			fiber_yield(); /* cancelled: the jobs end all the same */
	worker_close(&c->worker);
	db_close(&c->db);
	buf_free(&c->together);
	mem_free(c);
}

result committer_do(struct committer *c, const struct commit_job *job)
{
	if (c->closing)
		return failure(FAIL_CLOSED, "the database is being closed");
	result r = do_job(c, job);
	had_work(c);
	return r;
}

size_t committer_commits(const struct committer *c)
{
	return atomic_load_explicit(&c->commits, memory_order_relaxed);
}
