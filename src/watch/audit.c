#include "base/mem.h"
#include "run/clock.h"
#include "watch/audit_core.h"

enum { WORK_MAX = 64 };

/* ---- what waits ---- */

void audit_pile_init(struct audit_pile *p)
{
	*p = (struct audit_pile){.entries = buf_new(AUDIT_PENDING_MAX)};
	list_init(&p->waiting);
}

void audit_pile_free(struct audit_pile *p)
{
	buf_free(&p->entries);
	mem_free(p->cuts);
	p->cuts = NULL;
	p->n = p->cap = 0;
}

static bool pile_add(struct audit_pile *p, const struct entry *e)
{
	size_t before = p->entries.n;
	if (!mem_room(&p->cuts, &p->cap, p->n, sizeof *p->cuts))
		return false;
	entry_put(&p->entries, e);
	if (p->entries.broken) {
		p->entries.broken = FAIL_NONE;
		p->entries.n = before;
		return false;
	}
	p->cuts[p->n++] = before;
	return true;
}

void audit_add(struct audit *a, const struct entry *e)
{
	if (!pile_add(&a->others, e))
		a->lost++;
	else if (a->others.n == 1)
		gate_wake_all(&a->keeper.changed);
}

result audit_attest(struct audit *a, const struct entry *e)
{
	struct audit_wait w = {.done = false};
	if (a->keeper.closing)
		return failure(FAIL_BUSY, "the audit log is stopping; try again");
	if (!pile_add(&a->acts, e))
		return failure(FAIL_BUSY, "the audit log has too much to write just now; try again");
	list_init(&w.node);
	list_insert(&a->acts.waiting, &w.node);
	gate_wake_all(&a->keeper.changed);
	while (!w.done)
		gate_hold(&a->keeper.changed); /* the keeper writes into this frame */
	return w.r;
}

result audit_checkpoint(struct audit *a, struct audit_checkpoint *out)
{
	uint64_t until = clock_mono_ms() + AUDIT_SIGN_RETRY_MS, want = a->seq;
	bool known = a->newest.seq > 0;
	while (!a->keeper.closing && (!known || a->newest_at < want)) {
		uint64_t now = clock_mono_ms();
		if (now >= until)
			return failure(FAIL_TIMEOUT, "the vault does not sign the audit log now; posternd's log says why");
		a->sign_asked = true;
		gate_wake_all(&a->keeper.changed);
		result r = gate_wait(&a->keeper.changed, until - now);
		if (r.kind == FAIL_CANCELLED)
			return r;
		known = a->newest.seq > 0;
	}
	if (!known)
		return failure(FAIL_BUSY, "the audit log is stopping; try again");
	*out = a->newest;
	return OK;
}

uint64_t audit_records(const struct audit *a)
{
	return a->seq;
}

uint64_t audit_lost(const struct audit *a)
{
	return a->lost;
}

/* ---- the thread ---- */

struct work {
	struct job job; /* first */
	result (*run)(void *arg);
	void *arg;
	result r;
};

static void run_work(void *ctx, struct job **jobs, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		struct work *w = (struct work *)(void *)jobs[i];
		w->r = w->run(w->arg);
	}
}

result audit_work(struct audit *a, result (*run)(void *arg), void *arg)
{
	struct work w = {.run = run, .arg = arg};
	TRY(worker_run_always(a->worker, &w.job));
	return w.r;
}

/* ---- life ---- */

static void set_begin(struct audit *a)
{
	const struct audit_options *o = &a->options;
	a->seq = a->tail.last;
	a->head = a->tail.head;
	/* Vault never signs what comes before what it signed: numbers go on behind it, and the hole stays. */
	if (o->signed_seq > a->seq) {
		a->seq = o->signed_seq;
		a->jumps = true;
	}
}

static result start_keeper(struct audit *a)
{
	const struct worker_plan plan = {.run = run_work, .name = "audit", .queue_max = WORK_MAX};
	TRY(worker_open(&plan, &a->worker));
	result r = fiber_start(audit_keep, a, "audit", NULL);
	if (failed(r))
		worker_close(&a->worker);
	return r;
}

result audit_open(const struct audit_options *o, struct audit **out)
{
	struct audit *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "out of memory");
	a->options = *o;
	audit_pile_init(&a->acts);
	audit_pile_init(&a->others);
	audit_pile_init(&a->leaving);
	keeper_init(&a->keeper);
	a->sign_due = UINT64_MAX;
	result r = audit_files_open(&a->files, o->files, a->options.key, &a->tail);
	if (!failed(r)) {
		set_begin(a);
		r = start_keeper(a);
		if (failed(r))
			audit_files_close(&a->files);
	}
	if (failed(r))
		mem_free(a);
	else
		*out = a;
	return r;
}

void audit_close(struct audit **at)
{
	struct audit *a = *at;
	*at = NULL;
	if (!a)
		return;
	keeper_close(&a->keeper);
	worker_close(&a->worker);
	audit_files_close(&a->files);
	audit_pile_free(&a->acts);
	audit_pile_free(&a->others);
	audit_pile_free(&a->leaving);
	mem_free(a);
}
