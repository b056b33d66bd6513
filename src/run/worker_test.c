#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/worker.h"

struct add {
	struct job job;
	int value;
	size_t batch; /* how many came together */
};

static struct {
	struct worker *worker;
	int sum;
	size_t calls;
	int delay_ms;
	_Atomic bool held; /* the thread waits while this is set */
	_Atomic int busy;
	_Atomic int busiest;
	size_t refused;
	size_t cancelled;
	size_t done;
} w;

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void add_all(void *ctx, struct job **jobs, size_t n)
{
	(void)ctx;
	int busy = atomic_fetch_add(&w.busy, 1) + 1;
	if (busy > atomic_load(&w.busiest))
		atomic_store(&w.busiest, busy);
	while (atomic_load(&w.held))
		pause_ms(1);
	if (w.delay_ms)
		pause_ms(w.delay_ms);
	for (size_t i = 0; i < n; i++) {
		struct add *a = (struct add *)jobs[i];
		a->batch = n;
		a->value *= 2;
	}
	atomic_fetch_sub(&w.busy, 1);
}

static void open_worker(size_t threads, size_t queue_max, size_t batch_max)
{
	struct worker_plan plan = {.run = add_all, .name = "test", .threads = threads, .queue_max = queue_max,
		.batch_max = batch_max};
	assert_ok(worker_open(&plan, &w.worker));
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	return failed(loop_open()) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	worker_close(&w.worker);
	loop_close();
	return 0;
}

static void one_job(void *arg)
{
	(void)arg;
	struct add a = {.value = 21};
	result r = worker_run(w.worker, &a.job);
	if (r.kind == FAIL_BUSY) {
		w.refused++;
	} else if (r.kind == FAIL_CANCELLED) {
		w.cancelled++;
		assert_int_equal(a.value, 21);
	} else {
		assert_int_equal(a.value, 42);
		w.done++;
		if (a.batch > w.calls)
			w.calls = a.batch;
	}
}

static void start_jobs(int n)
{
	for (int i = 0; i < n; i++)
		assert_ok(fiber_start(one_job, NULL, "job", NULL));
}

static void jobs_of_one_turn_come_as_one_batch(void **state)
{
	(void)state;
	open_worker(1, 1000, 0);
	start_jobs(1); /* now the thread is there and waits */
	loop_run();
	start_jobs(300);
	loop_run();
	assert_int_equal(w.done, 301);
	assert_int_equal(w.calls, 300);
}

static void batches_keep_to_their_limit(void **state)
{
	(void)state;
	open_worker(1, 1000, 7);
	start_jobs(100);
	loop_run();
	assert_int_equal(w.done, 100);
	assert_int_equal(w.calls, 7);
}

static void a_full_queue_is_busy(void **state)
{
	(void)state;
	open_worker(1, 10, 0);
	start_jobs(1); /* now the thread is there and waits */
	loop_run();
	start_jobs(15);
	loop_run();
	assert_int_equal(w.done, 11);
	assert_int_equal(w.refused, 5);
}

static void several_threads_share_a_queue(void **state)
{
	(void)state;
	w.delay_ms = 3;
	open_worker(3, 100, 1);
	start_jobs(30);
	loop_run();
	assert_int_equal(w.done, 30);
	assert_int_equal(w.calls, 1);
	assert_int_equal(atomic_load(&w.busiest), 3);
}

static void cancel_while_held(void *arg)
{
	(void)arg;
	while (!atomic_load(&w.busy))
		assert_ok(fiber_sleep(1));
	start_jobs(4); /* these wait behind the one that is held */
	fiber_yield();
	loop_end();
	fiber_yield();
	fiber_yield();
	assert_int_equal(w.done, 0);
	atomic_store(&w.held, false);
}

static void cancel_withdraws_what_was_not_begun(void **state)
{
	(void)state;
	open_worker(1, 100, 0);
	atomic_store(&w.held, true);
	start_jobs(1);
	assert_ok(fiber_start(cancel_while_held, NULL, "canceller", NULL));
	loop_run();
	assert_int_equal(w.cancelled, 4);
	assert_int_equal(w.done, 1); /* a thread held its memory: it was waited for */
}

static void cleanup_job(void *arg)
{
	(void)arg;
	assert_int_equal(fiber_sleep(100000).kind, FAIL_CANCELLED);
	struct add a = {.value = 21};
	assert_int_equal(worker_run(w.worker, &a.job).kind, FAIL_CANCELLED);
	assert_ok(worker_run_always(w.worker, &a.job));
	assert_int_equal(a.value, 42);
	w.done++;
}

static void end_all(void *arg)
{
	(void)arg;
	fiber_yield();
	loop_end();
}

