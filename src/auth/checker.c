#include "auth/checker.h"

#include "auth/huge_pages.h"
#include "base/mem.h"
#include "run/random.h"
#include "run/worker.h"

struct checker {
	struct worker *worker;
	uint64_t memory;
	char nobody[PASSWORD_HASH_MAX]; /* of a password that nobody knows */
};

struct task {
	struct job job;
	str hash; /* p NULL: make one into `made` */
	str password;
	char *made;
	str salt; /* with `salted`: the password is salted into it */
	struct scram_key *salted;
	const struct password_cost *cost; /* with `seed` */
	unsigned char *seed;
	result r;
};

static struct task *task_of(struct job *j)
{
	return (struct task *)(void *)((char *)j - offsetof(struct task, job));
}

static void run_one(const struct checker *c, struct task *t)
{
	if (t->salted)
		*t->salted = scram_salted(t->password, t->salt, SCRAM_ITERATIONS);
	else if (t->seed)
		t->r = password_seed(t->password, t->cost, t->seed);
	else if (t->made)
		t->r = password_hash(t->password, c->memory, t->made);
	else
		t->r = password_verify(t->hash, t->password);
}

static void run(void *ctx, struct job **jobs, size_t n)
{
	const struct checker *c = ctx;
	huge_pages_begin();
	for (size_t i = 0; i < n; i++)
		run_one(c, task_of(jobs[i]));
	huge_pages_end();
}

static result hash_of_nobody(struct checker *c)
{
	unsigned char unknown[32];
	random_fill(unknown, sizeof unknown);
	return checker_hash(c, str_of((const char *)unknown, sizeof unknown), c->nobody);
}

result checker_open(size_t threads, uint64_t memory, struct checker **out)
{
	struct checker *c = mem_alloc(sizeof *c);
	if (!c)
		return failure(FAIL_MEMORY, "out of memory");
	c->memory = memory;
	struct worker_plan plan = {.run = run, .ctx = c, .name = "password", .threads = threads,
				   .queue_max = CHECKER_WAITING, .batch_max = 1};
	result r = worker_open(&plan, &c->worker);
	if (!failed(r))
		r = hash_of_nobody(c);
	if (failed(r))
		checker_close(&c);
	else
		*out = c;
	return r;
}

void checker_close(struct checker **at)
{
	struct checker *c = *at;
	*at = NULL;
	if (!c)
		return;
	if (c->worker)
		worker_close(&c->worker);
	mem_free(c);
}

result checker_hash(struct checker *c, str password, char hash[PASSWORD_HASH_MAX])
{
	struct task t = {.password = password, .made = hash, .r = OK};
	TRY(worker_run(c->worker, &t.job));
	return t.r;
}

result checker_verify(struct checker *c, str text, str password)
{
	struct task t = {.hash = text.n ? text : str_from(c->nobody), .password = password, .r = OK};
	TRY(worker_run(c->worker, &t.job));
	if (failed(t.r) || text.n)
		return t.r;
	return failure(FAIL_DENIED, "the password is wrong");
}

result checker_salted(struct checker *c, str secret, str salt, struct scram_key *out)
{
	struct task t = {.password = secret, .salt = salt, .salted = out, .r = OK};
	return worker_run(c->worker, &t.job);
}

result checker_seed(struct checker *c, str password, const struct password_cost *cost,
	unsigned char seed[PASSWORD_SEED])
{
	struct task t = {.password = password, .cost = cost, .seed = seed, .r = OK};
	TRY(worker_run(c->worker, &t.job));
	return t.r;
}
