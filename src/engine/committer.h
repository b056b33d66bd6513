/* A store thread: runs jobs against one database, many to a durable commit.
 *
 * The thread takes all jobs that wait as one batch. The batch's writers go into
 * one transaction, each inside its own savepoint, so that one that fails rolls
 * back alone; then one commit; then the readers run and see it. No timer: under
 * load batches grow by themselves. A commit that fails fails every writer of
 * its batch with its result.
 *
 * `run` is called on the store thread and must touch nothing but its argument
 * and the database: no fiber, no log, no memory of the loop's. `kept` is called
 * on the loop thread once the job is durable (a reader: has run), never when it
 * failed, and in the order of the commits, before any fiber of the batch goes
 * on: what memory mirrors of the database is changed there and only there. It
 * must not suspend. A fiber cancelled while it waits goes on waiting, because
 * the thread uses its memory. The committer owns the database. */
#ifndef ENGINE_COMMITTER_H
#define ENGINE_COMMITTER_H

#include "base/fail.h"

struct db;
struct committer;

enum committer_limits {
	COMMITTER_BATCH_MAX = 256, /* jobs of one batch; the rest is the next one's */
};

struct commit_job {
	result (*run)(struct db *db, void *arg);
	void (*kept)(void *arg); /* may be NULL */
	void *arg;
	bool writes;
};

/* Takes *db over and leaves NULL there, also when it fails. */
result committer_open(struct db **db, struct committer **out) NODISCARD;
/* Runs what waits, refuses new jobs with CLOSED, ends the thread, closes the
 * database. Suspends. NULL inside is fine. */
void committer_close(struct committer **c);

/* Suspends until the job is durable or failed. */
result committer_do(struct committer *c, const struct commit_job *job) NODISCARD;

/* Batches that held at least one writer since opening, for tests and counters. */
size_t committer_commits(const struct committer *c);

#endif
