#include "resolve/resolver.h"

#include <stdio.h>
#include <unbound.h>

#include "base/hash.h"
#include "base/mem.h"
#include "resolve/answer.h"
#include "resolve/setup.h"
#include "run/clock.h"
#include "talk/room.h"

enum { CLASS_IN = 1, KEY_MAX = RESOLVER_NAME_MAX + 2 };

/* One that libunbound works at; freed by the last who waits for it. */
struct question {
	struct list node;   /* in self.under_way until it is answered */
	size_t key_n;
	char key[KEY_MAX];  /* type and name, lower case */
	int id;             /* libunbound's */
	int error;
	bool answered;
	struct ub_result *found;
	size_t askers;
	struct gate changed;
};

/* One process has one cache. */
static struct {
	struct ub_ctx *ub; /* NULL: no look-ups */
	struct fd_watch *watch;
	struct resolver_limits limits;
	hash by_key;
	struct gate room; /* a question less is under way */
	struct resolver_counts counts;
} self;

result resolver_open(const struct resolver_plan *plan)
{
	self.limits = plan->limits;
	if (!self.limits.under_way)
		self.limits.under_way = RESOLVER_UNDER_WAY;
	if (!self.limits.time_ms)
		self.limits.time_ms = RESOLVER_TIME_MS;
	self.by_key = hash_new(self.limits.under_way);
	self.counts = (struct resolver_counts){0};
	return str_eq(plan->forwards, STR("none")) ? OK : setup_unbound(plan, &self.ub);
}

/* ---- answers ---- */

static void forget(struct question *q)
{
	hash_remove(&self.by_key, str_of(q->key, q->key_n));
	self.counts.under_way--;
	gate_wake_one(&self.room);
}

static void on_answer(void *ctx, int error, struct ub_result *found)
{
	struct question *q = ctx;
	q->answered = true;
	q->error = error;
	q->found = found;
	forget(q);
	gate_wake_all(&q->changed);
}

static void process(void *arg)
{
	*(int *)arg = ub_process(self.ub);
}

static void hear(void *arg)
{
	(void)arg;
	while (!failed(fd_wait(self.watch, FD_READ, FIBER_FOREVER))) {
		int error = 0;
		fiber_on_loop_stack(process, &error);
		if (error)
			room_give_up(failure(FAIL_CLOSED, "libunbound's thread does not answer any more"));
		if (error)
			return;
	}
}

result resolver_start(void)
{
	gate_init(&self.room);
	if (!self.ub)
		return OK;
	TRY(fd_watch_open(ub_fd(self.ub), &self.watch));
	return fiber_start(hear, NULL, "unbound", NULL);
}

void resolver_close(void)
{
	if (self.watch)
		fd_watch_close(&self.watch);
	if (self.ub)
		ub_ctx_delete(self.ub);
	self.ub = NULL;
	hash_free(&self.by_key);
}

/* ---- questions ---- */

struct handing {
	struct question *q;
	const char *name; /* with terminator */
	int type, error;
};

static void hand_over(void *arg)
{
	struct handing *a = arg;
	a->error = ub_resolve_async(self.ub, a->name, a->type, CLASS_IN, a->q, on_answer, &a->q->id);
}

static void cancel(void *arg)
{
	struct question *q = arg;
	q->error = ub_cancel(self.ub, q->id);
}

static void leave(struct question *q)
{
	if (--q->askers > 0)
		return;
	if (!q->answered) {
		fiber_on_loop_stack(cancel, q);
		forget(q);
	}
	ub_resolve_free(q->found);
	mem_free(q);
}

static size_t make_key(str name, uint16_t type, char key[KEY_MAX])
{
	key[0] = (char)(type >> 8);
	key[1] = (char)(type & 255);
	for (size_t i = 0; i < name.n; i++)
		key[2 + i] = (char)ascii_lower(str_at(name, i));
	return name.n + 2;
}

static result begin(str key, struct question **out)
{
	char name[RESOLVER_NAME_MAX + 1];
	struct question *q = mem_alloc(sizeof *q);
	struct handing a = {.q = q, .name = name, .type = str_at(key, 0) << 8 | str_at(key, 1)};
	if (!q)
		return failure(FAIL_MEMORY, "out of memory");
	*q = (struct question){.key_n = key.n};
	memcpy(q->key, key.p, key.n);
	gate_init(&q->changed);
	snprintf(name, sizeof name, "%.*s", STR_ARG(str_skip(key, 2)));
	result r = hash_put(&self.by_key, key, q);
	if (!failed(r)) {
		self.counts.under_way++;
		fiber_on_loop_stack(hand_over, &a);
		if (!a.error) {
			*out = q;
			return OK;
		}
		forget(q);
		r = failure(FAIL_MEMORY, "libunbound takes no question");
	}
	mem_free(q);
	return r;
}

/* TIMEOUT: so many others were under way all the time. */
static result join(str key, uint64_t until, struct question **out)
{
	while ((*out = hash_get(&self.by_key, key)) == NULL && self.counts.under_way >= self.limits.under_way)
		TRY(gate_wait(&self.room, clock_left(until)));
	if (*out)
		self.counts.shared++;
	else
		TRY(begin(key, out));
	if (self.counts.under_way > self.counts.most_under_way)
		self.counts.most_under_way = self.counts.under_way;
	(*out)->askers++;
	return OK;
}

static result await(struct question *q, uint64_t until, arena *a, struct asker_resolve_looked_up *answer)
{
	while (!q->answered)
		TRY(gate_wait(&q->changed, clock_left(until)));
	if (q->error || !q->found) {
		answer_failed("the look-up ended without an answer", answer);
		return OK;
	}
	return answer_of(q->found, a, answer);
}

static result ask(str key, arena *a, struct asker_resolve_looked_up *answer)
{
	struct question *q;
	uint64_t until = clock_mono_ms() + self.limits.time_ms;
	result r = join(key, until, &q);
	if (r.kind == FAIL_TIMEOUT) {
		answer_failed("too many look-ups were under way", answer);
		return OK;
	}
	TRY(r);
	r = await(q, until, a, answer);
	leave(q);
	if (r.kind != FAIL_TIMEOUT)
		return r;
	answer_failed("no name server answered in time", answer);
	return OK;
}

result resolver_ask(str name, uint16_t type, arena *a, struct asker_resolve_looked_up *answer)
{
	char key[KEY_MAX];
	self.counts.asked++;
	if (!answer_name_ok(name)) {
		*answer = (struct asker_resolve_looked_up){.finding = ASKER_RESOLVE_FINDING_NO_NAME};
		return OK;
	}
	if (!self.ub) {
		answer_failed("this server makes no look-ups (dns-forward is \"none\"; the demo has --dns)", answer);
		return OK;
	}
	return ask(str_of(key, make_key(name, type, key)), a, answer);
}

struct resolver_counts resolver_counts(void)
{
	return self.counts;
}
