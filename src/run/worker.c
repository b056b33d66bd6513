#include "run/worker.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include "base/mem.h"
#include "run/clock.h"
#include "run/fiber_core.h"
#include "run/loop.h"

/* A turn has two ends (fiber.c), and a look lies between turns. */
enum { USUAL_OF = 8, ENDS_OF_TURN = 2 };

/* `lock` guards queue, queued, long_queued, prompt, done, running, untidy, usual_ns and stop; all else is the loop's
 * alone. */
struct worker {
	struct worker_plan plan;
	struct round_end ring; /* wakes the threads once a turn */
	uv_async_t finished;
	size_t under_way; /* on the loop's side: handed over and not yet returned */
	pthread_t threads[WORKER_THREADS_MAX];
	size_t started;
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct list queue;
	size_t queued;
	size_t long_queued; /* of them, those that are not brief, */
	size_t prompt;      /* and those that gather nobody */
	struct list done;
	size_t running;     /* batches, and the tidying */
	bool untidy;
	uint64_t usual_ns;  /* of a batch: a running mean */
	struct job **own;   /* the loop's batch; NULL when it runs none */
	unsigned ends;      /* of turns, since the batch to come was first rung for */
	bool stop;
	bool alone; /* a test's: there are no threads */
};

static bool opens_alone;

/* ---- on the threads ---- */

static size_t take(struct worker *w, struct job **jobs)
{
	size_t n = 0;
	while (n < w->plan.batch_max && !list_empty(&w->queue)) {
		struct job *job = LIST_OWNER(w->queue.next, struct job, node);
		list_remove(&job->node);
		job->taken = true;
		w->long_queued -= !job->brief;
		w->prompt -= !job->gathers;
		jobs[n++] = job;
	}
	w->queued -= n;
	w->running += n > 0;
	return n;
}

/* The lock is not held. */
static uint64_t run_batch(struct worker *w, struct job **jobs, size_t n)
{
	uint64_t start = w->plan.brief_ns ? clock_mono_ns() : 0;
	w->plan.run(w->plan.ctx, jobs, n);
	return w->plan.brief_ns ? clock_mono_ns() - start : 0;
}

/* The lock is held. */
static void ran(struct worker *w, uint64_t took)
{
	w->untidy = w->plan.due && w->plan.due(w->plan.ctx);
	w->running--;
	w->usual_ns = w->usual_ns - w->usual_ns / USUAL_OF + took / USUAL_OF;
}

/* Who is woken finds the lock free. The handle lives until the threads are joined. */
static void give_back(struct worker *w, struct job **jobs, size_t n, uint64_t took)
{
	must(pthread_mutex_lock(&w->lock) == 0);
	ran(w, took);
	for (size_t i = 0; i < n; i++)
		list_insert(&w->done, &jobs[i]->node);
	must(pthread_mutex_unlock(&w->lock) == 0);
	uv_async_send(&w->finished);
}

/* The lock is held. Where the loop runs batches too there is one thread, and never two batches at a time. */
static bool may_run_there(const struct worker *w)
{
	return (w->queued || w->untidy) && !(w->own && w->running);
}

/* The lock is held, and again at the end. */
static void tidy(struct worker *w)
{
	w->untidy = false;
	w->running++;
	must(pthread_mutex_unlock(&w->lock) == 0);
	w->plan.tidy(w->plan.ctx);
	must(pthread_mutex_lock(&w->lock) == 0);
	w->running--;
}

static void work(struct worker *w, struct job **jobs)
{
	must(pthread_mutex_lock(&w->lock) == 0);
	for (;;) {
		while (!may_run_there(w) && !w->stop)
			must(pthread_cond_wait(&w->arrived, &w->lock) == 0);
		size_t n = take(w, jobs);
		if (!n && w->stop)
			break;
		if (!n) {
			tidy(w);
			continue;
		}
		must(pthread_mutex_unlock(&w->lock) == 0);
		give_back(w, jobs, n, run_batch(w, jobs, n));
		must(pthread_mutex_lock(&w->lock) == 0);
	}
	must(pthread_mutex_unlock(&w->lock) == 0);
}

struct start {
	struct worker *worker;
	struct job **jobs;
};

