#include "talk/channel_core.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/clock.h"

/* Memory of the machine may be short for a moment; so often it is tried again. */
enum { FULL_TRIES_MAX = 1000, IOVECS = 2 + 2 * TALK_PIECES };

/* The one packet being made in this process: nothing suspends between making
 * and sending it. */
static struct {
	struct talk_out out;
	bool ready;
} press;

union rights {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * TALK_FDS_MAX)];
};

static void put_le(char *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(v >> (8 * i) & 0xff);
}

static void put_head(char to[TALK_HEADER], const struct packet_head *h)
{
	put_le(to, h->number, 2);
	put_le(to + 2, h->flags, 2);
	put_le(to + 4, h->request, 4);
	memcpy(to + 8, h->trace.b, sizeof h->trace.b);
}

static void attach(struct msghdr *msg, union rights *rights, const int *fds, size_t n)
{
	if (n == 0)
		return;
	memset(rights, 0, sizeof *rights);
	msg->msg_control = rights->space;
	msg->msg_controllen = CMSG_SPACE(sizeof(int) * n);
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
}

/* OK, BUSY (socket full or memory short), CLOSED, LIMIT. */
static result push(struct channel *c, struct msghdr *msg)
{
	ssize_t n;
	do
		n = sendmsg(c->fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		c->full_tries = 0;
		c->counts.sent++;
		c->counts.octets_out += (uint64_t)n;
		return OK;
	}
	if (errno == EAGAIN)
		return failure(FAIL_BUSY, "the other room does not keep up");
	if ((errno == ENOBUFS || errno == ENOMEM) && c->full_tries++ < FULL_TRIES_MAX)
		return failure(FAIL_BUSY, "the machine has no memory for a message between rooms");
	c->peer_gone = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
	if (c->peer_gone)
		return failure(FAIL_CLOSED, "the other room has gone");
	if (errno == EMSGSIZE)
		return failure(FAIL_LIMIT, "a message is too large for the socket buffers; raise net.core.wmem_max");
	return failure(FAIL_MEMORY, "a message could not be handed to the machine");
}

static size_t gather(const struct talk_out *out, struct iovec *v)
{
	size_t n = 0, at = 0;
	for (size_t i = 0; i < out->pieces_n; i++) {
		const struct talk_piece *piece = &out->pieces[i];
		v[n++] = (struct iovec){out->bytes.p + at, piece->at - at};
		v[n++] = (struct iovec){(void *)(uintptr_t)piece->s.p, piece->s.n};
		at = piece->at;
	}
	if (out->bytes.n > at)
		v[n++] = (struct iovec){out->bytes.p + at, out->bytes.n - at};
	return n;
}

static result push_out(struct channel *c, char *head, const struct talk_out *out)
{
	struct iovec v[IOVECS] = {{head, TALK_HEADER}};
	union rights rights;
	struct msghdr msg = {.msg_iov = v, .msg_iovlen = 1 + gather(out, v + 1)};
	attach(&msg, &rights, out->fds, out->fds_n);
	return push(c, &msg);
}

/* ---- the socket is full ---- */

static void pending_free(struct pending *p)
{
	talk_out_free(&p->out);
	mem_free(p);
}

static void settle(struct channel *c, struct pending *p, result outcome)
{
	list_remove(&p->node);
	p->outcome = outcome;
	p->settled = true;
	gate_wake_all(&p->sent);
	if (list_empty(&c->pending))
		gate_wake_all(&c->settled);
	if (p->detached)
		pending_free(p);
}

void channel_flush(struct channel *c)
{
	while (c->open && !list_empty(&c->pending)) {
		struct pending *p = LIST_OWNER(c->pending.next, struct pending, node);
		result r = push_out(c, p->head, &p->out);
		if (r.kind == FAIL_BUSY)
			return;
		bool lost_answer = failed(r) && p->detached;
		settle(c, p, r);
		if (lost_answer && r.kind != FAIL_CLOSED) /* a call must not stay unanswered */
			channel_shut(c, r);
	}
}

void channel_drop_pending(struct channel *c, result why)
{
	while (!list_empty(&c->pending))
		settle(c, LIST_OWNER(c->pending.next, struct pending, node), why);
}

/* Nobody waits for an answer to be sent, and its message is released meanwhile:
 * it gets its own copy of the long strings and of the descriptors. */
