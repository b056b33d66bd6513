/* A store thread: runs jobs against one database, many to a durable commit.
 *
 * The thread takes all jobs that wait as one batch. The batch's writers go into
 * one transaction, each inside its own savepoint, so that one that fails rolls
 * back alone; then one commit; then the readers run and see it. No timer: under
 * load batches grow by themselves. When the disk is full or memory short in the
 * middle, SQLite may drop the whole transaction: then each writer gets one of
 * its own, so that one's failure is not another's. A commit that fails for
 * another reason fails every writer of its batch.
 *
 * The log is carried over by the thread when everybody has been answered and
 * nobody waits, from three quarters of the length on at which a commit does it
 * by itself: that is left to batches that follow one another without a pause.
 *
 * `run` is called on the store thread (brief ones also on the loop, never two at
 * the same time), perhaps more than once, and must touch
 * nothing but its argument and the database: no fiber, no log, no memory of the
 * loop's. `kept` is called on the loop thread by the job's fiber before it goes
 * on, once the job is durable (a reader: has run), never when it failed, and
 * over all jobs in the order in which they took effect: what memory mirrors of
 * the database is changed there and only there. It must not suspend. What a job
 * takes is charged to the effort of its fiber (run/effort.h). Jobs run
 * and are waited for also when their fiber is cancelled. The committer owns the
 * database.
 *
 * When no job has ended for COMMITTER_LULL_MS, or up to twice that, and none is under
 * way, there is a lull: what was only there for the last work can go. The lull's own
 * job runs, once, and nothing more happens until there is work again. */
#ifndef ENGINE_COMMITTER_H
#define ENGINE_COMMITTER_H

#include "base/buf.h"

struct db;
struct committer;

enum committer_limits {
	COMMITTER_BATCH_MAX = 256,  /* jobs of one batch; the rest is the next one's */
	COMMITTER_QUEUE_MAX = 4096, /* waiting jobs; one more is BUSY */
	COMMITTER_BRIEF_US = 4000,  /* while batches usually take longer, the loop runs none */
	COMMITTER_LULL_MS = 3000,
};

/* A job with a `record` does not write: `run` leaves there what is to be kept ahead of a commit (db_keep) with the
 * records of others, all by one flush; when it is, `recorded` follows on the same thread. Such jobs come before the
 * batch's writers. */
struct commit_job {
	result (*run)(struct db *db, void *arg);
	void (*kept)(void *arg); /* may be NULL */
	void *arg;
	bool writes;
	bool brief; /* little work: the loop may run it, and flush, by itself where the disk is quick */
	bool gathers; /* with `brief`: it waits for who has come in already, to share a commit (run/worker.h) */
	buf *record; /* or NULL */
	void (*recorded)(struct db *db, void *arg);
};

/* Carries the log over and has memory given back (db_trim): the lull of a room with nothing else to do in it. `arg` is
 * not looked at. */
extern const struct commit_job committer_lull;
result committer_give_back(struct db *db, void *arg) NODISCARD;

/* Takes *db over and leaves NULL there, also when it fails. After the jail. `lull` is copied; NULL: the owner sees to
 * lulls himself. */
result committer_open(struct db **db, const struct commit_job *lull, struct committer **out) NODISCARD;
/* Lets the jobs end that are under way, refuses new ones with CLOSED, ends the
 * thread, closes the database. Suspends. NULL inside is fine. */
void committer_close(struct committer **c);

/* Suspends until the job is durable or failed. */
result committer_do(struct committer *c, const struct commit_job *job) NODISCARD;

size_t committer_commits(const struct committer *c); /* since opening, for tests and counters */

#endif