static void cleanup_runs_on_a_cancelled_fiber(void **state)
{
	(void)state;
	open_worker(1, 100, 0);
	assert_ok(fiber_start(cleanup_job, NULL, "cleanup", NULL));
	assert_ok(fiber_start(end_all, NULL, "end", NULL));
	loop_run();
	assert_int_equal(w.done, 1);
}

static void refused_memory_opens_nothing(void **state)
{
	(void)state;
	struct worker_plan plan = {.run = add_all, .name = "test", .threads = 2, .queue_max = 10};
	for (uint64_t n = 1; ; n++) {
		mem_fail_at(n);
		result r = worker_open(&plan, &w.worker);
		mem_fail_at(0);
		if (!failed(r)) {
			assert_int_equal(n, 6); /* the worker, and for each thread its start and its batch */
			break;
		}
		assert_int_equal(r.kind, FAIL_MEMORY);
	}
}

/* ---- brief jobs, which the loop may run ---- */

static struct {
	pthread_t loop;
	_Atomic size_t here, there; /* batches */
	long takes_ms;
	_Atomic int inside;
} brief;

static void note_where(void *ctx, struct job **jobs, size_t n)
{
	assert_int_equal(atomic_fetch_add(&brief.inside, 1), 0); /* never two at the same time */
	if (brief.takes_ms)
		pause_ms(brief.takes_ms);
	if (pthread_equal(pthread_self(), brief.loop))
		brief.here++;
	else
		brief.there++;
	atomic_fetch_sub(&brief.inside, 1);
	add_all(ctx, jobs, n);
}

static char state_of(const char *thread)
{
	char path[64], line[512] = "";
	snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
	FILE *f = fopen(path, "r");
	if (f) {
		assert_non_null(fgets(line, sizeof line, f));
		fclose(f);
	}
	const char *after = strrchr(line, ')');
	return after ? after[2] : 'S'; /* it has ended */
}

static bool all_others_sleep(void)
{
	char own[32];
	bool sleep = true;
	snprintf(own, sizeof own, "%ld", (long)gettid());
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (struct dirent *e; (e = readdir(tasks));)
		if (e->d_name[0] != '.' && strcmp(e->d_name, own) != 0)
			sleep = sleep && state_of(e->d_name) == 'S';
	closedir(tasks);
	return sleep;
}

/* A thread that has only begun, and does not wait yet, takes what it finds. */
static void wait_for_thread(void)
{
	for (int i = 0; i < 10000 && !all_others_sleep(); i++)
		pause_ms(1);
}

static void open_for_brief_up_to(uint64_t brief_ns, size_t batch_max)
{
	struct worker_plan plan = {.run = note_where, .name = "test", .queue_max = 1000, .batch_max = batch_max,
		.brief_ns = brief_ns};
	brief.loop = pthread_self();
	brief.here = brief.there = 0;
	brief.takes_ms = 0;
	assert_ok(worker_open(&plan, &w.worker));
	wait_for_thread();
}

static void open_for_brief(void)
{
	open_for_brief_up_to(1000000, 0);
}

static void run_as(bool is_brief)
{
	struct add a = {.job.brief = is_brief, .value = 21};
	assert_ok(worker_run(w.worker, &a.job));
	assert_int_equal(a.value, 42);
	w.done++;
}

static void brief_job(void *arg)
{
	(void)arg;
	run_as(true);
}

static void long_job(void *arg)
{
	(void)arg;
	run_as(false);
}

static void turn_of(size_t brief_ones, size_t long_ones)
{
	for (size_t i = 0; i < brief_ones; i++)
		assert_ok(fiber_start(brief_job, NULL, "brief", NULL));
	for (size_t i = 0; i < long_ones; i++)
		assert_ok(fiber_start(long_job, NULL, "long", NULL));
	loop_run();
}

static void the_loop_runs_a_turn_of_brief_jobs(void **state)
{
	(void)state;
	open_for_brief_up_to(UINT64_C(10000000000), 10);
	turn_of(25, 0);
	assert_int_equal(w.done, 25);
	assert_int_equal(brief.here, 3);
	assert_int_equal(brief.there, 0);
	turn_of(3, 1); /* one long one takes all along */
	assert_int_equal(w.done, 29);
	assert_int_equal(brief.here, 3);
	assert_int_equal(brief.there, 1);
}

