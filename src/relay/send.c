/* One message for one destination: opened, carried to the first server that
 * takes it, and accounted for. */
#include "grammar/smtp/advice.h"
#include "relay/attempt.h"
#include "relay/relay.h"
#include "relay/sealed.h"
#include "relay/transaction.h"
#include "relay/ways.h"

static void take_letter(const struct queue_relay_send *m, const struct item *i, struct letter *l)
{
	*l = (struct letter){
		.head = i->trace,
		.body = i->message,
		.flags = m->flags,
		.sender = m->sender,
		.envid = m->envid,
		.ret = m->ret,
		.deliver_by = m->deliver_by,
		.by_return = m->by_return,
	};
	letter_look(l);
}

static result prepare(const struct arrival *in, const struct queue_relay_send *m, struct errand *e)
{
	*e = (struct errand){
		.arena = in->arena,
		.trace = &m->delivery,
		.recipients = m->recipients.p,
		.n = m->recipients.n,
		.left = m->recipients.n,
	};
	if (m->recipients.n == 0)
		return failure(FAIL_INPUT, "a message for nobody");
	e->outcomes = arena_array(in->arena, e->n, sizeof *e->outcomes);
	e->settled = arena_array(in->arena, e->n, sizeof *e->settled);
	return arena_result(in->arena);
}

/* What the answers mean to people, for reports and who looks at the queue. */
static void advise(struct errand *e, str host)
{
	for (size_t i = 0; i < e->n; i++) {
		struct queue_relay_outcome *o = &e->outcomes[i];
		const struct advice_reply r = {.code = o->code, .status = o->status, .host = host, .text = o->text};
		if (o->verdict == QUEUE_RELAY_VERDICT_LATER || o->verdict == QUEUE_RELAY_VERDICT_FAILED)
			o->advice = advice_find(&r);
	}
}

static void run(struct errand *e, const struct queue_relay_send *m, struct queue_relay_sent *answer)
{
	struct trouble t = way_find(m->route, m->destination, e->arena, &e->way);
	if (is_trouble(&t))
		errand_settle_rest(e, &t);
	else
		attempt_all(e, transact, answer);
	way_forget(&e->way);
	advise(e, answer->host);
	answer->slow_down = e->slow_down;
	answer->outcomes.p = e->outcomes;
	answer->outcomes.n = e->n;
}

result on_send(struct arrival *in, struct queue_relay_send *m, struct queue_relay_sent *answer)
{
	struct errand e;
	struct item item;
	AUTO_BUF buf plain = buf_new(RELAY_MESSAGE_MAX);
	TRY(prepare(in, m, &e));
	TRY(sealed_open(&(struct sealed_item){&m->delivery, m->wrapped, m->sealed.bytes}, &plain, &item));
	take_letter(m, &item, &e.letter);
	run(&e, m, answer);
	return arena_result(in->arena);
}
