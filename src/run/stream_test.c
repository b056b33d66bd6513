#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/clock.h"
#include "run/kit.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/stream.h"
#include "run/stream_core.h"

/* One end is a stream under test, the other a descriptor driven by a second fiber. */
static struct {
	struct stream *s;
	int peer;
	void (*peer_fn)(int fd);
	void (*test_fn)(struct stream *s);
} scene;

static int echoes;

static void run_test_side(void *arg)
{
	(void)arg;
	scene.test_fn(scene.s);
	stream_free(&scene.s);
}

static void run_peer_side(void *arg)
{
	(void)arg;
	scene.peer_fn(scene.peer);
	close(scene.peer);
}

static void play(void (*peer)(int fd), void (*test)(struct stream *s))
{
	int fds[2];
	assert_ok(net_pair(SOCK_STREAM, fds));
	assert_ok(stream_open(fds[0], &scene.s));
	scene.peer = fds[1];
	scene.peer_fn = peer;
	scene.test_fn = test;
	assert_ok(fiber_start(run_test_side, NULL, "test", NULL));
	assert_ok(fiber_start(run_peer_side, NULL, "peer", NULL));
	loop_run();
}

static void send_str(int fd, str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n > 0)
			s = str_skip(s, (size_t)n);
		else
			fiber_yield();
	}
}

/* ---- replies go out before waiting ---- */

static void peer_waits_for_the_reply(int fd)
{
	char got[3];
	send_str(fd, STR("half"));
	for (size_t n = 0; n < sizeof got;) {
		ssize_t now = read(fd, got + n, sizeof got - n);
		n += now > 0 ? (size_t)now : 0;
		if (now < 0)
			fiber_yield();
	}
	send_str(fd, STR(" a line\r\n"));
}

static void reply_then_read(struct stream *s)
{
	str line;
	stream_set_idle(s, 2000);
	assert_ok(stream_write(s, STR("yes")));
	assert_ok(stream_read_line(s, 100, LINE_CRLF, &line));
	assert_str(line, STR("half a line"));
}

static void what_was_written_goes_out_before_a_wait(void **state)
{
	(void)state;
	play(peer_waits_for_the_reply, reply_then_read);
}

/* ---- lines ---- */

static void peer_lines(int fd)
{
	send_str(fd, STR("one\r\ntwo\r"));
	assert_ok(fiber_sleep(5));
	send_str(fd, STR("\nbare\nlf and \rcr\r\n\r\n"));
	for (const char *c = "slow\r\n"; *c; c++) {
		send_str(fd, str_of(c, 1));
		fiber_yield();
	}
	send_str(fd, STR("cut of"));
}

static void test_lines(struct stream *s)
{
	str line;
	static const char *want[] = {"one", "two", "bare\nlf and \rcr", "", "slow"};
	for (size_t i = 0; i < 5; i++) {
		assert_ok(stream_read_line(s, 100, LINE_CRLF, &line));
		assert_str(line, str_from(want[i]));
	}
	assert_int_equal(stream_read_line(s, 100, LINE_CRLF, &line).kind, FAIL_CLOSED);
	assert_str(stream_peek(s), STR("cut of"));
	assert_int_equal(stream_read_line(s, 100, LINE_CRLF, &line).kind, FAIL_CLOSED);
	assert_int_equal(stream_bytes_in(s), 41);
}

static void crlf_lines_come_whole(void **state)
{
	(void)state;
	play(peer_lines, test_lines);
}

static void peer_any(int fd)
{
	send_str(fd, STR("a\nb\r\n\n\r\r\n"));
}

static void test_any(struct stream *s)
{
	str line;
	static const char *want[] = {"a", "b", "", "\r"};
	for (size_t i = 0; i < 4; i++) {
		assert_ok(stream_read_line(s, 100, LINE_ANY, &line));
		assert_str(line, str_from(want[i]));
	}
}

static void any_line_ends_are_taken(void **state)
{
	(void)state;
	play(peer_any, test_any);
}

enum { LIMIT = 512, FLOOD = 3 * 1024 * 1024 };

static void peer_long_lines(int fd)
{
	char piece[LIMIT];
	memset(piece, 'x', sizeof(piece));
	send_str(fd, str_of(piece, LIMIT));
	send_str(fd, STR("\r\n"));
	send_str(fd, str_of(piece, LIMIT));
	send_str(fd, STR("y\r\nnext\r\n"));
	for (int i = 0; i < FLOOD / LIMIT; i++)
		send_str(fd, str_of(piece, LIMIT));
	send_str(fd, STR("\n\r"));
	fiber_yield();
	send_str(fd, STR("\nlast\r\n"));
}

