/* Takes messages to the relay, a destination's transaction at a time. */
#include "base/mem.h"
#include "queue/mail_core.h"
#include "run/clock.h"
#include "run/random.h"

enum { ANSWER_ARENA = 4 << 20, BUSY_MS = 2000, PAUSE_MS = 200, PAUSE_MOST_MS = 30000 };

enum { OF_TLS_REPORT = MAIL_REPORT | MAIL_TLS_OPTIONAL };

struct carrier {
	struct queue *q;
	struct parcel parcel;
	struct turn *turn;
	arena memory; /* of the answer */
	struct queue_relay_sent sent;
	struct mail_end end;
	enum traffic_answer answer;
	bool settled, unsettled;
	bool absent; /* there is no relay now: nothing was tried */
};

/* ---- alone or not ---- */

/* What a relay has ended with goes while nothing else is with any relay, so
 * that it is the only one to be blamed the next time. */
static result enter(struct outward *o, bool alone)
{
	while (o->alone || (alone && o->sending > 0))
		TRY(gate_wait(&o->calmer, FIBER_FOREVER));
	o->sending++;
	o->alone = alone;
	return OK;
}

static void leave(struct outward *o)
{
	o->sending--;
	o->alone = false;
	gate_wake_all(&o->calmer);
}

/* Nothing else needs to try before this has passed. */
static void pause_all(struct outward *o, str why)
{
	uint64_t now = clock_mono_ms();
	if (now < o->not_before)
		return;
	o->not_before = now + schedule_backoff(&(struct backoff){PAUSE_MS, PAUSE_MOST_MS}, ++o->pauses, random_below(1024));
	log_event(EV_RELAY_ABSENT, NULL, F_STR("why", why), F_U64("wait", o->not_before - now));
}

/* ---- one transaction ---- */

static result ask(struct carrier *c)
{
	const struct parcel *p = &c->parcel;
	struct queue_relay_recipient to[QUEUE_TOGETHER];
	struct channel *relay;
	const struct asking how = {.trace = &p->delivery, .arena = &c->memory, .timeout_ms = QUEUE_SEND_MS};
	for (size_t i = 0; i < p->n; i++)
		to[i] = (struct queue_relay_recipient){.address = p->to[i].address, .notify = p->to[i].notify,
			.orcpt = p->to[i].orcpt};
	struct queue_relay_send m = {.delivery = p->delivery, .destination = destination_name(c->turn->to),
		.route = c->turn->to->route, .sender = p->sender, .recipients = {.p = to, .n = p->n}, .envid = p->envid,
		.ret = p->ret, .flags = p->flags, .deliver_by = p->deliver_by, .by_return = p->by_return,
		.wrapped = str_of(p->content.wrapped, p->content.wrapped_n), .sealed = body_view(&p->content.sealed)};
	result r = c->q->world->relay(&relay);
	c->absent = failed(r) && r.kind != FAIL_CANCELLED;
	if (failed(r))
		return r;
	r = queue_relay_send_call_within(relay, &how, &m, &c->sent);
	c->end.died = r.kind == FAIL_CLOSED;
	if (!failed(r) && c->sent.outcomes.n != p->n)
		r = failure(FAIL_PEER, "the relay did not answer for each recipient");
	return r;
}

static enum traffic_answer judge(const struct queue_relay_sent *s)
{
	if (!s->reached)
		return TRAFFIC_UNREACHED;
	return s->slow_down ? TRAFFIC_SLOWER : TRAFFIC_WELL;
}

static result send_parcel(struct carrier *c)
{
	result r = ask(c);
	if (r.kind == FAIL_CANCELLED)
		return r;
	c->answer = TRAFFIC_NOTHING;
	if (failed(r)) {
		c->end.why = str_from(r.text);
		return OK;
	}
	c->answer = judge(&c->sent);
	c->end.outcomes = c->sent.outcomes.p;
	c->end.host = c->sent.host;
	/* A report about TLS is nothing to report on, or two servers would never end telling each other. */
	if ((c->parcel.flags & OF_TLS_REPORT) != OF_TLS_REPORT)
		tls_days_note(&c->q->out.tls, c->sent.tls.p, c->sent.tls.n);
	return OK;
}

