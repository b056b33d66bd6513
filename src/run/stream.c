#include "run/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/clock.h"
#include "run/stream_core.h"

result stream_open(int fd, struct stream **out)
{
	struct stream *s = mem_alloc(sizeof(*s));
	if (!s)
		return failure(FAIL_MEMORY, "There is no memory for another connection.");
	*s = (struct stream){.fd = fd, .idle_ms = FIBER_FOREVER, .deadline = FIBER_FOREVER};
	s->out = buf_new(STREAM_WRITE_MAX);
	result r = fd_watch_open(fd, &s->watch);
	if (failed(r)) {
		mem_free(s);
		return r;
	}
	*out = s;
	return OK;
}

static void let_go(struct stream *s)
{
	if (s->tls)
		s->cipher->free(&s->tls);
	fd_watch_close(&s->watch);
	mem_free_used(s->in, s->in_used);
	buf_free(&s->out);
	mem_free(s);
}

void stream_free(struct stream **sp)
{
	struct stream *s = *sp;
	if (!s)
		return;
	*sp = NULL;
	int fd = s->fd;
	let_go(s);
	close(fd);
}

void stream_set_idle(struct stream *s, uint64_t ms)
{
	s->idle_ms = ms;
}

void stream_set_deadline(struct stream *s, uint64_t ms)
{
	if (ms == FIBER_FOREVER || __builtin_add_overflow(clock_mono_ms(), ms, &s->deadline))
		s->deadline = FIBER_FOREVER;
}

struct tls *stream_tls(struct stream *s)
{
	return s->tls;
}

uint64_t stream_bytes_in(const struct stream *s)
{
	return s->bytes_in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
	return s->bytes_out;
}

/* ---- single steps ---- */

static result step_outcome(ssize_t n, int when_blocked, struct tls_step *out)
{
	*out = (struct tls_step){.done = n > 0 ? (size_t)n : 0};
	if (n >= 0)
		return OK;
	if (errno != EAGAIN && errno != EINTR)
		return failure(FAIL_NETWORK, "The connection broke.");
	out->wants = when_blocked;
	return OK;
}

static result plain_read(struct stream *s, char *p, size_t n, struct tls_step *out)
{
	ssize_t got = read(s->fd, p, n);
	if (got == 0)
		return failure(FAIL_CLOSED, "The other side ended the connection.");
	return step_outcome(got, FD_READ, out);
}

result stream_try_read(struct stream *s, char *p, size_t n, struct tls_step *out)
{
	*out = (struct tls_step){0};
	TRY(s->in_ended);
	s->in_ended = s->tls ? s->cipher->read(s->tls, p, n, out) : plain_read(s, p, n, out);
	s->dry = !s->tls && !failed(s->in_ended) && out->done < n;
	s->bytes_in += out->done;
	return s->in_ended;
}

static result sent(struct stream *s, result r, const struct tls_step *step)
{
	s->out_ended = r;
	s->bytes_out += step->done;
	return r;
}

result stream_try_write(struct stream *s, str bytes, struct tls_step *out)
{
	*out = (struct tls_step){0};
	if (failed(s->out_ended) || !bytes.n)
		return s->out_ended;
	result r = s->tls ? s->cipher->write(s->tls, bytes, out)
		: step_outcome(write(s->fd, bytes.p, bytes.n), FD_WRITE, out);
	return sent(s, r, out);
}

void stream_step(struct stream *s)
{
	if (++s->steps < STREAM_STEPS_MAX)
		return;
	s->steps = 0;
	fiber_yield();
}

result stream_wait(struct stream *s, int wants)
{
	s->steps = 0;
	uint64_t left = clock_left(s->deadline);
	if (!left)
		return failure(FAIL_TIMEOUT, "This took longer than it may.");
	return fd_wait(s->watch, wants, left < s->idle_ms ? left : s->idle_ms);
}

/* ---- reading ---- */

str stream_peek(const struct stream *s)
{
	return str_of(s->in ? s->in + s->in_from : NULL, s->in_to - s->in_from);
}

