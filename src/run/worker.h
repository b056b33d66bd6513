/* Threads beside the loop, for work that blocks or computes: one for a
 * database's commits, a few for password hashing.
 *
 * A fiber hands over a job and waits; the thread takes all jobs that are queued
 * (up to batch_max) and gives them to `run` at once, so that they can share one
 * commit. An idle thread is woken when the turn of the loop ends, so that the
 * jobs of one turn arrive together. `run` is on the thread: it may touch the
 * jobs and ctx, no fiber call, nothing of the loop's. A job belongs to its
 * fiber, mostly on its stack. Open workers after the jail.
 *
 * Handing over costs two context switches. Where the plan names brief_ns and
 * there is one thread, the loop runs a turn's jobs by itself when all of them
 * are brief, the thread rests, and batches have usually taken less than that
 * lately; so nothing on the loop waits longer for it than that, but rarely.
 * With one thread jobs return in the order in which they ran, wherever that was.
 *
 * Where all jobs of the loop's batch gather, the loop first looks WORKER_LOOKS
 * times at what has come in meanwhile: what comes of that joins the batch. It
 * costs a few microseconds where nothing has, and under load a batch carries
 * about twice as many.
 *
 * Work that nobody waits for (`tidy`) is the thread's when the batch that made
 * it `due` was given back and no job is queued; jobs that arrive wait for it.
 * Where jobs never cease it never comes, so `run` keeps a bound of its own. */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include <stdint.h>

#include "base/fail.h"
#include "base/list.h"

struct fiber;
struct worker;

/* Embedded as the first field of the caller's own struct, zeroed. */
struct job {
	struct list node;
	struct fiber *fiber;
	bool taken; /* by a thread; under the worker's lock */
	bool done;  /* seen on the loop alone */
	bool brief; /* set by the caller: short work, */
	bool gathers; /* which is cheaper with others */
};

struct worker_plan {
	void (*run)(void *ctx, struct job **jobs, size_t n);
	void *ctx;
	const char *name;  /* of the threads, at most 15 bytes */
	size_t threads;    /* 0 means 1 */
	size_t queue_max;  /* waiting jobs; one more is BUSY */
	size_t batch_max;  /* jobs in one call; 0 means queue_max */
	size_t stack;      /* bytes; 0 means WORKER_STACK */
	uint64_t brief_ns; /* 0: the loop runs nothing by itself */
	bool (*due)(void *ctx);  /* asked after each batch; quick. NULL: never. One thread only */
	void (*tidy)(void *ctx); /* as `run`, without jobs */
};

enum { WORKER_STACK = 256 * 1024, WORKER_THREADS_MAX = 16, WORKER_LOOKS = 2 };

result worker_open(const struct worker_plan *plan, struct worker **out) NODISCARD; /* MEMORY, LIMIT */
/* Suspends until run has returned. BUSY when the queue is full; CANCELLED only
 * when no thread had begun the job, otherwise it is waited for and OK. */
result worker_run(struct worker *w, struct job *job) NODISCARD;
/* The same for cleanup: also runs on a cancelled fiber. */
result worker_run_always(struct worker *w, struct job *job) NODISCARD;
/* Ends the threads; no job may be under way. Blocks for the join. */
void worker_close(struct worker **w);

/* Tests: workers opened from now on have no threads. The loop runs all jobs at
 * the end of a turn, then what is to be tidied, so that a run can be repeated. */
void worker_test_alone(bool on);

#endif