static void test_long_lines(struct stream *s)
{
	str line;
	assert_ok(stream_read_line(s, LIMIT, LINE_CRLF, &line));
	assert_int_equal(line.n, LIMIT);
	assert_int_equal(stream_read_line(s, LIMIT, LINE_CRLF, &line).kind, FAIL_LIMIT);
	assert_ok(stream_read_line(s, LIMIT, LINE_CRLF, &line));
	assert_str(line, STR("next"));
	assert_int_equal(stream_read_line(s, LIMIT, LINE_CRLF, &line).kind, FAIL_LIMIT);
	assert_ok(stream_read_line(s, LIMIT, LINE_CRLF, &line));
	assert_str(line, STR("last"));
}

static void a_long_line_is_skipped_and_the_next_one_read(void **state)
{
	(void)state;
	play(peer_long_lines, test_long_lines);
}

static void peer_endless_line(int fd)
{
	char piece[4096];
	memset(piece, 'x', sizeof(piece));
	size_t left = STREAM_SKIP_MAX + 64 * 1024;
	while (left) {
		ssize_t n = send(fd, piece, sizeof(piece) < left ? sizeof(piece) : left, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		left -= n > 0 ? (size_t)n : 0;
		fiber_yield();
	}
}

static void test_endless_line(struct stream *s)
{
	str line;
	assert_int_equal(stream_read_line(s, LIMIT, LINE_CRLF, &line).kind, FAIL_INPUT);
	assert_int_equal(stream_read_line(s, LIMIT, LINE_CRLF, &line).kind, FAIL_INPUT);
	assert_true(stream_bytes_in(s) <= STREAM_SKIP_MAX + 2 * STREAM_BLOCK);
}

static void a_line_without_end_ends_the_stream(void **state)
{
	(void)state;
	play(peer_endless_line, test_endless_line);
}

static void peer_big_line(int fd)
{
	for (int i = 0; i < 60000 / 10; i++)
		send_str(fd, STR("0123456789"));
	send_str(fd, STR("\r\n"));
}

static void test_big_line(struct stream *s)
{
	str line;
	assert_ok(stream_read_line(s, 65536, LINE_CRLF, &line));
	assert_int_equal(line.n, 60000);
	assert_false(stream_pending(s));
}

static void a_line_may_be_larger_than_a_block(void **state)
{
	(void)state;
	play(peer_big_line, test_big_line);
}

/* ---- runs of bytes, writing ---- */

enum { BULK = 5 * 1024 * 1024 };

static char bulk[BULK];

static void peer_echo(int fd)
{
	static char block[7001];
	for (size_t total = 0; total < BULK + 11; ) {
		ssize_t n = read(fd, block, sizeof(block));
		if (n > 0) {
			total += (size_t)n;
			send_str(fd, str_of(block, (size_t)n));
		} else {
			assert_int_not_equal(n, 0);
			assert_ok(fiber_sleep(1));
		}
	}
}

static void write_bulk(void *arg)
{
	struct stream *s = arg;
	assert_ok(stream_write(s, STR("before ")));
	assert_ok(stream_write(s, str_of(bulk, BULK)));
	assert_ok(stream_write(s, STR("end.")));
	assert_ok(stream_flush(s));
	assert_int_equal(stream_bytes_out(s), BULK + 11);
}

static void test_bulk(struct stream *s)
{
	kit_fill(bulk, BULK);
	/* Writing and reading are different fibers here: the two sides of a stream are independent. */
	assert_ok(fiber_start(write_bulk, s, "writer", NULL));
	kit_expect(s, STR("before "));
	kit_expect(s, str_of(bulk, BULK));
	kit_expect(s, STR("end."));
	fiber_yield();
}

static void bulk_goes_through_both_ways(void **state)
{
	(void)state;
	play(peer_echo, test_bulk);
}

/* ---- time, ends, hand-over ---- */

static void peer_dribble(int fd)
{
	for (int i = 0; i < 40; i++) {
		if (write(fd, "x", 1) != 1)
			return;
		assert_ok(fiber_sleep(5));
	}
}

static void test_deadline(struct stream *s)
{
	str line;
	stream_set_idle(s, 1000);
	stream_set_deadline(s, 40);
	assert_int_equal(stream_read_line(s, 100, LINE_CRLF, &line).kind, FAIL_TIMEOUT);
	size_t got = stream_peek(s).n;
	assert_in_range(got, 2, 20);
	stream_set_deadline(s, FIBER_FOREVER);
	assert_ok(stream_fill(s));
	assert_true(stream_peek(s).n > got);
}

static void a_deadline_ends_a_dribbling_client(void **state)
{
	(void)state;
	play(peer_dribble, test_deadline);
}

static void peer_silent(int fd)
{
	(void)fd;
	assert_ok(fiber_sleep(60));
}

static void test_idle(struct stream *s)
{
	str line;
	stream_set_idle(s, 10);
	assert_int_equal(stream_read_line(s, 100, LINE_CRLF, &line).kind, FAIL_TIMEOUT);
	assert_ok(stream_write(s, STR("421 too slow\r\n"))); /* the other direction still works */
	assert_ok(stream_flush(s));
	for (result r = OK; !failed(r); ) { /* a peer that reads nothing */
		r = stream_write(s, str_of(bulk, BULK));
		if (failed(r))
			assert_int_equal(r.kind, FAIL_TIMEOUT);
	}
	assert_int_equal(stream_write(s, STR("more")).kind, FAIL_TIMEOUT);
}

static void an_idle_client_times_out(void **state)
{
	(void)state;
	play(peer_silent, test_idle);
}

/* ---- bad days ---- */

static void peer_block(int fd)
{
	static char block[2 * STREAM_BLOCK];
	send_str(fd, str_of(block, sizeof(block)));
}

static void test_block(struct stream *s)
{
	result r = OK;
	while (!failed(r))
		r = stream_fill(s);
	assert_int_equal(r.kind, FAIL_LIMIT);
	assert_int_equal(stream_peek(s).n, STREAM_BLOCK);
	stream_consume(s, 100);
	assert_ok(stream_fill(s));
}

static void unconsumed_bytes_have_a_limit(void **state)
{
	(void)state;
	play(peer_block, test_block);
}

static void peer_header_and_more(int fd)
{
	send_str(fd, STR("headermore"));
}

static void test_most(struct stream *s)
{
	assert_ok(stream_fill_most(s, 4));
	assert_str(stream_peek(s), STR("head"));
	assert_ok(stream_fill_most(s, 2));
	assert_str(stream_peek(s), STR("header"));
	stream_consume(s, 6);
	assert_false(stream_pending(s)); /* TLS could begin */
	assert_ok(stream_fill(s));
	assert_str(stream_peek(s), STR("more"));
}

static void no_more_is_read_than_was_asked_for(void **state)
{
	(void)state;
	play(peer_header_and_more, test_most);
}

static void peer_short_and_full(int fd)
{
	static char block[STREAM_BLOCK];
	send_str(fd, STR("short"));
	fiber_yield();
	send_str(fd, str_of(block, sizeof block));
	fiber_yield();
	send_str(fd, STR("last"));
}

/* A read that leaves nothing behind is followed by a wait, not by another read;
 * what came meanwhile, and the end, is heard all the same. */
static void test_dry(struct stream *s)
{
	result r = OK;
	size_t whole = 0;
	while (!failed(r = stream_fill(s))) {
		size_t n = stream_peek(s).n;
		assert_int_equal(s->dry, n < STREAM_BLOCK);
		whole += n;
		stream_consume(s, n);
	}
	assert_int_equal(r.kind, FAIL_CLOSED);
	assert_int_equal(whole, 5 + STREAM_BLOCK + 4);
}

static void a_stream_that_was_read_dry_hears_what_follows(void **state)
{
	(void)state;
	play(peer_short_and_full, test_dry);
}

enum { LONG_ONE = 5 * STREAM_BULK };

static void peer_long(int fd)
{
	static char block[LONG_ONE];
	kit_fill(block, sizeof block);
	send_str(fd, str_of(block, sizeof block));
	send_str(fd, STR("\r\na line\r\n"));
}

/* Doubled when it was filled, up to its limit; and a line behind it is read as ever. */
static void test_long(struct stream *s)
{
	static char want[LONG_ONE];
	size_t whole = 0, most = 0;
	str in, line;
	kit_fill(want, sizeof want);
	while (whole < LONG_ONE) {
		assert_ok(stream_read_bulk(s, &in));
		assert_true(whole > 0 || in.n <= STREAM_BLOCK);
		most = in.n > most ? in.n : most;
		in = str_sub(in, 0, LONG_ONE - whole);
		assert_memory_equal(in.p, want + whole, in.n);
		whole += in.n;
		stream_consume(s, in.n);
	}
	assert_true(most > STREAM_BLOCK && most <= STREAM_BULK && s->in_cap <= STREAM_BULK);
	assert_ok(stream_read_line(s, 20, LINE_CRLF, &line));
	assert_int_equal(line.n, 0);
	assert_ok(stream_read_line(s, 20, LINE_CRLF, &line));
	assert_str(line, STR("a line"));
}

static void what_is_long_is_read_in_longer_pieces(void **state)
{
	(void)state;
	play(peer_long, test_long);
}

/* Lines arrive in arbitrary pieces and are the same lines. */
static str script;
static unsigned seed;

static unsigned roll(unsigned below)
{
	seed = seed * 1103515245U + 12345U;
	return (seed >> 16) % below;
}

/* More is always there to be read: others run all the same. */
static size_t fills, fills_when_others_ran;

static void run_beside(void *arg)
{
	(void)arg;
	fills_when_others_ran = fills;
}

static void read_much(void *arg)
{
	struct stream *s = arg;
	for (; fills < STREAM_STEPS_MAX; fills++) {
		assert_ok(stream_fill(s));
		stream_consume(s, stream_peek(s).n);
	}
	stream_free(&s);
}

static void who_reads_much_lets_others_run(void **state)
{
	enum { PIPE = STREAM_STEPS_MAX * STREAM_BLOCK };
	static const char page[4096];
	int ends[2];
	struct stream *s;
	(void)state;
	fills = 0;
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, PIPE), PIPE);
	for (size_t n = 0; n < PIPE; n += sizeof page)
		assert_int_equal(write(ends[1], page, sizeof page), sizeof page);
	assert_ok(stream_open(ends[0], &s));
	assert_ok(fiber_start(read_much, s, "reader", NULL));
	assert_ok(fiber_start(run_beside, NULL, "beside", NULL));
	loop_run();
	close(ends[1]);
	assert_int_equal(fills_when_others_ran, STREAM_STEPS_MAX - 1); /* the last one has not returned */
}

