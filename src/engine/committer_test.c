#include "engine/committer.h"
#include "base/mem.h"
#include "base/test.h"
#include "engine/files_sim.h"
#include "engine/query.h"
#include "run/clock.h"
#include "run/effort.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"

#include <semaphore.h>
#include <stdatomic.h>

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";
static const char *const steps[] = {"CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB);"
				    "CREATE TABLE kept (generation INTEGER NOT NULL); INSERT INTO kept VALUES(0)"};
static const struct db_schema schema = {.steps = steps, .count = 1, .kept_since = 1};

enum { MANY = 40, LOG_FRAMES = 100, TURNS = 8, PATIENCE = 100000, LULL = COMMITTER_LULL_MS };

struct writer {
	int64_t n, size;
	enum fail_kind fail; /* after its row is written */
	bool reads;
	buf *record; /* it keeps this ahead of a commit */
	unsigned recorded;
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
	else if (!w->reads && !w->record)
		TRY(db_run(db, "INSERT INTO t VALUES(?1, zeroblob(?2))", DB_INT(w->n), DB_INT(w->size)));
	TRY(db_get(db, &w->seen, "SELECT count(*) FROM t"));
	return w->fail ? failure(w->fail, "as the test wants") : OK;
}

static void kept(void *arg)
{
	order[order_n++] = arg;
}

static void recorded(struct db *db, void *arg)
{
	struct writer *w = arg;
	(void)db;
	w->recorded++;
}

