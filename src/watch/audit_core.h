/* What the parts of the audit log share: audit.c takes records in, audit_keep.c
 * writes and signs them, audit_show.c reads them. */
#ifndef WATCH_AUDIT_CORE_H
#define WATCH_AUDIT_CORE_H

#include "run/worker.h"
#include "watch/audit.h"
#include "watch/keeper.h"

/* Records on their way in. */
struct audit_pile {
	buf entries;
	size_t *cuts; /* where each begins */
	size_t n, cap;
	struct list waiting; /* struct audit_wait: who waits for them */
};

struct audit_wait { /* on the waiting fiber's stack */
	struct list node;
	bool done;
	result r;
};

struct audit {
	struct audit_options options;
	struct audit_files files;       /* the worker's while a job runs that was given it */
	struct worker *worker;
	struct audit_pile acts, others; /* acts: attested ones */
	struct audit_pile leaving;      /* of others: being written, or waiting for room */
	uint64_t seq;                   /* of the last record that is on the disk */
	struct audit_hash head;
	struct audit_checkpoint newest; /* the last signed head */
	uint64_t newest_at;             /* the number of its own record */
	struct audit_tail tail;         /* what the last run left */
	bool jumps;                     /* signed records are gone: the next file begins behind their numbers */
	uint64_t sign_due, sign_not_before, retry_due, forget_due; /* clock_mono_ms */
	uint64_t lost, lost_told;
	bool sign_asked, in_trouble;
	struct keeper keeper;
};

void audit_keep(void *audit); /* the fiber */

void audit_pile_init(struct audit_pile *p);
void audit_pile_free(struct audit_pile *p);

/* Runs it on the log's thread, one after the other. Suspends. */
result audit_work(struct audit *a, result (*run)(void *arg), void *arg) NODISCARD;

#endif