static void peer_pieces(int fd)
{
	for (str left = script; left.n; ) {
		str piece = str_sub(left, 0, 1 + roll(7));
		send_str(fd, piece);
		left = str_skip(left, piece.n);
		if (roll(3) == 0)
			fiber_yield();
	}
}

enum { SHORT = 12 };

static void test_pieces(struct stream *s)
{
	for (str left = script; ; ) {
		size_t at = str_find(left, STR("\r\n"));
		str got, want = str_sub(left, 0, at);
		result r = stream_read_line(s, SHORT, LINE_CRLF, &got);
		if (at == STR_NONE) {
			assert_true(failed(r));
			return;
		}
		assert_int_equal(r.kind, want.n > SHORT ? FAIL_LIMIT : FAIL_NONE);
		if (!failed(r))
			assert_str(got, want);
		left = str_skip(left, at + 2);
	}
}

static void lines_do_not_depend_on_their_pieces(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= 200; round++) {
		char text[400];
		size_t n = 0;
		seed = round;
		while (n < sizeof(text))
			text[n++] = "ab\r\n\r\n"[roll(6)];
		script = str_of(text, n);
		play(peer_pieces, test_pieces);
	}
}

static void poor_peer(void *arg)
{
	struct stream *s = NULL;
	int fd = *(int *)arg;
	if (failed(stream_open(fd, &s))) {
		close(fd);
		return;
	}
	str line;
	result r = stream_write(s, STR("hello\r\n"));
	if (!failed(r))
		r = stream_flush(s);
	if (!failed(r))
		r = stream_read_line(s, 100, LINE_CRLF, &line);
	if (!failed(r))
		echoes++;
	stream_free(&s);
}

