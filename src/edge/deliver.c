#include "edge/deliver.h"
#include "edge/seal.h"
#include "run/clock.h"
#include "talk/courier_account.h"
#include "talk/edge_queue.h"

/* How long the next answer may take: `most`, and never past the delivery's end. */
static uint64_t wait_at_most(const struct delivery *d, uint64_t most)
{
	uint64_t left = clock_left(d->until);
	return left < most ? left : most;
}

static result ask_account(const struct delivery *d, const struct smtp_target *t, struct courier_account_delivered *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *ch;
	struct courier_account_deliver m = {
		.delivery = d->id, .sender = d->sender, .recipient = t->recipient, .received = d->received,
		.trace = d->trace, .facts = d->facts, .message = d->message,
	};
	TRY(neighbour_account(t->account, &ch));
	/* Half of what is left: the queue needs its time too. */
	struct asking ask = {.trace = &d->id, .arena = &a,
			     .timeout_ms = wait_at_most(d, DELIVER_ANSWER_MS * 2) / 2};
	result r = courier_account_deliver_call_within(ch, &ask, &m, out);
	out->text = (str){NULL, 0}; /* it lived in the arena, as a refusal's sentence did */
	return failed(r) ? failure(r.kind, "the account took no copy; its own lines in the log say why") : OK;
}

static result seal_for(const struct delivery *d, const struct smtp_target *t, buf *sealed, struct edge_queue_keep *m)
{
	struct item i = {.received = d->received, .sender = d->sender, .recipient = t->recipient, .trace = d->trace,
			 .facts = d->facts.bytes, .message = d->message.bytes};
	const struct sealing how = {.edge = d->client->edge, .item = &i, .id = &d->id, .account = t->account,
				    .wait_ms = wait_at_most(d, NEIGHBOUR_KEY_MS)};
	struct sealed views;
	TRY(seal_item(&how, sealed, &views));
	m->sealed = body_of(views.bytes);
	m->wrapped = views.wrapped;
	return OK;
}

static result seal_and_keep(const struct delivery *d, const struct smtp_target *t, uint32_t deaths)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf sealed = buf_new(d->message.bytes.n + d->facts.bytes.n + 65536);
	struct channel *queue;
	struct edge_queue_kept kept;
	struct edge_queue_keep m = {.delivery = d->id, .account = t->account, .sender = d->sender,
				    .recipient = t->recipient, .size = d->message.bytes.n, .deaths = deaths};
	m.ret = (uint8_t)d->ret;
	m.envid = d->envid;
	m.hold_until = d->hold_until;
	if (t->asked) {
		m.notify = (uint8_t)t->asked->notify;
		m.orcpt = t->asked->orcpt;
	}
	TRY(seal_for(d, t, &sealed, &m));
	TRY(neighbour(NEIGHBOUR_QUEUE, &queue));
	const struct asking ask = {.trace = &d->id, .arena = &a, .timeout_ms = wait_at_most(d, NEIGHBOUR_KEEP_MS)};
	return edge_queue_keep_call_within(queue, &ask, &m, &kept);
}

static result ask_queue(const struct delivery *d, const struct smtp_target *t, uint32_t deaths)
{
	struct edge *e = d->client->edge;
	TRY(seal_enter(e, d->message.bytes.n, wait_at_most(d, DELIVER_WHOLE_MS)));
	result r = seal_and_keep(d, t, deaths);
	seal_leave(e, d->message.bytes.n);
	/* The sentence of a refusal ended with its arena. */
	return failed(r) ? failure(r.kind, "the queue took no copy; its own lines in the log say why") : OK;
}

static result taken(const struct delivery *d, const struct smtp_target *t, const struct courier_account_delivered *m)
{
	quotas_heard(&d->client->edge->quotas, t->account, m->headroom);
	return OK;
}

static result deliver_one(const struct delivery *d, const struct smtp_target *t)
{
	struct courier_account_delivered answer = {0};
	uint32_t deaths = 0;
	result r = OK;
	if (d->hold_until)
		return ask_queue(d, t, 0);
	for (int i = 0; i < DELIVER_TRIES; i++) {
		r = ask_account(d, t, &answer);
		if (!failed(r) && answer.verdict != COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE)
			return taken(d, t, &answer);
		if (r.kind == FAIL_CANCELLED)
			return r;
		if (r.kind != FAIL_CLOSED)
			break;
		deaths++;
	}
	log_event(EV_DELIVERY_DEFERRED, &d->id, F_U64("account", t->account), F_STR("recipient", t->recipient),
		  F_STR("why", str_from(failed(r) ? r.text : "the account answered that it is unable")));
	return ask_queue(d, t, deaths);
}

/* Several copies: a bounded number of fibers take one target after the other.
 * After a failure no further copy is begun: the client sends all of them again. */
struct fan {
	const struct delivery *d;
	size_t next;
	size_t running;
	struct gate done;
	result worst;
};

static void one_lane(void *arg)
{
	struct fan *f = arg;
	while (!failed(f->worst) && f->next < f->d->n) {
		result r = deliver_one(f->d, &f->d->targets[f->next++]);
		if (failed(r))
			f->worst = r;
	}
	f->running--;
	gate_wake_all(&f->done);
}

static result fan_out(const struct delivery *d)
{
	struct fan f = {.d = d, .worst = OK};
	size_t lanes = d->n < DELIVER_AT_ONCE ? d->n : DELIVER_AT_ONCE;
	gate_init(&f.done);
	for (size_t i = 1; i < lanes; i++) {
		if (failed(fiber_start(one_lane, &f, "deliver", NULL)))
			break;
		f.running++;
	}
	f.running++;
	one_lane(&f);
	/* The lanes use this frame: they are waited for even when we are cancelled. */
	while (f.running > 0)
		gate_hold(&f.done);
	return f.worst;
}

result deliver(struct delivery *d)
{
	d->until = clock_mono_ms() + DELIVER_WHOLE_MS;
	return d->n == 1 ? deliver_one(d, d->targets) : fan_out(d);
}