static void report_one(const struct carrier *c, size_t i)
{
	const struct parcel *p = &c->parcel;
	const struct queue_relay_outcome *o = c->end.outcomes ? &c->end.outcomes[i] : NULL;
	static const enum log_name names[] = {EV_SENT, EV_SENT, EV_SEND_DEFERRED, EV_SEND_FAILED};
	enum log_name name = o ? names[o->verdict] : EV_SEND_DEFERRED;
	if (c->end.died && p->deaths + 1 >= QUEUE_DEATHS)
		name = EV_QUARANTINED;
	log_event(name, &p->delivery, F_U64("item", p->to[i].id), F_U64("account", p->account),
		  F_STR("from", p->sender), F_STR("to", p->to[i].address),
		  F_STR("destination", destination_name(c->turn->to)), F_U64("attempts", p->to[i].attempts + 1),
		  F_STR("host", c->sent.host), F_STR("address", c->sent.address), F_STR("tls", c->sent.tls_version),
		  F_STR("cipher", c->sent.tls_cipher), F_STR("verified",
		str_from(queue_relay_verified_names[c->sent.verified])),
		  F_STR("verdict", str_from(o ? queue_relay_verdict_names[o->verdict] : "later")),
		  F_U64("code", o ? o->code : 0), F_STR("status", o ? o->status : (str){0}),
		  F_STR("text", o ? o->text : c->end.why), F_U64("advice", o ? o->advice : 0));
}

static result settle(struct carrier *c)
{
	result r = mail_settle(c->q, &c->parcel, &c->end);
	c->settled = !failed(r);
	c->unsettled = failed(r);
	for (size_t i = 0; i < c->parcel.n && !failed(r); i++)
		report_one(c, i);
	return r;
}

static bool is_judged(const struct outward *o, uint64_t message)
{
	for (size_t i = 0; i < o->judged_n; i++)
		if (o->judged[i] == message)
			return true;
	return false;
}

static bool is_lost(result r)
{
	return r.kind == FAIL_DAMAGE || r.kind == FAIL_ABSENT;
}

/* There is nothing to send: its sender is told now, not when its time is over. */
static result give_up_lost(struct carrier *c)
{
	struct queue_relay_outcome lost[QUEUE_TOGETHER];
	for (size_t i = 0; i < c->parcel.n; i++)
		lost[i] = (struct queue_relay_outcome){.verdict = QUEUE_RELAY_VERDICT_FAILED, .status = STR("5.3.0"),
			.text = STR("the stored message is damaged, so it cannot be sent; please send it again")};
	c->end.outcomes = lost;
	result r = settle(c);
	c->end.outcomes = NULL;
	return r;
}

static result carry(struct carrier *c)
{
	struct queue *q = c->q;
	struct parcel *p = &c->parcel;
	bool moved;
	TRY(mail_follow_routes(q, p, &moved));
	if (moved)
		return OK; /* its turn looks again from the first row on */
	result r = mail_fetch(q, p);
	if (is_lost(r))
		return give_up_lost(c);
	TRY(r);
	TRY(enter(&q->out, p->deaths > 0));
	r = send_parcel(c);
	leave(&q->out);
	TRY(r);
	if (c->absent)
		pause_all(&q->out, c->end.why);
	if (c->absent)
		return OK; /* still due: its turn looks again from the first row on */
	q->out.pauses = 0;
	return settle(c);
}

static bool is_to(const struct parcel *p, uint64_t recipient)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->to[i].id == recipient)
			return true;
	return false;
}

/* Who is under way already and was made due again by an administrator. */
static void leave_out_others(const struct outward *o, struct parcel *p)
{
	LIST_EACH(node, &o->parcels) {
		const struct parcel *other = LIST_OWNER(node, struct parcel, node);
		if (other->message != p->message)
			continue;
		size_t n = 0;
		for (size_t i = 0; i < p->n; i++)
			if (!is_to(other, p->to[i].id))
				p->to[n++] = p->to[i];
		p->n = n;
	}
}

