#include "queue/courier.h"

#include "base/mem.h"
#include "queue/items_core.h"
#include "run/clock.h"
#include "run/random.h"
#include "talk/courier_account.h"

struct courier {
	struct queue *q;
	struct line *line;
	char why[QUEUE_WHY_MAX + 1];
};

/* ---- one item ---- */

static void note(struct courier *c, str why)
{
	why = str_sub(why, 0, QUEUE_WHY_MAX);
	if (why.n)
		memcpy(c->why, why.p, why.n);
	c->why[why.n] = '\0';
}

static result hand_over(struct courier *c, const struct item *i, const struct item_content *content, enum item_end *end)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct courier_account_delivered is;
	const struct asking how = {.trace = &i->delivery, .arena = &a, .timeout_ms = QUEUE_ANSWER_MS};
	struct channel *to; /* asked for again: the process may have ended while the bytes were read */
	TRY(c->q->world->account(i->account, &to));
	struct courier_account_deliver_sealed m = {.delivery = i->delivery,
		.wrapped = str_of(content->wrapped, content->wrapped_n), .sealed = body_view(&content->sealed)};
	result r = courier_account_deliver_sealed_call_within(to, &how, &m, &is);
	if (failed(r))
		note(c, str_from(r.text));
	else if (is.verdict == COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE)
		note(c, is.text);
	else
		*end = ITEM_DONE;
	if (r.kind == FAIL_CLOSED)
		*end = ITEM_DIED;
	return r.kind == FAIL_CANCELLED ? r : OK;
}

/* The whole account cannot be reached: its other items need not try. */
static void put_off(struct courier *c)
{
	if (c->line->not_before > clock_mono_ms())
		return; /* another courier has just found that out */
	uint64_t wait = items_soon(c->q, ++c->line->unreached);
	c->line->not_before = clock_mono_ms() + wait;
}

static result deliver(struct courier *c, const struct item *i, enum item_end *end)
{
	struct item_content content;
	TRY(items_load(c->q, i, &content));
	result r = hand_over(c, i, &content, end);
	items_content_free(&content);
	return r;
}

static result attempt(struct courier *c, const struct item *i, enum item_end *end)
{
	struct channel *to;
	*end = ITEM_LATER;
	result r = c->q->world->account(i->account, &to);
	if (!failed(r)) {
		c->line->not_before = 0;
		c->line->unreached = 0;
		r = deliver(c, i, end);
	} else if (r.kind == FAIL_ABSENT) {
		*end = ITEM_ORPHAN;
	} else {
		put_off(c);
		*end = ITEM_UNREACHED;
	}
	if (failed(r))
		note(c, str_from(r.text));
	return r.kind == FAIL_CANCELLED ? r : OK;
}

static void report(const struct courier *c, const struct item *i, enum item_end end)
{
	enum log_name event = EV_DELIVERY_DEFERRED;
	if (end == ITEM_DONE)
		event = EV_QUEUE_DONE;
	else if (end == ITEM_ORPHAN)
		event = EV_QUEUE_DROPPED;
	else if (i->deaths >= QUEUE_DEATHS)
		event = EV_QUARANTINED;
	log_event(event, &i->delivery, F_U64("item", i->id), F_U64("account", i->account), F_U64("attempts", i->attempts),
		  F_U64("deaths", i->deaths), F_STR("why", str_from(c->why)));
}

/* Large items wait until there is room for them, the largest for all others to be through. */
static result take_room(struct queue *q, uint64_t octets)
{
	while (q->octets > 0 && q->octets + octets > QUEUE_OCTETS)
		TRY(gate_wait(&q->lighter, FIBER_FOREVER));
	q->octets += octets;
	return OK;
}

static result carry_one(struct courier *c, struct item *i)
{
	enum item_end end;
	c->why[0] = '\0';
	TRY(take_room(c->q, i->octets));
	result r = attempt(c, i, &end);
	c->q->octets -= i->octets;
	gate_wake_all(&c->q->lighter);
	TRY(r);
	TRY(items_settle(c->q, i, end, c->why));
	report(c, i, end);
	return OK;
}

/* ---- its turn ---- */

/* True when more of the line may be due. */
static bool next(struct courier *c)
{
	struct item i;
	bool found;
	result r = items_take(c->q, c->line, &i, &found);
	if (failed(r))
		schedule_hasten(&c->q->schedule, c->line, clock_mono_ms() + QUEUE_DISK_MS);
	if (failed(r) || !found)
		return false;
	bool alone = i.deaths > 0;
	r = carry_one(c, &i);
	if (alone)
		c->line->exclusive = false;
	return !failed(r) && c->line->not_before <= clock_mono_ms();
}

static void leave(struct courier *c, bool more)
{
	struct line *l = c->line;
	struct queue *q = c->q;
	l->running--;
	q->couriers--;
	if (more || l->due.at < l->not_before)
		schedule_set(&q->schedule, l, l->not_before > clock_mono_ms() ? l->not_before : clock_mono_ms());
	if (l->running == 0 && l->blocked) {
		l->blocked = false;
		schedule_hasten(&q->schedule, l, clock_mono_ms());
	}
	if (l->running == 0 && l->due.at == SCHEDULE_NEVER)
		schedule_drop(&q->schedule, l);
	gate_wake_all(&q->changed);
	mem_free(c);
}

static void run(void *arg)
{
	struct courier *c = arg;
	int taken = 0;
	bool more = true;
	while (more && taken++ < QUEUE_TURN)
		more = next(c);
	leave(c, more);
}

result courier_send(struct queue *q, struct line *l)
{
	struct courier *c = mem_alloc(sizeof *c);
	if (!c)
		return failure(FAIL_MEMORY, "out of memory");
	c->q = q;
	c->line = l;
	result r = fiber_start(run, c, "courier", NULL);
	if (failed(r)) {
		mem_free(c);
		return r;
	}
	l->running++;
	q->couriers++;
	schedule_set(&q->schedule, l, SCHEDULE_NEVER); /* until it has looked */
	return OK;
}
