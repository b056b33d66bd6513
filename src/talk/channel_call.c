#include "talk/channel_core.h"

#include "base/mem.h"
#include "run/clock.h"

enum { SLOTS_FIRST = 8, INDEX_BITS = 16 };

/* ---- slots ---- */

static result widen(struct channel *c)
{
	size_t n = c->slots_n ? c->slots_n * 2 : SLOTS_FIRST;
	struct call_slot *slots = mem_grow(c->slots, n * sizeof *slots);
	if (!slots)
		return failure(FAIL_MEMORY, "no memory for another call");
	memset(slots + c->slots_n, 0, (n - c->slots_n) * sizeof *slots);
	for (size_t i = n; i > c->slots_n; i--) {
		slots[i - 1].next_free = (uint16_t)c->slot_first_free;
		c->slot_first_free = i - 1;
	}
	c->slots = slots;
	c->slots_n = n;
	return OK;
}

static void free_slot(struct channel *c, size_t i)
{
	struct call_slot *s = &c->slots[i];
	s->state = SLOT_FREE;
	s->call = NULL;
	s->generation++;
	s->next_free = (uint16_t)c->slot_first_free;
	c->slot_first_free = i;
	c->calls_out--;
	gate_wake_one(&c->slot_freed);
}

static result take_slot(struct channel *c, struct call *call, uint16_t answer, size_t *out)
{
	if (c->slot_first_free == SLOT_NONE)
		TRY(widen(c));
	size_t i = c->slot_first_free;
	struct call_slot *s = &c->slots[i];
	c->slot_first_free = s->next_free;
	s->state = SLOT_WAITING;
	s->answer = answer;
	s->call = call;
	c->calls_out++;
	*out = i;
	return OK;
}

static uint32_t request_of(const struct channel *c, size_t i)
{
	return (uint32_t)c->slots[i].generation << INDEX_BITS | (uint32_t)(i + 1);
}

static struct call_slot *slot_of(struct channel *c, uint32_t request, size_t *out)
{
	size_t i = (request & ((1 << INDEX_BITS) - 1)) - (size_t)1;
	if (i >= c->slots_n || c->slots[i].state == SLOT_FREE || request_of(c, i) != request)
		return NULL;
	*out = i;
	return &c->slots[i];
}

/* ---- the caller ---- */

static result wait_for_slot(struct channel *c, uint64_t deadline)
{
	while (c->open && c->calls_out == CHANNEL_CALLS)
		TRY(gate_wait(&c->slot_freed, clock_left(deadline)));
	return c->open ? OK : failure(FAIL_CLOSED, "the other room has gone");
}

static result wait_for_answer(struct channel *c, struct call *call, size_t slot, uint64_t deadline)
{
	while (!call->done) {
		result r = gate_wait(&call->answered, clock_left(deadline));
		if (call->done || !failed(r))
			continue;
		c->slots[slot].state = SLOT_ABANDONED;
		c->slots[slot].call = NULL;
		return r;
	}
	return call->outcome;
}

static result ask(struct channel *c, const struct saying *s, struct call *call, uint64_t deadline)
{
	const struct talk_message *m = &s->pair->messages[s->number];
	size_t slot;
	TRY(wait_for_slot(c, deadline));
	result r = failure(FAIL_CONFLICT, "the channel's present state does not permit this message");
	if (channel_may_say(c, m))
		r = take_slot(c, call, m->answer, &slot);
	if (failed(r)) {
		gate_wake_one(&c->slot_freed); /* the slot that this caller was woken for is another's now */
		return r;
	}
	struct parcel p = {.shape = m->shape, .message = s->message};
	p.head = (struct packet_head){
		.number = (uint16_t)s->number, .flags = FLAG_CALL, .request = request_of(c, slot)};
	if (s->trace)
		p.head.trace = *s->trace;
	channel_trace(c, "<-", m->shape, s->message);
	if (c->calls_out == 1)
		channel_arm(c); /* answers are read even where one-way messages have to wait */
	r = channel_put(c, &p, WHEN_FULL_WAIT, deadline);
	if (failed(r)) {
		if (!call->done)
			free_slot(c, slot);
		return r;
	}
	return wait_for_answer(c, call, slot, deadline);
}