static result own_all(struct talk_out *out)
{
	buf octets = buf_new(TALK_PACKET_MAX);
	if (out->pieces_n > 0) {
		buf_reserve(&octets, out->total);
		talk_out_flatten(out, &octets);
		buf_free(&out->bytes);
		out->bytes = octets;
		out->pieces_n = 0;
		TRY(buf_result(&octets));
	}
	for (size_t i = 0; i < out->fds_n; i++) {
		bool made = false;
		for (size_t k = 0; k < out->made_n; k++)
			made = made || out->made[k] == out->fds[i];
		int fd = made ? -1 : fcntl(out->fds[i], F_DUPFD_CLOEXEC, 3);
		if (!made && fd < 0)
			return failure(FAIL_LIMIT, "no descriptor for a message that must wait");
		if (!made)
			out->fds[i] = out->made[out->made_n++] = fd;
	}
	return OK;
}

static result wait_for_room(struct channel *c, struct pending *p, uint64_t deadline)
{
	result r = OK;
	channel_ref(c);
	while (!p->settled && !failed(r))
		r = gate_wait(&p->sent, clock_left(deadline));
	if (!p->settled)
		settle(c, p, r);
	r = p->outcome;
	pending_free(p);
	channel_arm(c);
	channel_unref(c);
	return r;
}

/* Takes the packet out of the press; where the sender waits, its long strings
 * stay where they are. */
static result queue(struct channel *c, const char *head, bool detached, struct pending **out)
{
	struct pending *p = mem_alloc(sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "no memory for a message that must wait");
	gate_init(&p->sent);
	memcpy(p->head, head, TALK_HEADER);
	p->detached = detached;
	p->out = press.out;
	press.out = talk_out_new();
	result r = detached ? own_all(&p->out) : OK;
	if (failed(r)) {
		pending_free(p);
		return r;
	}
	list_insert(&c->pending, &p->node);
	channel_arm(c);
	*out = p;
	return OK;
}

/* ---- one packet ---- */

static const struct talk_field refusal_fields[] = {
	{.name = "kind", .type = TALK_U8, .size = 1, .wire_min = 1},
	{.name = "text", .type = TALK_STR, .offset = sizeof(void *), .size = sizeof(str), .max = TALK_REFUSAL_MAX},
};
static const struct talk_shape refusal_shape = {.name = "refused", .fields = refusal_fields, .n = 2};

static result make(const struct parcel *p)
{
	if (!press.ready) {
		press.out = talk_out_new();
		press.ready = true;
	}
	talk_out_clear(&press.out);
	if (p->shape)
		return talk_encode(p->shape, p->message, &press.out);
	struct {
		uint8_t kind;
		_Alignas(void *) str text;
	} m = {(uint8_t)p->refusal.kind, str_sub(str_from(p->refusal.text), 0, TALK_REFUSAL_MAX)};
	return talk_encode(&refusal_shape, &m, &press.out);
}

result channel_put(struct channel *c, const struct parcel *p, enum when_full how, uint64_t deadline)
{
	char head[TALK_HEADER];
	if (!c->open)
		return failure(FAIL_CLOSED, "the other room has gone");
	TRY(make(p));
	put_head(head, &p->head);
	struct pending *later = NULL;
	result r = failure(FAIL_BUSY, "the other room does not keep up");
	if (list_empty(&c->pending))
		r = push_out(c, head, &press.out);
	if (r.kind == FAIL_BUSY && how != WHEN_FULL_BUSY)
		r = queue(c, head, how == WHEN_FULL_DETACH, &later);
	talk_out_clear(&press.out); /* also where it forgets */
	/* The state moves before the packet waits: what is said next comes behind it. */
	if (!failed(r) && !(p->head.flags & FLAG_ANSWER))
		channel_said(c, p->head.number);
	return later && how == WHEN_FULL_WAIT ? wait_for_room(c, later, deadline) : r;
}

void channel_send_trim(void)
{
	if (press.ready)
		talk_out_free(&press.out);
}

/* ---- one-way messages ---- */

static result say(struct channel *c, const struct saying *s, enum when_full how)
{
	const struct talk_message *m = &s->pair->messages[s->number];
	must(c->kind->pair == s->pair && m->by == c->kind->side && m->answer == 0 && !m->is_answer);
	if (!c->open)
		return failure(FAIL_CLOSED, "the other room has gone");
	if (!channel_may_say(c, m))
		return failure(FAIL_CONFLICT, "the channel's present state does not permit this message");
	struct parcel p = {.head = {.number = (uint16_t)s->number}, .shape = m->shape, .message = s->message};
	if (s->trace)
		p.head.trace = *s->trace;
	channel_trace(c, "<-", m->shape, s->message);
	return channel_put(c, &p, how, FIBER_FOREVER);
}

result channel_send(struct channel *c, const struct saying *s)
{
	return say(c, s, WHEN_FULL_WAIT);
}

result channel_offer(struct channel *c, const struct saying *s)
{
	result r = say(c, s, WHEN_FULL_BUSY);
	if (r.kind == FAIL_BUSY)
		c->counts.offers_dropped++;
	return r;
}
