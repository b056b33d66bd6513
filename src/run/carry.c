#include "run/carry.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "run/stream_core.h"

/* One direction. */
struct lane {
	struct stream *from;
	struct stream *to;
	buf kept;        /* read and not yet taken by the receiver */
	int read_wants;  /* what the descriptor of `from` must do before the next read; 0: try */
	int write_wants; /* the same for `to` */
	bool inward;     /* to the room: one that reads no more may have said something last */
	bool deaf;       /* so it is, and what comes is dropped */
	bool ended;
};

/* No fiber waits while it is in use, so one serves the whole process. */
static char *shared;

static result heard(struct lane *l, result r)
{
	if (r.kind != FAIL_NETWORK || !l->inward)
		return r;
	l->deaf = true;
	buf_free(&l->kept);
	return OK;
}

static result keep(struct lane *l, str rest)
{
	buf_put(&l->kept, rest);
	return buf_result(&l->kept);
}

static result push(struct lane *l, str bytes)
{
	while (bytes.n && !l->write_wants && !l->deaf) {
		struct tls_step step;
		TRY(heard(l, stream_try_write(l->to, bytes, &step)));
		l->write_wants = step.wants;
		bytes = str_skip(bytes, step.done);
	}
	return bytes.n && !l->deaf ? keep(l, bytes) : OK;
}

static result push_kept(struct lane *l)
{
	while (l->kept.n && !l->write_wants) {
		struct tls_step step;
		TRY(heard(l, stream_try_write(l->to, buf_str(&l->kept), &step)));
		l->write_wants = step.wants;
		buf_drop(&l->kept, step.done);
	}
	if (!l->kept.n)
		buf_free(&l->kept);
	return OK;
}

/* Reads and pushes once. *moved tells whether bytes came. */
static result move(struct lane *l, bool *moved)
{
	struct tls_step step;
	result r = stream_try_read(l->from, shared, CARRY_BLOCK, &step);
	l->read_wants = l->from->dry ? FD_READ : step.wants;
	if (r.kind == FAIL_CLOSED || (r.kind == FAIL_NETWORK && !l->inward)) {
		l->ended = true;
		return OK;
	}
	TRY(r);
	*moved = *moved || step.done;
	r = push(l, str_of(shared, step.done));
	mem_wipe(shared, step.done);
	return r;
}

static result drive(struct lane *l, bool *moved)
{
	TRY(push_kept(l));
	if (!l->ended && !l->read_wants && !l->kept.n)
		return move(l, moved);
	return OK;
}

/* Bytes that a stream had read before the carrying began. Then its buffer goes:
 * carrying needs none, and the login's words stood in it. */
static result carry_buffered(struct lane *l)
{
	TRY(stream_flush(l->to));
	str have = stream_peek(l->from);
	TRY(heard(l, stream_write(l->to, have)));
	stream_consume(l->from, have.n);
	if (l->from->in)
		explicit_bzero(l->from->in, l->from->in_cap);
	stream_drop_empty(l->from);
	return heard(l, stream_flush(l->to));
}

static int wants_of(const struct lane *out, const struct lane *in)
{
	/* The side reads for `out` and is written to by `in`. */
	int reading = !out->ended && !out->kept.n ? out->read_wants : 0;
	return reading | (in->kept.n ? in->write_wants : 0);
}

static result wait_for_either(struct lane *up, struct lane *down)
{
	struct fd_pair pair = {
		.a = up->from->watch, .a_events = wants_of(up, down),
		.b = down->from->watch, .b_events = wants_of(down, up),
	};
	uint64_t limit = up->kept.n || down->kept.n ? CARRY_STALL_MS : FIBER_FOREVER;
	int which = 0;
	TRY(fd_wait_pair(&pair, limit, &which));
	if (which & FD_A)
		up->read_wants = down->write_wants = 0;
	if (which & FD_B)
		down->read_wants = up->write_wants = 0;
	return OK;
}

static result carry_lanes(struct lane *up, struct lane *down)
{
	bool told = false;
	for (;;) {
		bool moved = false;
		TRY(drive(up, &moved));
		TRY(drive(down, &moved));
		if (down->ended && !down->kept.n)
			return OK;
		if (up->ended && !up->kept.n && !told) {
			shutdown(up->to->fd, SHUT_WR);
			told = true;
		}
		if (moved)
			stream_step(up->from);
		else
			TRY(wait_for_either(up, down));
	}
}

result carry(struct stream *client, struct stream *inner)
{
	if (!shared && !(shared = mem_grow(NULL, CARRY_BLOCK)))
		return failure(FAIL_MEMORY, "There is no memory to carry a session.");
	struct lane up = {.from = client, .to = inner, .kept = buf_new(CARRY_BLOCK), .inward = true};
	struct lane down = {.from = inner, .to = client, .kept = buf_new(CARRY_BLOCK)};
	result r = carry_buffered(&up);
	if (!failed(r))
		r = carry_buffered(&down);
	if (!failed(r))
		r = carry_lanes(&up, &down);
	buf_free(&up.kept);
	buf_free(&down.kept);
	return r;
}
