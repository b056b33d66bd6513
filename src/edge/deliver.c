#include "edge/deliver.h"
#include "talk/courier_account.h"
#include "talk/edge_queue.h"
#include "talk/item.h"
#include "talk/principal_vault.h"

#include <sodium.h>

static result ask_account(const struct delivery *d, const struct smtp_target *t, struct courier_account_delivered *out)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *ch;
	struct courier_account_deliver m = {
		.delivery = d->id, .sender = d->sender, .recipient = t->recipient, .received = d->received,
		.trace = d->trace, .facts = d->facts, .message = d->message,
	};
	struct asking ask = {.trace = &d->id, .arena = &a, .timeout_ms = DELIVER_ANSWER_MS};
	TRY(neighbour_account(t->account, &ch));
	TRY(courier_account_deliver_call_within(ch, &ask, &m, out));
	out->text = (str){NULL, 0}; /* it lived in the arena */
	return OK;
}

/* A key that only this account can have unwrapped; ours is forgotten at once. */
static result seal_for(const struct delivery *d, const struct smtp_target *t, buf *sealed, struct edge_queue_keep *m)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct channel *vault;
	struct principal_vault_wrap_for q = {.account = t->account};
	struct principal_vault_wrapped_key key;
	struct item i = {.received = d->received, .sender = d->sender, .recipient = t->recipient, .trace = d->trace,
			 .facts = d->facts.bytes, .message = d->message.bytes};
	TRY(neighbour(NEIGHBOUR_VAULT, &vault));
	TRY(principal_vault_wrap_for_call(vault, &d->id, &q, &a, &key));
	result r = item_seal(&i, &d->id, key.key, sealed);
	sodium_memzero(key.key, sizeof key.key);
	if (!failed(r)) {
		buf_put(sealed, key.wrapped); /* kept behind the sealed bytes until the call below */
		r = buf_result(sealed);
	}
	TRY(r);
	m->sealed = body_of(str_sub(buf_str(sealed), 0, sealed->n - key.wrapped.n));
	m->wrapped = str_skip(buf_str(sealed), sealed->n - key.wrapped.n);
	return OK;
}

static result ask_queue(const struct delivery *d, const struct smtp_target *t, uint32_t deaths)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf sealed = buf_new(d->message.bytes.n + d->facts.bytes.n + 65536);
	struct channel *queue;
	struct edge_queue_kept kept;
	struct edge_queue_keep m = {.delivery = d->id, .account = t->account, .sender = d->sender,
				    .recipient = t->recipient, .size = d->message.bytes.n, .deaths = deaths};
	TRY(seal_for(d, t, &sealed, &m));
	TRY(neighbour(NEIGHBOUR_QUEUE, &queue));
	return edge_queue_keep_call(queue, &d->id, &m, &a, &kept);
}

static result deliver_one(const struct delivery *d, const struct smtp_target *t)
{
	struct courier_account_delivered answer = {0};
	uint32_t deaths = 0;
	result r = OK;
	for (int i = 0; i < DELIVER_TRIES; i++) {
		r = ask_account(d, t, &answer);
		if (!failed(r) && answer.verdict != COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE)
			return OK;
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

/* Several copies: a bounded number of fibers take one target after the other. */
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
	while (f->next < f->d->n) {
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
		if (failed(gate_wait(&f.done, FIBER_FOREVER)))
			fiber_yield();
	return f.worst;
}

result deliver(const struct delivery *d)
{
	return d->n == 1 ? deliver_one(d, d->targets) : fan_out(d);
}
