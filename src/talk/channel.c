#include "talk/channel_core.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/loop.h"

enum { SEND_BUFFER = 1 << 20 }; /* the machine cuts it to its own limit */

static void (*tracer)(void *ctx, str line);
static void *tracer_ctx;

/* ---- life ---- */

void channel_ref(struct channel *c)
{
	c->refs++;
}

void channel_unref(struct channel *c)
{
	must(c->refs > 0);
	if (--c->refs > 0)
		return;
	mem_free(c->slots);
	mem_free(c->peer);
	mem_free(c);
}

static void on_handle_closed(uv_handle_t *handle)
{
	channel_unref(LIST_OWNER(handle, struct channel, poll));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct channel *c = LIST_OWNER(poll, struct channel, poll);
	channel_ref(c);
	if (status < 0) /* the socket carries an error; libuv has stopped watching it */
		c->armed = 0;
	if (events & UV_WRITABLE)
		channel_flush(c);
	if (c->open && (status < 0 || events & UV_READABLE))
		channel_read(c, status < 0);
	channel_arm(c);
	channel_unref(c);
}

static bool wants_to_read(const struct channel *c)
{
	if (c->one_way >= CHANNEL_ONE_WAY_HARD)
		return false;
	return c->one_way < CHANNEL_ONE_WAY || c->calls_out > 0;
}

void channel_arm(struct channel *c)
{
	if (!c->open)
		return;
	int want = (wants_to_read(c) ? UV_READABLE : 0) | (list_empty(&c->pending) ? 0 : UV_WRITABLE);
	if (want == c->armed)
		return;
	c->armed = want;
	if (want)
		must(uv_poll_start(&c->poll, want, on_poll) == 0);
	else
		uv_poll_stop(&c->poll);
}

static result make(const struct channel_options *o, struct channel **out)
{
	struct channel *c = mem_alloc(sizeof *c);
	size_t n = strlen(o->peer);
	char *peer = c ? mem_alloc(n + 1) : NULL;
	if (!peer) {
		mem_free(c);
		return failure(FAIL_MEMORY, "no memory for a channel to another room");
	}
	if (uv_poll_init(loop_uv(), &c->poll, o->fd) != 0) {
		mem_free(peer);
		mem_free(c);
		return failure(FAIL_INPUT, "what came as a channel is not a socket that can be waited on");
	}
	memcpy(peer, o->peer, n);
	c->peer = peer;
	*out = c;
	return OK;
}