static void *thread_main(void *arg)
{
	struct start *start = arg;
	struct start own = *start;
	mem_free(start);
	pthread_setname_np(pthread_self(), own.worker->plan.name);
	work(own.worker, own.jobs);
	mem_free(own.jobs);
	return NULL;
}

/* ---- on the loop ---- */

static void on_finished(uv_async_t *handle)
{
	struct worker *w = LIST_OWNER(handle, struct worker, finished);
	struct list done;
	list_init(&done);
	must(pthread_mutex_lock(&w->lock) == 0);
	while (!list_empty(&w->done)) {
		struct list *node = w->done.next;
		list_remove(node);
		list_insert(&done, node);
	}
	must(pthread_mutex_unlock(&w->lock) == 0);
	while (!list_empty(&done)) {
		struct job *job = LIST_OWNER(done.next, struct job, node);
		list_remove(&job->node);
		job->done = true;
		fiber_wake(job->fiber);
	}
}

/* A thread that was awake may have taken what the ring is for. What it has done and the loop has not heard of yet comes
 * first: jobs return in the order in which they ran. */
static bool may_run_here(const struct worker *w)
{
	if (w->alone)
		return w->queued > 0;
	return w->own && w->queued && !w->running && list_empty(&w->done) && !w->long_queued &&
		w->usual_ns < w->plan.brief_ns;
}

/* The lock is held and is let go. */
static void run_here(struct worker *w)
{
	size_t n = take(w, w->own);
	must(pthread_mutex_unlock(&w->lock) == 0);
	uint64_t took = run_batch(w, w->own, n);
	must(pthread_mutex_lock(&w->lock) == 0);
	ran(w, took);
	bool more = w->queued > 0; /* than one batch takes */
	bool untidy = w->untidy;
	must(pthread_mutex_unlock(&w->lock) == 0);
	for (size_t i = 0; i < n; i++) {
		w->own[i]->done = true;
		fiber_wake(w->own[i]->fiber);
	}
	if (more || (untidy && w->alone))
		fiber_at_round_end(&w->ring);
	else if (untidy)
		must(pthread_cond_signal(&w->arrived) == 0);
}

/* The lock is held. */
static bool looks_again(struct worker *w)
{
	bool again = !w->alone && w->prompt == 0 && w->ends++ < WORKER_LOOKS * ENDS_OF_TURN;
	if (!again)
		w->ends = 0;
	return again;
}

static void ring(struct round_end *r)
{
	struct worker *w = LIST_OWNER(r, struct worker, ring);
	must(pthread_mutex_lock(&w->lock) == 0);
	bool here = may_run_here(w);
	if (here && looks_again(w)) {
		must(pthread_mutex_unlock(&w->lock) == 0);
		fiber_at_round_end(&w->ring);
		return;
	}
	if (here) {
		run_here(w);
		return;
	}
	w->ends = 0;
	if (w->alone && w->untidy)
		tidy(w);
	bool one = w->plan.threads == 1 || w->queued == 1;
	must(pthread_mutex_unlock(&w->lock) == 0); /* first, so that the thread does not wake to wait for it */
	if (one)
		must(pthread_cond_signal(&w->arrived) == 0);
	else
		must(pthread_cond_broadcast(&w->arrived) == 0);
}

static result start_thread(struct worker *w)
{
	struct start *start = mem_alloc(sizeof(*start));
	struct job **jobs = mem_array(w->plan.batch_max, sizeof(*jobs));
	pthread_attr_t attr;
	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, w->plan.stack) == 0);
	bool ok = start && jobs;
	if (ok) {
		*start = (struct start){w, jobs};
		ok = pthread_create(&w->threads[w->started], &attr, thread_main, start) == 0;
	}
	pthread_attr_destroy(&attr);
	if (!ok) {
		mem_free(start);
		mem_free(jobs);
		return failure(FAIL_MEMORY, "A worker thread cannot be started.");
	}
	w->started++;
	return OK;
}

/* Signals are the loop's business. */
static result start_threads(struct worker *w)
{
	sigset_t all, before;
	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* the jail's report must come through */
	must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	result r = OK;
	while (!failed(r) && !w->alone && w->started < w->plan.threads)
		r = start_thread(w);
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return r;
}

void worker_test_alone(bool on)
{
	opens_alone = on;
}