static void slow_batches_go_to_the_thread(void **state)
{
	(void)state;
	open_for_brief();
	brief.takes_ms = 20;
	turn_of(1, 0);
	assert_int_equal(brief.here, 1);
	turn_of(1, 0);
	assert_int_equal(brief.there, 1);
	brief.takes_ms = 0;
	for (int i = 0; i < 100 && brief.here == 1; i++)
		turn_of(1, 0);
	assert_int_equal(brief.here, 2); /* quick ones bring them back */
	assert_true(brief.there > 2);
}

static size_t gathered[3]; /* how many each went with, by when it came */

struct comer {
	size_t turn; /* of the loop */
	bool gathers;
};

static void come(void *arg)
{
	const struct comer *c = arg;
	struct add a = {.job = {.brief = true, .gathers = c->gathers}, .value = 21};
	for (size_t i = 0; i < c->turn; i++)
		fiber_yield();
	assert_ok(worker_run(w.worker, &a.job));
	gathered[c->turn] = a.batch;
}

static void come_all(bool first_gathers)
{
	struct comer c[] = {{0, first_gathers}, {1, true}, {2, true}};
	memset(gathered, 0, sizeof gathered);
	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		assert_ok(fiber_start(come, &c[i], "comer", NULL));
	loop_run();
}

static void a_batch_that_gathers_waits_for_who_has_come(void **state)
{
	(void)state;
	open_for_brief_up_to(UINT64_C(10000000000), 0);
	come_all(true);
	for (size_t i = 0; i < WORKER_LOOKS; i++)
		assert_true(gathered[i] >= 2);
	assert_int_equal(brief.there, 0);
	size_t batches = brief.here;
	assert_true(batches < 3);
	come_all(false); /* one that does not wait takes along who is there */
	assert_int_equal(gathered[0], 1);
	assert_int_equal(gathered[1], 2);
	assert_int_equal(gathered[2], 2);
}

/* ---- work that nobody waits for ---- */

static struct {
	_Atomic size_t dues, times;
	bool here; /* it ran on the loop's thread */
	size_t done_before;
} tidied;

static bool is_due(void *ctx)
{
	(void)ctx;
	return tidied.dues > 0;
}

static void tidy_up(void *ctx)
{
	(void)ctx;
	assert_int_equal(atomic_fetch_add(&brief.inside, 1), 0);
	pause_ms(20);
	tidied.here = tidied.here || pthread_equal(pthread_self(), brief.loop);
	tidied.dues--;
	tidied.times++;
	atomic_fetch_sub(&brief.inside, 1);
}

/* Its answer is there before the tidying has ended; what comes meanwhile waits for it. */
static void job_then_another(void *arg)
{
	bool *is_brief = arg;
	run_as(*is_brief);
	assert_int_equal(tidied.times, 0);
	while (!atomic_load(&brief.inside))
		assert_ok(fiber_sleep(1));
	run_as(true);
	assert_int_equal(tidied.times, 1);
}

static void tidying_is_waited_for_by_nobody(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct worker_plan plan = {.run = note_where, .name = "test", .queue_max = 10, .brief_ns = 1000000,
			.due = is_due, .tidy = tidy_up};
		bool is_brief = first;
		memset(&tidied, 0, sizeof tidied);
		tidied.dues = 1;
		open_for_brief();
		worker_close(&w.worker);
		assert_ok(worker_open(&plan, &w.worker));
		assert_ok(fiber_start(job_then_another, &is_brief, "job", NULL));
		loop_run();
		assert_int_equal(brief.here, is_brief ? 1 : 0);
		assert_int_equal(brief.there, is_brief ? 1 : 2);
		assert_false(tidied.here);
		if (first == 0)
			worker_close(&w.worker);
	}
}

static void sleep_then_brief(void *arg)
{
	(void)arg;
	while (!atomic_load(&brief.inside))
		assert_ok(fiber_sleep(1));
	run_as(true);
}

static void no_batch_runs_beside_another(void **state)
{
	(void)state;
	open_for_brief();
	brief.takes_ms = 20;
	assert_ok(fiber_start(long_job, NULL, "long", NULL));
	assert_ok(fiber_start(sleep_then_brief, NULL, "brief", NULL));
	loop_run();
	assert_int_equal(w.done, 2);
	assert_int_equal(brief.here, 0);
	assert_int_equal(brief.there, 2);
}

/* Lets the thread go on and keeps the loop's turn until it has taken all there is. */
static void let_the_thread_be_first(void *arg)
{
	(void)arg;
	atomic_store(&w.held, false);
	while (brief.there < 2 || atomic_load(&w.busy))
		pause_ms(1);
	pause_ms(20); /* it gives its batch back */
}

static void queue_behind_the_held(void *arg)
{
	(void)arg;
	while (!atomic_load(&w.busy))
		assert_ok(fiber_sleep(1));
	assert_ok(fiber_start(brief_job, NULL, "brief", NULL));
	assert_ok(fiber_start(let_the_thread_be_first, NULL, "keeps the turn", NULL));
}