static result take(struct carrier *c)
{
	struct outward *o = &c->q->out;
	struct parcel *p = &c->parcel;
	uint64_t at = DUE_NEVER;
	result r = mail_take(c->q, c->turn, p, &at);
	if (failed(r))
		at = clock_mono_ms() + QUEUE_DISK_MS;
	else if (p->n > 0 && is_judged(o, p->message)) {
		at = clock_mono_ms() + BUSY_MS;
		p->n = 0;
	} else {
		leave_out_others(o, p);
	}
	traffic_taken(&o->traffic, c->turn, at);
	gate_wake_all(&o->changed);
	if (!failed(r) && p->n > 0)
		list_insert(&o->parcels, &p->node);
	return r;
}

/* ---- its way ---- */

static void end(struct carrier *c)
{
	struct outward *o = &c->q->out;
	const struct traffic_end e = {.answer = c->answer, .now = clock_mono_ms(), .random = random_below(1024),
		.unsettled = c->unsettled};
	uint64_t octets = c->parcel.octets;
	if (c->parcel.n > 0)
		c->q->octets -= octets;
	if (c->parcel.message > 0 && !c->settled) /* its rows wait as they did */
		turn_changed(c->turn);
	parcel_free(&c->parcel);
	arena_free(&c->memory);
	traffic_ended(&o->traffic, c->turn, &e);
	o->carriers--;
	gate_wake_all(&c->q->lighter);
	gate_wake_all(&o->changed);
	mem_free(c);
}

/* Large ones wait until there is room for them, the largest for all others to be through. */
static result take_room(struct queue *q, uint64_t octets)
{
	while (q->octets > 0 && q->octets + octets > QUEUE_OCTETS)
		TRY(gate_wait(&q->lighter, FIBER_FOREVER));
	q->octets += octets;
	return OK;
}

static void run(void *arg)
{
	struct carrier *c = arg;
	result r = take(c);
	if (!failed(r) && c->parcel.n > 0) {
		r = take_room(c->q, c->parcel.octets);
		if (failed(r))
			c->parcel.n = 0; /* it has no room to give back */
		else
			r = carry(c);
	}
	if (failed(r) && r.kind != FAIL_CANCELLED)
		traffic_taken(&c->q->out.traffic, c->turn, clock_mono_ms() + QUEUE_DISK_MS);
	end(c);
}

/* Starts a fiber with the turn's next message. On failure the turn has ended. */
static result send_one(struct queue *q, struct turn *t)
{
	struct carrier *c = mem_alloc(sizeof *c);
	result r = c ? OK : failure(FAIL_MEMORY, "out of memory");
	if (c) {
		*c = (struct carrier){.q = q, .turn = t, .memory = arena_new(ANSWER_ARENA)};
		parcel_new(&c->parcel);
		r = fiber_start(run, c, "carrier", NULL);
	}
	if (failed(r)) {
		const struct traffic_end e = {.answer = TRAFFIC_NOTHING, .now = clock_mono_ms()};
		mem_free(c);
		traffic_taken(&q->out.traffic, t, clock_mono_ms() + QUEUE_DISK_MS);
		traffic_ended(&q->out.traffic, t, &e);
		return r;
	}
	q->out.carriers++;
	return OK;
}

void queue_run_outward(struct queue *q)
{
	struct outward *o = &q->out;
	for (;;) {
		uint64_t wait = FIBER_FOREVER;
		uint64_t now = clock_mono_ms();
		struct turn *t = NULL;
		result r = OK;
		if (now < o->not_before)
			wait = o->not_before - now;
		else if (o->carriers < o->sessions)
			t = traffic_next(&o->traffic, now, &wait);
		if (t && failed(send_one(q, t)))
			r = fiber_sleep(QUEUE_DISK_MS);
		else if (!t)
			r = gate_wait(&o->changed, wait);
		if (r.kind == FAIL_CANCELLED)
			return;
	}
}