result worker_open(const struct worker_plan *plan, struct worker **out)
{
	must(plan->queue_max > 0 && plan->threads <= WORKER_THREADS_MAX && (!plan->due || plan->threads <= 1));
	struct worker *w = mem_alloc(sizeof(*w));
	if (!w)
		return failure(FAIL_MEMORY, "There is no memory for a worker thread.");
	w->plan = *plan;
	w->plan.threads = plan->threads ? plan->threads : 1;
	w->alone = opens_alone;
	w->plan.batch_max = plan->batch_max ? plan->batch_max : plan->queue_max;
	w->plan.stack = plan->stack ? plan->stack : WORKER_STACK;
	list_init(&w->queue);
	list_init(&w->done);
	round_end_init(&w->ring, ring);
	must(pthread_mutex_init(&w->lock, NULL) == 0 && pthread_cond_init(&w->arrived, NULL) == 0);
	must(uv_async_init(loop_uv(), &w->finished, on_finished) == 0);
	uv_unref((uv_handle_t *)&w->finished);
	bool here = w->alone || (plan->brief_ns && w->plan.threads == 1);
	if (here)
		w->own = mem_array(w->plan.batch_max, sizeof(*w->own));
	result r = here && !w->own ? failure(FAIL_MEMORY, "There is no memory for a worker thread.") : start_threads(w);
	if (failed(r)) {
		worker_close(&w);
		return r;
	}
	*out = w;
	return OK;
}

static void free_worker(uv_handle_t *handle)
{
	struct worker *w = LIST_OWNER(handle, struct worker, finished);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->arrived);
	mem_free(w->own);
	mem_free(w);
}

void worker_close(struct worker **wp)
{
	struct worker *w = *wp;
	if (!w)
		return;
	*wp = NULL;
	must(!w->under_way);
	must(pthread_mutex_lock(&w->lock) == 0);
	w->stop = true;
	must(pthread_cond_broadcast(&w->arrived) == 0);
	must(pthread_mutex_unlock(&w->lock) == 0);
	for (size_t i = 0; i < w->started; i++)
		must(pthread_join(w->threads[i], NULL) == 0);
	round_end_forget(&w->ring);
	uv_close((uv_handle_t *)&w->finished, free_worker);
}

static result hand_over(struct worker *w, struct job *job)
{
	must(pthread_mutex_lock(&w->lock) == 0);
	bool full = w->queued == w->plan.queue_max;
	if (!full) {
		list_insert(&w->queue, &job->node);
		w->queued++;
		w->long_queued += !job->brief;
		w->prompt += !job->gathers;
	}
	must(pthread_mutex_unlock(&w->lock) == 0);
	if (full)
		return failure(FAIL_BUSY, "Too much of this work is waiting already; try again soon.");
	if (!w->under_way++)
		uv_ref((uv_handle_t *)&w->finished);
	fiber_at_round_end(&w->ring);
	return OK;
}

/* True when no thread had begun it: it is out of the queue again. */
static bool withdraw(struct worker *w, struct job *job)
{
	must(pthread_mutex_lock(&w->lock) == 0);
	bool queued = !job->taken;
	if (queued) {
		list_remove(&job->node);
		w->queued--;
		w->long_queued -= !job->brief;
		w->prompt -= !job->gathers;
	}
	must(pthread_mutex_unlock(&w->lock) == 0);
	return queued;
}

static void returned(struct worker *w)
{
	if (!--w->under_way)
		uv_unref((uv_handle_t *)&w->finished);
}

static result run_job(struct worker *w, struct job *job, bool always)
{
	if (!always && fiber_cancelled())
		return fiber_result(WAKE_CANCEL);
	*job = (struct job){.fiber = fiber_self(), .brief = job->brief, .gathers = job->gathers};
	must(job->fiber);
	TRY(hand_over(w, job));
	if (!always && fiber_suspend(FIBER_FOREVER) == WAKE_CANCEL && withdraw(w, job)) {
		returned(w);
		return fiber_result(WAKE_CANCEL);
	}
	while (!job->done) /* its memory is ours: nothing may end this wait before the thread is done */
		fiber_suspend_hard();
	returned(w);
	return OK;
}

result worker_run(struct worker *w, struct job *job)
{
	return run_job(w, job, false);
}

result worker_run_always(struct worker *w, struct job *job)
{
	return run_job(w, job, true);
}
