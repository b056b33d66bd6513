#include "watch/acts.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "talk/room.h"
#include "talk/watch_auth.h"
#include "watch/keeper.h"

struct act {
	struct list node;
	bool hold;
	uint64_t account;
	unsigned readers;
	str detector, evidence; /* behind it */
	char text[];
};

struct acts {
	struct list waiting;
	size_t n;
	struct keeper keeper;
};

void acts_take(struct acts *a, const struct measure *m, bool contains)
{
	str by = str_sub(m->detector, 0, WATCH_AUTH_CONTAIN_DETECTOR_MAX);
	str why = str_clip(m->evidence, WATCH_AUTH_CONTAIN_EVIDENCE_MAX);
	struct act *t = a->n < ACTS_WAITING ? mem_alloc(sizeof *t + by.n + why.n + 1) : NULL;
	if (!t) {
		log_event(EV_ROOM_DROPPED, NULL, F_STR("what", STR("a measure")), F_U64("events", 1),
			  F_STR("why", STR("auth does not keep up")));
		return;
	}
	t->hold = m->kind == MEASURE_HOLD && contains;
	t->account = m->account;
	t->readers = m->kind == MEASURE_HOLD ? NOTICE_OWNER | NOTICE_ADMIN : m->readers;
	t->detector = str_of(t->text, by.n);
	t->evidence = str_of(t->text + by.n, why.n);
	if (by.n)
		memcpy(t->text, by.p, by.n);
	if (why.n)
		memcpy(t->text + by.n, why.p, why.n);
	list_insert(&a->waiting, &t->node);
	a->n++;
	gate_wake_all(&a->keeper.changed);
}

static result ask(const struct act *t)
{
	AUTO_ARENA arena m = arena_new(4096);
	struct channel *auth;
	struct watch_auth_done done;
	const struct asking how = {.arena = &m, .timeout_ms = ACTS_ANSWER_MS};
	const struct watch_auth_contain contain = {.account = t->account, .detector = t->detector, .evidence = t->evidence};
	const struct watch_auth_notice notice = {.account = t->account, .owner = (t->readers & NOTICE_OWNER) != 0,
		.admin = (t->readers & NOTICE_ADMIN) != 0, .detector = t->detector, .evidence = t->evidence};
	TRY(room_connect(&watch_auth_as_watch_kind, "auth", 0, &auth));
	result r = t->hold ? watch_auth_contain_call_within(auth, &how, &contain, &done)
			   : watch_auth_notice_call_within(auth, &how, &notice, &done);
	return failed(r) ? failure(r.kind, "auth does not carry out a measure") : OK;
}

/* Whose account has gone needs no measure any more. */
static bool is_over(result r)
{
	return !failed(r) || r.kind == FAIL_ABSENT || r.kind == FAIL_INPUT || r.kind == FAIL_DENIED;
}

static void run(void *arg)
{
	struct acts *a = arg;
	result r = OK;
	while (!a->keeper.closing && r.kind != FAIL_CANCELLED) {
		if (list_empty(&a->waiting)) {
			r = gate_wait(&a->keeper.changed, FIBER_FOREVER);
			continue;
		}
		struct act *t = LIST_OWNER(a->waiting.next, struct act, node);
		r = ask(t);
		if (!is_over(r)) {
			r = r.kind == FAIL_CANCELLED ? r : gate_wait(&a->keeper.changed, ACTS_RETRY_MS);
			continue;
		}
		list_remove(&t->node);
		a->n--;
		mem_free(t);
	}
	keeper_ends(&a->keeper);
}

result acts_open(struct acts **out)
{
	struct acts *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "out of memory");
	list_init(&a->waiting);
	keeper_init(&a->keeper);
	result r = fiber_start(run, a, "acts", NULL);
	if (failed(r))
		mem_free(a);
	else
		*out = a;
	return r;
}

void acts_close(struct acts **at)
{
	struct acts *a = *at;
	*at = NULL;
	if (!a)
		return;
	keeper_close(&a->keeper);
	LIST_EACH_SAFE(n, &a->waiting)
		mem_free(LIST_OWNER(n, struct act, node));
	mem_free(a);
}