static void poor_times_go_by(void **state)
{
	(void)state;
	for (uint64_t n = 1; echoes < 2; n++) {
		int fds[2];
		echoes = 0;
		assert_ok(net_pair(SOCK_STREAM, fds));
		mem_fail_at(n);
		for (int i = 0; i < 2; i++)
			if (failed(fiber_start(poor_peer, &fds[i], "peer", NULL)))
				close(fds[i]);
		loop_run();
		mem_fail_at(0);
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(what_was_written_goes_out_before_a_wait), ON_LOOP(crlf_lines_come_whole),
		ON_LOOP(any_line_ends_are_taken), ON_LOOP(a_long_line_is_skipped_and_the_next_one_read),
		ON_LOOP(a_line_without_end_ends_the_stream), ON_LOOP(a_line_may_be_larger_than_a_block),
		ON_LOOP(bulk_goes_through_both_ways), ON_LOOP(a_deadline_ends_a_dribbling_client),
		ON_LOOP(an_idle_client_times_out),
		ON_LOOP(unconsumed_bytes_have_a_limit), ON_LOOP(no_more_is_read_than_was_asked_for),
		ON_LOOP(a_stream_that_was_read_dry_hears_what_follows),
		ON_LOOP(what_is_long_is_read_in_longer_pieces),
		ON_LOOP(who_reads_much_lets_others_run),
		ON_LOOP(lines_do_not_depend_on_their_pieces), ON_LOOP(poor_times_go_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
