#include "auth/usage.h"

#include "base/mem.h"
#include "run/fiber.h"
#include "talk/auth_account.h"

/* Connecting may take longer than anybody waits, so it has a fiber of its own;
 * who ends last frees. */
struct question {
	struct auth *a;
	uint64_t account;
	struct gate answered;
	bool done, abandoned;
	result r;
	struct usage is;
};

static result ask(struct question *q)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *c;
	struct auth_account_usage none = {0};
	struct auth_account_usage_is u;
	const struct asking how = {.arena = &m, .timeout_ms = USAGE_MS};
	TRY(q->a->world->account(q->account, &c));
	result r = auth_account_usage_call_within(c, &how, &none, &u);
	if (failed(r)) /* the refusal's sentence ends with the arena */
		return failure(r.kind, "the account's process does not answer");
	q->is = (struct usage){u.messages, u.octets, u.quota, u.mailboxes, u.sessions, u.shut, u.waiting};
	return OK;
}

static void run(void *arg)
{
	struct question *q = arg;
	q->r = ask(q);
	q->done = true;
	if (q->abandoned)
		mem_free(q);
	else
		gate_wake_all(&q->answered);
}

result usage_ask(struct auth *a, uint64_t account, struct usage *out)
{
	struct question *q = mem_alloc(sizeof *q);
	if (!q)
		return failure(FAIL_MEMORY, "out of memory");
	q->a = a;
	q->account = account;
	gate_init(&q->answered);
	result r = fiber_start(run, q, "usage", NULL);
	if (failed(r)) {
		mem_free(q);
		return r;
	}
	r = gate_wait(&q->answered, USAGE_MS);
	if (!q->done) {
		q->abandoned = true;
		return failed(r) ? r : failure(FAIL_TIMEOUT, "the account's process does not answer");
	}
	r = q->r;
	*out = q->is;
	mem_free(q);
	return r;
}
