#include "talk/channel_core.h"

#include "base/mem.h"

/* What a process keeps for the next arrivals. */
enum { POOL_MAX = 32, SPACE_KEPT = 16 * 1024 };

/* One message that came, until its handler has returned. */
struct request {
	struct list node; /* in the pool */
	struct channel *channel;
	struct packet_head head;
	arena memory;
	char *space; /* its octets */
	size_t space_n;
	void *message;
	void *answer;
};

static struct {
	struct list free;
	size_t n;
	bool ready;
} pool;

static void destroy(struct request *q)
{
	arena_free(&q->memory);
	mem_free(q->space);
	mem_free(q);
}

static struct request *take(void)
{
	if (!pool.ready) {
		list_init(&pool.free);
		pool.ready = true;
	}
	if (!list_empty(&pool.free)) {
		struct request *q = LIST_OWNER(pool.free.prev, struct request, node);
		list_remove(&q->node);
		pool.n--;
		return q;
	}
	struct request *q = mem_alloc(sizeof *q);
	if (!q)
		return NULL;
	list_init(&q->node);
	q->memory = arena_new(CHANNEL_ARENA_MAX);
	return q;
}

static void give_back(struct request *q)
{
	if (pool.n == POOL_MAX) {
		destroy(q);
		return;
	}
	arena_clear(&q->memory);
	if (q->space_n > SPACE_KEPT) {
		mem_free(q->space);
		q->space = NULL;
		q->space_n = 0;
	}
	list_insert(&pool.free, &q->node);
	pool.n++;
}

void channel_serve_trim(void)
{
	while (pool.ready && !list_empty(&pool.free)) {
		struct request *q = LIST_OWNER(pool.free.next, struct request, node);
		list_remove(&q->node);
		destroy(q);
	}
	pool.n = 0;
}

static const struct talk_message *message_of(const struct channel *c, const struct packet_head *h)
{
	return &c->kind->pair->messages[h->number];
}

/* ---- answering ---- */

static void refuse(struct channel *c, const struct packet_head *h, result why)
{
	/* This fiber's, process's or store's end is to the caller a reason to try
	 * again; CLOSED would tell it that this channel has ended. */
	bool ending = why.kind == FAIL_CANCELLED || why.kind == FAIL_CLOSED;
	struct parcel p = {.refusal = ending ? failure(FAIL_BUSY, why.text) : why};
	p.head = (struct packet_head){.flags = FLAG_ANSWER | FLAG_REFUSED, .request = h->request, .trace = h->trace};
	result r = channel_put(c, &p, WHEN_FULL_DETACH, FIBER_FOREVER);
	/* A call must not stay unanswered. Where the peer has gone, the reader ends
	 * the channel behind the peer's last words. */
	if (failed(r) && r.kind != FAIL_CLOSED && c->open)
		channel_shut(c, r);
}

static void answer(struct request *q, result r)
{
	struct channel *c = q->channel;
	const struct talk_message *m = message_of(c, &q->head);
	const struct talk_shape *s = c->kind->pair->messages[m->answer].shape;
	if (!failed(r)) {
		struct parcel p = {.shape = s, .message = q->answer};
		p.head = (struct packet_head){
			.number = m->answer, .flags = FLAG_ANSWER, .request = q->head.request, .trace = q->head.trace};
		channel_trace(c, "<-", s, q->answer);
		r = channel_put(c, &p, WHEN_FULL_DETACH, FIBER_FOREVER);
	}
	if (failed(r) && c->open)
		refuse(c, &q->head, r);
	talk_release(s, q->answer);
}

/* ---- the handler's fiber ---- */

static void leave(struct channel *c, bool call)
{
	if (call)
		c->calls_in--;
	else
		c->one_way--;
	if (c->calls_in == 0 && c->one_way == 0)
		gate_wake_all(&c->settled);
	if (!call)
		channel_arm(c);
	channel_unref(c);
}

static void run(void *arg)
{
	struct request *q = arg;
	struct channel *c = q->channel;
	const struct talk_message *m = message_of(c, &q->head);
	struct arrival in = {.channel = c, .ctx = c->ctx, .trace = q->head.trace, .arena = &q->memory};
	result r = c->kind->dispatch(c->handlers, q->head.number, &in, q->message, q->answer);
	if (m->answer)
		answer(q, r);
	talk_release(m->shape, q->message); /* last: the answer may be views of it */
	give_back(q);
	leave(c, m->answer != 0);
}

/* Room for the octets, the message and, for a call, the answer. */
static result unpack(struct channel *c, struct request *q, struct talk_in *in)
{
	const struct talk_message *m = message_of(c, &q->head);
	str octets = cursor_rest(&in->at);
	if (octets.n > q->space_n) {
		char *space = mem_grow(q->space, octets.n);
		if (!space)
			return failure(FAIL_MEMORY, "out of memory");
		q->space = space;
		q->space_n = octets.n;
	}
	if (octets.n > 0) {
		memcpy(q->space, octets.p, octets.n);
		in->at = cursor_on(str_of(q->space, octets.n));
	}
	in->arena = &q->memory;
	q->message = arena_alloc(&q->memory, m->shape->size);
	q->answer = m->answer ? arena_alloc(&q->memory, c->kind->pair->messages[m->answer].shape->size) : NULL;
	if (!q->message || (m->answer && !q->answer))
		return arena_result(&q->memory);
	return talk_decode(m->shape, in, q->message);
}

static result start(struct channel *c, struct request *q)
{
	const struct talk_message *m = message_of(c, &q->head);
	q->channel = c;
	result r = fiber_start(run, q, m->shape->name, NULL);
	if (failed(r)) {
		talk_release(m->shape, q->message);
		return r;
	}
	channel_ref(c);
	if (m->answer)
		c->calls_in++;
	else
		c->one_way++;
	return OK;
}

/* What this machine cannot take now is refused, or, where nobody waits for an
 * answer, ends the channel: a one-way message must not vanish. But a descriptor
 * that found no place is closed, which its other end sees. */
static void cannot(struct channel *c, const struct packet_head *h, struct talk_in *in, result why)
{
	if (why.kind == FAIL_PEER)
		channel_nonsense(c, h, in->wrong ? in->wrong->name : NULL, why);
	else if (why.kind == FAIL_CANCELLED) /* this process is ending: the caller asks the next one at once */
		channel_shut(c, failure(FAIL_CLOSED, why.text));
	else if (h->flags & FLAG_CALL)
		refuse(c, h, why);
	else if (in->fds_lost)
		log_event(EV_LIMITED, &h->trace, F_STR("peer", channel_peer(c)), F_STR("why", str_from(why.text)));
	else
		channel_shut(c, why);
}

void channel_serve(struct channel *c, const struct packet_head *h, struct talk_in *in)
{
	const struct talk_message *m = message_of(c, h);
	struct request *q = NULL;
	result r = OK;
	if (m->answer && c->calls_in == CHANNEL_CALLS)
		r = failure(FAIL_PEER, "more unanswered calls than a channel may have");
	else if (!(q = take()))
		r = failure(FAIL_MEMORY, "out of memory");
	if (q) {
		q->head = *h;
		r = unpack(c, q, in);
		if (!failed(r)) {
			channel_trace(c, "->", m->shape, q->message);
			r = start(c, q);
		}
		if (failed(r))
			give_back(q);
	}
	if (failed(r))
		cannot(c, h, in, r);
}