/* A turn's end that finds the queue empty must not be counted as a batch. */
static void a_thread_that_was_first_leaves_nothing_to_the_loop(void **state)
{
	(void)state;
	open_for_brief();
	atomic_store(&w.held, true);
	assert_ok(fiber_start(long_job, NULL, "long", NULL));
	assert_ok(fiber_start(queue_behind_the_held, NULL, "queues", NULL));
	loop_run();
	assert_int_equal(w.done, 2);
	assert_int_equal(brief.here, 0);
	brief.takes_ms = 20;
	assert_ok(fiber_start(long_job, NULL, "long", NULL));
	assert_ok(fiber_start(sleep_then_brief, NULL, "brief", NULL));
	loop_run();
	assert_int_equal(w.done, 4);
	assert_int_equal(brief.here, 0);
}

static void long_job_is_first(void *arg)
{
	(void)arg;
	run_as(false);
	assert_int_equal(w.done, 1);
}

/* Keeps the turn until the thread has given its batch back, of which the loop has not heard then. */
static void brief_behind_it(void *arg)
{
	(void)arg;
	assert_ok(fiber_sleep(1));
	while (!atomic_load(&brief.inside))
		pause_ms(1);
	while (atomic_load(&brief.inside))
		pause_ms(1);
	pause_ms(20);
	brief.takes_ms = 0;
	run_as(true);
	assert_int_equal(w.done, 2);
}

static void jobs_return_in_the_order_they_ran(void **state)
{
	(void)state;
	open_for_brief_up_to(UINT64_C(10000000000), 0);
	brief.takes_ms = 50;
	assert_ok(fiber_start(long_job_is_first, NULL, "long", NULL));
	assert_ok(fiber_start(brief_behind_it, NULL, "brief", NULL));
	loop_run();
	assert_int_equal(w.done, 2);
	assert_int_equal(brief.here, 0); /* the thread was there already */
	assert_int_equal(brief.there, 2);
}

enum { TRIPS = 20000 };

static void many_trips(void *arg)
{
	(void)arg;
	for (int i = 0; i < TRIPS; i++) {
		struct add a = {.value = i};
		assert_ok(worker_run(w.worker, &a.job));
	}
}

static void report_the_cost_of_a_trip(void **state)
{
	(void)state;
	open_worker(1, 100, 0);
	uint64_t began = clock_mono_ns();
	assert_ok(fiber_start(many_trips, NULL, "trips", NULL));
	loop_run();
	printf("a job to a thread and back, alone: %lu ns\n", (unsigned long)((clock_mono_ns() - began) / TRIPS));
}

/* ---- without threads ---- */

static bool untidy_once(void *ctx)
{
	(void)ctx;
	return w.sum == 0;
}

static void tidy_once(void *ctx)
{
	(void)ctx;
	assert_true(pthread_equal(pthread_self(), brief.loop));
	assert_int_equal(w.done, 300); /* who waited was told before */
	w.sum++;
}

static void alone_the_loop_runs_and_tidies_all(void **state)
{
	(void)state;
	struct worker_plan plan = {.run = note_where, .name = "test", .threads = 1, .queue_max = 1000, .batch_max = 7,
		.due = untidy_once, .tidy = tidy_once};
	brief.here = brief.there = 0;
	brief.takes_ms = 0;
	brief.loop = pthread_self();
	worker_test_alone(true);
	assert_ok(worker_open(&plan, &w.worker));
	worker_test_alone(false);
	start_jobs(300);
	loop_run();
	assert_int_equal(w.done, 300);
	assert_int_equal(brief.here, 43);
	assert_int_equal(brief.there, 0);
	assert_int_equal(w.sum, 1);
}

int main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(jobs_of_one_turn_come_as_one_batch), T(batches_keep_to_their_limit), T(a_full_queue_is_busy),
		T(several_threads_share_a_queue), T(cancel_withdraws_what_was_not_begun),
		T(the_loop_runs_a_turn_of_brief_jobs), T(slow_batches_go_to_the_thread), T(no_batch_runs_beside_another),
		T(a_batch_that_gathers_waits_for_who_has_come),
		T(tidying_is_waited_for_by_nobody),
		T(a_thread_that_was_first_leaves_nothing_to_the_loop), T(jobs_return_in_the_order_they_ran),
		T(cleanup_runs_on_a_cancelled_fiber), T(refused_memory_opens_nothing), T(report_the_cost_of_a_trip),
		T(alone_the_loop_runs_and_tidies_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