static void one(void *arg)
{
	struct writer *w = arg;
	struct effort e;
	if (w->effort_ms)
		effort_begin(&e, w->effort_ms);
	w->r = committer_do(committer, &(struct commit_job){.run = run, .kept = kept, .arg = w,
		.writes = !w->reads && !w->record, .record = w->record, .recorded = recorded});
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

/* ---- records ---- */

static result add_record(void *ctx, str record)
{
	buf_put(ctx, record);
	return OK;
}

static result read_kept(struct db *db, void *arg)
{
	return db_kept_each(db, add_record, arg);
}

static void expect_records(str want)
{
	AUTO_BUF buf all = buf_new(4 << 20);
	assert_ok(committer_do(committer, &(struct commit_job){.run = read_kept, .arg = &all}));
	assert_str(buf_str(&all), want);
}

static buf record_of(char c, size_t n)
{
	buf b = buf_new(1 << 20);
	while (b.n < n)
		buf_putc(&b, c);
	return b;
}

static void records_come_first_by_one_flush(void)
{
	AUTO_BUF buf a = record_of('a', 10), b = record_of('b', 10), c = record_of('c', 10);
	struct writer w[5] = {
		{.n = 1}, {.record = &a}, {.record = &b, .fail = FAIL_LIMIT}, {.reads = true}, {.record = &c}};
	sim_fault_at(sim, SIM_NONE, 0);
	expect_records(STR(""));
	all(w, 5);
	assert_int_equal(w[1].seen, 0);
	assert_int_equal(w[3].seen, 1);
	assert_int_equal(w[2].r.kind, FAIL_LIMIT);
	assert_int_equal(w[1].recorded + w[4].recorded, 2);
	assert_int_equal(w[2].recorded, 0);
	assert_ptr_equal(order[0], &w[1]);
	assert_ptr_equal(order[1], &w[4]);
	assert_ptr_equal(order[2], &w[0]);
	expect_records(STR("aaaaaaaaaacccccccccc"));
	uint64_t alone, together;
	struct writer again[2] = {{.record = &a}, {.record = &c}};
	sim_fault_at(sim, SIM_NONE, 0);
	all(again, 1);
	alone = sim_steps(sim);
	sim_fault_at(sim, SIM_NONE, 0);
	all(again, 2);
	together = sim_steps(sim);
	assert_true(alone > 0);
	assert_int_equal(together, alone);
}

/* More than one record's length go into several. */
static void long_records_are_several(void)
{
	enum { LONG = 14000, N = 5 };
	struct writer w[N] = {0};
	buf b[N];
	for (int i = 0; i < N; i++) {
		b[i] = record_of((char)('a' + i), LONG);
		w[i].record = &b[i];
	}
	all(w, N);
	AUTO_BUF buf want = buf_new(1 << 20);
	for (int i = 0; i < N; i++) {
		assert_ok(w[i].r);
		assert_int_equal(w[i].recorded, 1);
		buf_put(&want, buf_str(&b[i]));
		buf_free(&b[i]);
	}
	expect_records(buf_str(&want));
}

static void records_that_are_not_kept_are_told(void)
{
	AUTO_BUF buf a = record_of('a', 10), b = record_of('b', 10);
	struct writer w[2] = {{.record = &a}, {.record = &b}};
	sim_fault_at(sim, SIM_REFUSE, 1);
	all(w, 2);
	sim_fault_at(sim, SIM_NONE, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(w[i].r.kind, FAIL_DISK);
		assert_int_equal(w[i].recorded, 0);
	}
	assert_int_equal(order_n, 0);
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

/* ---- lulls: the clock is held ---- */

static atomic_uint lulls;

static result count_lull(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	lulls++;
	return OK;
}

static result count_held_lull(struct db *db, void *arg)
{
	lulls++;
	return hold_up(db, arg);
}

static const struct commit_job counted = {.run = count_lull, .brief = true}, held = {.run = count_held_lull};

static void pass(uint64_t ms)
{
	clock_test_advance(ms);
	for (int i = 0; i < TURNS; i++)
		fiber_yield();
}

static void work(void)
{
	struct writer w = {.reads = true};
	assert_ok(committer_do(committer, &(struct commit_job){.run = run, .arg = &w, .brief = true}));
	pass(0);
}

/* The thread may have its job. */
static void expect_lulls(unsigned n)
{
	for (int i = 0; i < PATIENCE && lulls < n; i++)
		fiber_yield();
	assert_int_equal(lulls, n);
}

static void each_lull_is_used_once(void)
{
	pass(0);
	pass(LULL);
	expect_lulls(1); /* after the opening */
	lulls = 0;
	for (unsigned i = 0; i < 3; i++) {
		work();
		pass(LULL - 1);
		assert_int_equal(lulls, i);
		pass(1);
		expect_lulls(i + 1);
		assert_true(fiber_test_due() == FIBER_FOREVER); /* nothing wakes a process to which nothing happens */
		pass(10 * LULL);
		assert_int_equal(lulls, i + 1);
	}
}

static void work_puts_a_lull_off(void)
{
	for (int i = 0; i < 5; i++) {
		work();
		pass(LULL - 1);
		assert_int_equal(lulls, 0);
	}
	pass(LULL);
	pass(LULL);
	expect_lulls(1);
}

static void a_long_job_is_no_lull(void)
{
	running = 1;
	hold();
	for (int i = 0; i < 5; i++)
		pass(LULL);
	assert_int_equal(lulls, 0);
	let_go();
	pass(0);
	pass(LULL - 1);
	assert_int_equal(lulls, 0);
	pass(1);
	expect_lulls(1);
}

/* Its job is with the thread. */
static void begin_held_lull(void)
{
	atomic_store(&holding, false);
	must(sem_init(&may_go, 0, 0) == 0);
	work();
	for (int i = 0; i < PATIENCE && !atomic_load(&holding); i++)
		pass(LULL);
	assert_true(holding);
}

static void who_comes_in_a_lull_begins_another(void)
{
	struct writer w = {.n = 1};
	begin_held_lull();
	running = 1;
	assert_ok(fiber_start(one, &w, "writer", NULL));
	fiber_yield();
	assert_int_equal(running, 1);
	must(sem_post(&may_go) == 0);
	must(sem_post(&may_go) == 0);
	while (running)
		assert_ok(gate_wait(&done, FIBER_FOREVER));
	assert_ok(w.r);
	for (int i = 0; i < 1000 && lulls < 2; i++)
		pass(LULL);
	committer_close(&committer);
	expect_lulls(2);
	sem_destroy(&may_go);
}

static void closing_ends_the_watch_for_one(void)
{
	work();
	pass(1);
	committer_close(&committer);
	pass(10 * LULL);
	assert_int_equal(lulls, 0);
	assert_true(fiber_test_due() == FIBER_FOREVER);
}

static void closing_waits_for_one(void)
{
	begin_held_lull();
	closing = committer;
	assert_ok(fiber_start(close_now, NULL, "closer", NULL));
	pass(1);
	assert_non_null(committer);
	must(sem_post(&may_go) == 0);
	while (committer)
		fiber_yield();
	expect_lulls(1);
	sem_destroy(&may_go);
}

static result ask_cache(struct db *db, void *arg)
{
	int most;
	must(sqlite3_db_status(db_handle(db), SQLITE_DBSTATUS_CACHE_USED, arg, &most, 0) == SQLITE_OK);
	return OK;
}

static int cache_size(void)
{
	int n = 0;
	assert_ok(committer_do(committer, &(struct commit_job){.run = ask_cache, .arg = &n, .brief = true}));
	return n;
}

/* The cache goes, and the log is carried over first. */
static void a_lull_gives_memory_back(void)
{
	enum { SIZE = 200 * 1000 };
	struct writer w = {.n = 1, .size = SIZE};
	assert_ok(committer_do(committer, &(struct commit_job){run, NULL, &w, true}));
	pass(0);
	assert_true(cache_size() > SIZE);
	pass(LULL);
	pass(LULL);
	assert_true(cache_size() < SIZE / 10);
	assert_true(sim_bytes(sim, "t.db").n > SIZE);
	assert_int_equal(rows(), 1);
}

/* The N-th allocation from the first job on: that job is refused, or all is as ever but that the next one has to begin
 * the watch. */
static uint64_t refused;
static bool reached;
static unsigned unnoticed;

static void memory_is_refused(void)
{
	struct writer w = {.n = 1};
	mem_fail_at(refused);
	w.r = committer_do(committer, &(struct commit_job){.run = run, .arg = &w, .writes = true, .brief = true});
	reached = mem_count() >= refused;
	mem_fail_at(0);
	unnoticed += reached && !failed(w.r);
	assert_true(!failed(w.r) || w.r.kind == FAIL_MEMORY);
	work();
	pass(LULL);
	pass(LULL);
	expect_lulls(1);
}

/* ---- */

struct opening {
	void (*test)(void);
	const struct commit_job *lull;
};

static void opened(void *arg)
{
	struct db_options o = {.files = sim_files(sim), .path = "t.db", .key = key, .id = id, .schema = &schema,
		.log_frames = LOG_FRAMES};
	struct db *db = NULL;
	const struct opening *is = arg;
	assert_ok(db_open(&o, &db));
	assert_ok(committer_open(&db, is->lull, &committer));
	assert_null(db);
	is->test();
	sim_fault_at(sim, SIM_NONE, 0);
	committer_close(&committer);
}

static void on_a_fiber(void (*test)(void), const struct commit_job *lull)
{
	struct opening is = {test, lull};
	sim = sim_new(3);
	assert_ok(loop_open());
	gate_init(&done);
	assert_ok(fiber_start(opened, &is, "test", NULL));
	loop_run();
	loop_close();
	sim_free(&sim);
}

#define TESTS(X) \
	X(many_share_a_commit) X(one_that_fails_rolls_back_alone) X(one_that_does_not_end_is_ended) \
	X(readers_come_after_the_batch) X(a_full_disk_fails_each_alone) X(a_refused_write_fails_the_batch) \
	X(records_come_first_by_one_flush) X(long_records_are_several) X(records_that_are_not_kept_are_told) \
	X(a_cancelled_fiber_still_waits) X(the_log_is_carried_over_in_a_lull) X(closing_drains)
#define RUN(NAME) static void test_##NAME(void **state) { (void)state; on_a_fiber(NAME, NULL); }
TESTS(RUN)

static void in_a_lull(void (*test)(void), const struct commit_job *lull)
{
	lulls = 0;
	clock_test_hold(0);
	on_a_fiber(test, lull);
	clock_test_release();
}

#define LULL_TESTS(X) \
	X(each_lull_is_used_once, counted) X(work_puts_a_lull_off, counted) X(a_long_job_is_no_lull, counted) \
	X(who_comes_in_a_lull_begins_another, held) X(closing_ends_the_watch_for_one, counted) \
	X(closing_waits_for_one, held) X(a_lull_gives_memory_back, committer_lull)
#define RUN_LULL(NAME, JOB) static void test_##NAME(void **state) { (void)state; in_a_lull(NAME, &JOB); }
LULL_TESTS(RUN_LULL)

static void test_memory_is_refused(void **state)
{
	(void)state;
	refused = unnoticed = 0;
	do {
		refused++;
		in_a_lull(memory_is_refused, &counted);
	} while (reached);
	assert_true(unnoticed > 0);
}

int main(void)
{
#define UNIT(NAME) cmocka_unit_test(test_##NAME),
#define LULL_UNIT(NAME, JOB) UNIT(NAME)
	const struct CMUnitTest tests[] = {TESTS(UNIT) LULL_TESTS(LULL_UNIT) UNIT(memory_is_refused)};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
