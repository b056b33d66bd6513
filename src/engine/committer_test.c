#include "engine/committer.h"
#include "base/mem.h"
#include "base/test.h"
#include "engine/files_sim.h"
#include "engine/query.h"
#include "run/effort.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"

#include <semaphore.h>
#include <stdatomic.h>

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";
static const char *const steps[] = {"CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB)"};
static const struct db_schema schema = {steps, 1};

enum { MANY = 40, LOG_FRAMES = 100 };

struct writer {
	int64_t n, size;
	enum fail_kind fail; /* after its row is written */
	bool reads;
	uint64_t effort_ms; /* its fiber's; 0: none */
	bool endless;       /* its statement ends only with that */
	bool unsettled; /* as it found the database */
	int runs;
	int64_t seen;        /* rows in the table when it ran */
	result r;
};

static struct committer *committer, *closing;
static struct sim *sim;
static unsigned running;
static struct gate done;
static struct writer *order[MANY];
static size_t order_n;

static result run(struct db *db, void *arg)
{
	struct writer *w = arg;
	w->runs++;
	w->unsettled = db_unsettled(db);
	if (w->endless)
		TRY(db_run(db, "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM c)"
			" SELECT x, NULL FROM c WHERE x < 2000"));
	else if (!w->reads)
		TRY(db_run(db, "INSERT INTO t VALUES(?1, zeroblob(?2))", DB_INT(w->n), DB_INT(w->size)));
	TRY(db_get(db, &w->seen, "SELECT count(*) FROM t"));
	return w->fail ? failure(w->fail, "as the test wants") : OK;
}

static void kept(void *arg)
{
	order[order_n++] = arg;
}

static void one(void *arg)
{
	struct writer *w = arg;
	struct effort e;
	if (w->effort_ms)
		effort_begin(&e, w->effort_ms);
	w->r = committer_do(committer, &(struct commit_job){run, kept, w, !w->reads});
	effort_end();
	if (--running == 0)
		gate_wake_all(&done);
}

/* Holds the thread up until all the others are queued behind it: one batch. */
static sem_t may_go;
static atomic_bool holding;

static result hold_up(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	atomic_store(&holding, true);
	must(sem_wait(&may_go) == 0);
	return OK;
}

static void holder(void *arg)
{
	(void)arg;
	assert_ok(committer_do(committer, &(struct commit_job){hold_up, NULL, NULL, false}));
	if (--running == 0)
		gate_wake_all(&done);
}

static void hold(void)
{
	atomic_store(&holding, false);
	must(sem_init(&may_go, 0, 0) == 0);
	assert_ok(fiber_start(holder, NULL, "holder", NULL));
	while (!atomic_load(&holding))
		fiber_yield();
}

static void let_go(void)
{
	must(sem_post(&may_go) == 0);
	while (running)
		assert_ok(gate_wait(&done, FIBER_FOREVER));
	sem_destroy(&may_go);
}

static void all(struct writer *w, size_t n)
{
	running = (unsigned)n + 1;
	order_n = 0;
	hold();
	for (size_t i = 0; i < n; i++)
		assert_ok(fiber_start(one, &w[i], "writer", NULL));
	fiber_yield();
	let_go();
}

static int64_t rows(void)
{
	struct writer w = {.reads = true};
	assert_ok(committer_do(committer, &(struct commit_job){run, NULL, &w, false}));
	return w.seen;
}

static void many_share_a_commit(void)
{
	struct writer w[MANY] = {0};
	for (int i = 0; i < MANY; i++)
		w[i].n = i;
	size_t before = committer_commits(committer);
	all(w, MANY);
	for (int i = 0; i < MANY; i++)
		assert_ok(w[i].r);
	assert_int_equal(rows(), MANY);
	assert_int_equal(committer_commits(committer), before + 1);
	for (int i = 0; i < MANY; i++)
		assert_ptr_equal(order[i], &w[i]);
}

static void one_that_fails_rolls_back_alone(void)
{
	struct writer w[4] = {{.n = 1}, {.n = 2, .fail = FAIL_ABSENT}, {.n = 1}, {.n = 4}};
	all(w, 4);
	assert_ok(w[0].r);
	assert_int_equal(w[1].r.kind, FAIL_ABSENT);
	assert_int_equal(w[2].r.kind, FAIL_EXISTS);
	assert_ok(w[3].r);
	assert_int_equal(rows(), 2);
	assert_int_equal(order_n, 2);
	assert_int_equal(w[3].runs, 1);
}

/* SQLite takes the others' rows along, so each is tried alone. */
static void one_that_does_not_end_is_ended(void)
{
	struct writer w[3] = {{.n = 1}, {.effort_ms = 20, .endless = true}, {.n = 3}};
	all(w, 3);
	assert_ok(w[0].r);
	assert_int_equal(w[1].r.kind, FAIL_LIMIT);
	assert_ok(w[2].r);
	assert_int_equal(rows(), 2);
	assert_int_equal(order_n, 2);
}