result channel_call(struct channel *c, const struct saying *s, const struct hearing *h)
{
	const struct talk_message *m = &s->pair->messages[s->number];
	must(c->kind->pair == s->pair && m->by == c->kind->side && m->answer != 0);
	uint64_t deadline = FIBER_FOREVER;
	if (h->timeout_ms != FIBER_FOREVER && __builtin_add_overflow(clock_mono_ms(), h->timeout_ms, &deadline))
		deadline = FIBER_FOREVER;
	struct call call = {.hearing = h};
	gate_init(&call.answered);
	channel_ref(c);
	result r = ask(c, s, &call, deadline);
	channel_unref(c);
	return r;
}

/* ---- the answer ---- */

static void finish(struct call *call, result outcome)
{
	call->done = true;
	call->outcome = outcome;
	gate_wake_all(&call->answered);
}

static result read_refusal(struct talk_in *in, result *out)
{
	uint8_t kind = cursor_u8(&in->at);
	uint32_t n = cursor_u32(&in->at);
	str text = cursor_take(&in->at, n);
	if (in->at.bad || !cursor_done(&in->at) || in->fds_n > 0 || n > TALK_REFUSAL_MAX)
		return failure(FAIL_PEER, "a refusal is malformed");
	if (kind == FAIL_NONE || kind > FAIL_PEER)
		return failure(FAIL_PEER, "a refusal has no known kind");
	char *kept = arena_cstr(in->arena, text);
	*out = failure((enum fail_kind)kind, kept ? kept : fail_name((enum fail_kind)kind));
	return OK;
}

static result read_answer(struct channel *c, const struct packet_head *h, struct talk_in *in, struct call *call)
{
	const struct hearing *hearing = call->hearing;
	in->arena = hearing->arena;
	if (h->flags & FLAG_REFUSED)
		return read_refusal(in, &call->outcome);
	/* The packet's buffer is the process's one; views must outlive it. */
	str kept = arena_dup(hearing->arena, cursor_rest(&in->at));
	if (!kept.p)
		return arena_result(hearing->arena);
	in->at = cursor_on(kept);
	const struct talk_shape *s = c->kind->pair->messages[h->number].shape;
	result r = talk_decode(s, in, hearing->answer);
	if (!failed(r))
		channel_trace(c, "->", s, hearing->answer);
	return r;
}

static bool well_formed(const struct packet_head *h, const struct call_slot *s)
{
	if (h->flags == (FLAG_ANSWER | FLAG_REFUSED))
		return h->number == 0;
	return h->flags == FLAG_ANSWER && h->number == s->answer;
}

void channel_answered(struct channel *c, const struct packet_head *h, struct talk_in *in)
{
	size_t i;
	struct call_slot *s = slot_of(c, h->request, &i);
	if (!s || !well_formed(h, s)) {
		channel_nonsense(c, h, NULL, failure(FAIL_PEER, "an answer that nobody asked for"));
		return;
	}
	struct call *call = s->call;
	if (!call) {
		c->counts.late++;
		free_slot(c, i);
		return;
	}
	call->outcome = OK;
	result r = read_answer(c, h, in, call);
	free_slot(c, i);
	finish(call, failed(r) ? r : call->outcome);
	if (r.kind == FAIL_PEER)
		channel_nonsense(c, h, in->wrong ? in->wrong->name : NULL, r);
}

void channel_end_calls(struct channel *c, result why)
{
	result closed = failure(FAIL_CLOSED, why.kind == FAIL_PEER ? "the other room spoke nonsense and was closed" :
								     "the other room has gone");
	for (size_t i = 0; i < c->slots_n; i++) {
		struct call *call = c->slots[i].call;
		if (c->slots[i].state == SLOT_FREE)
			continue;
		free_slot(c, i);
		if (call)
			finish(call, closed);
	}
}