bool stream_has_news(const struct stream *s)
{
	char c;
	return stream_pending(s) || recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

bool stream_is_ahead(const struct stream *s)
{
	char c;
	return stream_pending(s) || (!s->tls && recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

bool stream_pending(const struct stream *s)
{
	return s->in_to > s->in_from;
}

void stream_consume(struct stream *s, size_t n)
{
	must(n <= s->in_to - s->in_from);
	s->in_from += n;
	s->scanned = s->scanned > n ? s->scanned - n : 0;
}

void stream_drop_empty(struct stream *s)
{
	if (stream_pending(s))
		return;
	mem_free_used(s->in, s->in_used);
	s->in = NULL;
	s->in_cap = s->in_from = s->in_to = s->in_used = 0;
}

static result grow(struct stream *s, size_t cap)
{
	char *in = mem_grow(s->in, cap);
	if (!in)
		return failure(FAIL_MEMORY, "There is no memory for what the client sends.");
	s->in = in;
	s->in_cap = cap;
	return OK;
}

/* Room for a block behind what is buffered, never more than max in all. */
static result make_room(struct stream *s, size_t max)
{
	size_t n = s->in_to - s->in_from;
	if (s->in_from && (!n || s->in_to == s->in_cap)) {
		memmove(s->in, s->in + s->in_from, n);
		s->in_from = 0;
		s->in_to = n;
	}
	if (s->in_to < s->in_cap)
		return OK;
	size_t cap = s->in_cap ? 2 * s->in_cap : STREAM_BLOCK;
	return grow(s, cap > max && max > STREAM_BLOCK ? max : cap);
}

/* One that was read dry has nothing to be asked for, and needs no room for it. */
static result read_into(struct stream *s, size_t max, size_t most, struct tls_step *step)
{
	if (s->dry && !s->tls)
		return OK;
	TRY(make_room(s, max));
	size_t room = s->in_cap - s->in_to;
	result r = stream_try_read(s, s->in + s->in_to, room < most ? room : most, step);
	s->in_to += step->done;
	s->in_used = s->in_to > s->in_used ? s->in_to : s->in_used;
	if (failed(r))
		stream_drop_empty(s);
	return r;
}

/* What is polled for is told as long as it lasts, also the connection's end: so
 * a stream that was read dry can wait at once and need not ask in vain first. */
static result flush_or_wait(struct stream *s, int wants)
{
	if (s->out.n)
		return stream_flush(s);
	TRY(stream_wait(s, wants));
	s->dry = false;
	return OK;
}

/* At most `most` at once, no more than `max` in all. */
static result fill(struct stream *s, size_t max, size_t most)
{
	for (;;) {
		struct tls_step step = {.wants = FD_READ};
		TRY(s->in_ended);
		if (s->in_to - s->in_from >= max)
			return failure(FAIL_LIMIT, "More is buffered than may be.");
		TRY(read_into(s, max, most, &step));
		if (step.done) {
			stream_step(s);
			return OK;
		}
		stream_drop_empty(s);
		TRY(flush_or_wait(s, step.wants));
	}
}

result stream_fill_to(struct stream *s, size_t max)
{
	return fill(s, max, SIZE_MAX);
}

result stream_fill(struct stream *s)
{
	return fill(s, STREAM_BLOCK, SIZE_MAX);
}

result stream_fill_most(struct stream *s, size_t most)
{
	return fill(s, STREAM_BLOCK, most);
}

result stream_read_some(struct stream *s, str *out)
{
	if (!stream_pending(s))
		TRY(stream_fill(s));
	*out = stream_peek(s);
	return OK;
}

/* A buffer that was filled is doubled: there was more to read. TLS gives a record at a time. */
result stream_read_bulk(struct stream *s, str *out)
{
	bool filled = s->in_cap && s->in_to == s->in_cap && !s->tls;
	if (!stream_pending(s)) {
		if (filled && s->in_cap < STREAM_BULK)
			TRY(grow(s, 2 * s->in_cap));
		TRY(fill(s, STREAM_BULK, SIZE_MAX));
	}
	*out = stream_peek(s);
	return OK;
}

/* ---- writing ---- */

static result send_rest(struct stream *s, str bytes)
{
	while (bytes.n) {
		struct tls_step step;
		TRY(stream_try_write(s, bytes, &step));
		bytes = str_skip(bytes, step.done);
		if (step.wants)
			TRY(stream_wait(s, step.wants));
		else
			stream_step(s);
	}
	return OK;
}

static result send_all(struct stream *s, str bytes)
{
	TRY(s->out_ended);
	s->out_ended = send_rest(s, bytes); /* a reply was cut in the middle: nothing may follow it */
	return s->out_ended;
}

result stream_flush(struct stream *s)
{
	result r = send_all(s, buf_str(&s->out));
	buf_free(&s->out); /* an idle session keeps no buffer */
	return r;
}

/* What is gathered and a long piece behind it go out in one call where the
 * kernel gathers; TLS sends the two one after the other. */
static result send_behind(struct stream *s, str bytes)
{
	if (s->tls || !s->out.n) {
		TRY(stream_flush(s));
		return send_all(s, bytes);
	}
	TRY(s->out_ended);
	struct iovec parts[2] = {{s->out.p, s->out.n}, {(void *)(uintptr_t)bytes.p, bytes.n}};
	struct tls_step step;
	result r = step_outcome(writev(s->fd, parts, 2), FD_WRITE, &step);
	TRY(sent(s, r, &step));
	size_t first = step.done < s->out.n ? step.done : s->out.n;
	buf_drop(&s->out, first);
	TRY(stream_flush(s));
	return send_all(s, str_skip(bytes, step.done - first));
}

result stream_write(struct stream *s, str bytes)
{
	TRY(s->out_ended);
	if (bytes.n > STREAM_COPY_MAX)
		return send_behind(s, bytes);
	if (bytes.n > STREAM_WRITE_MAX - s->out.n)
		TRY(stream_flush(s));
	buf_put(&s->out, bytes);
	return buf_result(&s->out);
}

result stream_end(struct stream *s)
{
	TRY(stream_flush(s));
	for (int wants = s->tls ? FD_WRITE : 0; wants; ) {
		TRY(s->cipher->end(s->tls, &wants));
		if (wants)
			TRY(stream_wait(s, wants));
	}
	shutdown(s->fd, SHUT_WR);
	s->out_ended = failure(FAIL_CLOSED, "The connection was ended on this side.");
	return OK;
}