result channel_open(const struct channel_options *o, const struct channel_kind *kind, const void *handlers,
		    struct channel **out)
{
	struct channel *c = NULL;
	int size = SEND_BUFFER;
	result r = make(o, &c);
	if (failed(r)) {
		close(o->fd);
		return r;
	}
	(void)setsockopt(o->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	c->fd = o->fd;
	c->open = true;
	c->refs = 2; /* the owner and the poll handle */
	c->kind = kind;
	c->handlers = handlers;
	c->ctx = o->ctx;
	c->ended = o->ended;
	c->gathers = o->gathers;
	c->slot_first_free = SLOT_NONE;
	gate_init(&c->slot_freed);
	gate_init(&c->settled);
	list_init(&c->pending);
	if (o->first)
		must(channel_heard(c, o->first));
	channel_arm(c);
	*out = c;
	return OK;
}

/* Ends the channel once; the owner is told unless it is the owner who ends it. */
static void end(struct channel *c, result why, bool tell)
{
	if (!c->open)
		return;
	channel_ref(c);
	c->open = false;
	uv_close((uv_handle_t *)&c->poll, on_handle_closed);
	close(c->fd);
	channel_end_calls(c, why);
	channel_drop_pending(c, why);
	gate_wake_all(&c->slot_freed);
	gate_wake_all(&c->settled);
	if (tell && c->ended)
		c->ended(c->ctx, c, why);
	channel_unref(c);
}

void channel_shut(struct channel *c, result why)
{
	end(c, why, true);
}

void channel_close(struct channel **cp)
{
	struct channel *c = *cp;
	if (!c)
		return;
	*cp = NULL;
	end(c, failure(FAIL_CLOSED, "the channel was closed on this side"), false);
	c->ended = NULL;
	channel_unref(c);
}

result channel_drain(struct channel *c, uint64_t timeout_ms)
{
	result r = OK;
	channel_ref(c);
	while (!failed(r) && (c->calls_in > 0 || c->one_way > 0 || !list_empty(&c->pending)))
		r = gate_wait(&c->settled, timeout_ms);
	channel_unref(c);
	return r;
}

bool channel_is_open(const struct channel *c)
{
	return c && c->open;
}

bool channel_is_ending(const struct channel *c)
{
	return c && c->open && c->peer_gone;
}

str channel_peer(const struct channel *c)
{
	return str_from(c->peer);
}

void *channel_ctx(const struct channel *c)
{
	return c->ctx;
}

struct channel_counts channel_counts(const struct channel *c)
{
	return c->counts;
}

/* ---- what is permitted now ---- */

static uint64_t bit(unsigned n)
{
	return (uint64_t)1 << (n - 1);
}

static uint32_t state_bit(unsigned state)
{
	return (uint32_t)1 << state;
}

bool channel_may_say(struct channel *c, const struct talk_message *m)
{
	size_t number = (size_t)(m - c->kind->pair->messages);
	return m->states & state_bit(c->state) && !(m->once && c->once_out & bit((unsigned)number));
}

void channel_said(struct channel *c, unsigned number)
{
	const struct talk_message *m = &c->kind->pair->messages[number];
	c->once_out |= bit(number);
	if (m->then == TALK_NO_STATE || m->then == c->state)
		return;
	c->behind |= state_bit(c->state);
	c->state = m->then;
}

/* The peer may have spoken before it heard what moved us on. Such a message
 * counts by the state it was said in, and moves only that. */
bool channel_heard(struct channel *c, unsigned number)
{
	const struct talk_message *m = &c->kind->pair->messages[number];
	if (m->once && c->once_in & bit(number))
		return false;
	c->once_in |= bit(number);
	if (m->states & state_bit(c->state)) {
		if (m->then != TALK_NO_STATE) {
			c->state = m->then;
			c->behind = 0;
		}
		return true;
	}
	if (!(m->states & c->behind))
		return false;
	if (m->then != TALK_NO_STATE)
		c->behind |= state_bit(m->then);
	return true;
}

/* ---- nonsense and tracing ---- */

void channel_nonsense(struct channel *c, const struct packet_head *h, const char *field, result why)
{
	const struct talk_pair *pair = c->kind->pair;
	bool known = h->number >= 1 && h->number <= pair->n;
	log_event(EV_ROOM_NONSENSE, &h->trace, F_STR("peer", channel_peer(c)), F_STR("pair", str_from(pair->name)),
		  F_STR("message", str_from(known ? pair->messages[h->number].shape->name : "unknown")),
		  F_STR("field", str_from(field ? field : "")), F_STR("why", str_from(why.text)));
	channel_shut(c, failure(FAIL_PEER, why.text));
}

void channel_set_tracer(void (*see)(void *ctx, str line), void *ctx)
{
	tracer = see;
	tracer_ctx = ctx;
}

void channel_trace(struct channel *c, const char *arrow, const struct talk_shape *s, const void *m)
{
	if (!tracer)
		return;
	AUTO_BUF buf line = buf_new(1 << 20);
	buf_printf(&line, "%s %s ", c->peer, arrow);
	talk_print(s, m, &line);
	tracer(tracer_ctx, buf_str(&line));
}

void channel_trim(void)
{
	channel_send_trim();
	channel_read_trim();
	channel_serve_trim();
}

result channel_unhandled(void)
{
	return failure(FAIL_ABSENT, "this room does not serve that");
}