static void readers_come_after_the_batch(void)
{
	struct writer w[3] = {{.reads = true}, {.n = 1}, {.n = 2}};
	all(w, 3);
	assert_int_equal(w[0].seen, 2);
	assert_ptr_equal(order[2], &w[0]);
}

/* The disk refuses the commit's writes: with no room each is tried alone. */
static void a_full_disk_fails_each_alone(void)
{
	struct writer w[3] = {{.n = 1}, {.n = 2}, {.n = 3}};
	sim_fault_at(sim, SIM_FULL_COPYING, 1);
	all(w, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(w[i].r.kind, FAIL_FULL);
		assert_int_equal(w[i].runs, 2);
	}
	assert_int_equal(order_n, 0);
	sim_fault_at(sim, SIM_NONE, 0);
	assert_int_equal(rows(), 0);
	all(w, 3);
	assert_int_equal(rows(), 3);
}

static void a_refused_write_fails_the_batch(void)
{
	struct writer w[2] = {{.n = 1}, {.n = 2}};
	sim_fault_at(sim, SIM_REFUSE, 1);
	all(w, 2);
	assert_int_equal(w[0].r.kind, FAIL_DISK);
	assert_int_equal(w[1].r.kind, FAIL_DISK);
	assert_int_equal(order_n, 0);
}

static result measure(struct db *db, void *arg)
{
	(void)db;
	*(size_t *)arg = sim_bytes(sim, "t.db").n;
	return OK;
}

static size_t database_size(void)
{
	size_t n = 0;
	assert_ok(committer_do(committer, &(struct commit_job){measure, NULL, &n, false}));
	return n;
}

/* The log is carried over when there is time, before a commit has to. */
static void the_log_is_carried_over_in_a_lull(void)
{
	size_t before = database_size(), room = LOG_FRAMES * 3 / 4 * SEAL_PAGE;
	struct writer w = {.n = 1, .size = (int64_t)room}, later = {.n = 2};
	all(&w, 1);
	assert_ok(w.r);
	assert_false(w.unsettled);
	for (int i = 0; i < 1000 && database_size() < before + room; i++)
		assert_ok(fiber_sleep(1));
	assert_true(database_size() >= before + room);
	all(&later, 1);
	assert_false(later.unsettled);
}

static void cancelled(void *arg)
{
	struct writer *w = arg;
	fiber_cancel(fiber_self());
	one(w);
}

static void a_cancelled_fiber_still_waits(void)
{
	struct writer w = {.n = 1};
	running = 1;
	assert_ok(fiber_start(cancelled, &w, "cancelled", NULL));
	while (running)
		assert_ok(gate_wait(&done, FIBER_FOREVER));
	assert_ok(w.r);
	assert_int_equal(rows(), 1);
}

static void close_now(void *arg)
{
	(void)arg;
	committer_close(&closing);
	committer = NULL;
}

static void closing_drains(void)
{
	struct writer w[2] = {{.n = 1}, {.n = 2}};
	closing = committer;
	running = 3;
	hold();
	assert_ok(fiber_start(one, &w[0], "writer", NULL));
	fiber_yield();
	assert_ok(fiber_start(close_now, NULL, "closer", NULL));
	assert_ok(fiber_start(one, &w[1], "writer", NULL));
	fiber_yield();
	let_go();
	while (committer)
		fiber_yield();
	assert_ok(w[0].r);
	assert_int_equal(w[1].r.kind, FAIL_CLOSED);
}

static void opened(void *arg)
{
	struct db_options o = {.files = sim_files(sim), .path = "t.db", .key = key, .id = id, .schema = &schema,
		.log_frames = LOG_FRAMES};
	struct db *db = NULL;
	void (*test)(void) = *(void (**)(void))arg;
	assert_ok(db_open(&o, &db));
	assert_ok(committer_open(&db, &committer));
	assert_null(db);
	test();
	sim_fault_at(sim, SIM_NONE, 0);
	committer_close(&committer);
}

static void on_a_fiber(void (*test)(void))
{
	sim = sim_new(3);
	assert_ok(loop_open());
	gate_init(&done);
	assert_ok(fiber_start(opened, &test, "test", NULL));
	loop_run();
	loop_close();
	sim_free(&sim);
}

#define TESTS(X) \
	X(many_share_a_commit) X(one_that_fails_rolls_back_alone) X(one_that_does_not_end_is_ended) \
	X(readers_come_after_the_batch) X(a_full_disk_fails_each_alone) X(a_refused_write_fails_the_batch) \
	X(a_cancelled_fiber_still_waits) X(the_log_is_carried_over_in_a_lull) X(closing_drains)
#define RUN(NAME) static void test_##NAME(void **state) { (void)state; on_a_fiber(NAME); }
TESTS(RUN)

int main(void)
{
#define UNIT(NAME) cmocka_unit_test(test_##NAME),
	const struct CMUnitTest tests[] = {TESTS(UNIT)};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
