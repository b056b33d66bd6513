#include <sys/socket.h>
#include <unistd.h>

#include "run/carry.h"
#include "run/clock.h"
#include "run/kit.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/stream_core.h"

enum { BULK = 5 * 1024 * 1024 };

static char bulk[BULK];

/* Between a client at outer[1] and a room at inner[1] the two streams that are carried. */
static int outer[2], inner[2];
static struct {
	struct stream *client;
	struct stream *inner;
} ends;

static void open_ends(void)
{
	assert_ok(net_pair(SOCK_STREAM, outer));
	assert_ok(net_pair(SOCK_STREAM, inner));
	assert_ok(stream_open(outer[0], &ends.client));
	assert_ok(stream_open(inner[0], &ends.inner));
}

static result carried;

static void run_carry(void *arg)
{
	(void)arg;
	carried = carry(ends.client, ends.inner);
	stream_free(&ends.client);
	stream_free(&ends.inner);
}

/* The room: echoes until the client ended, then says goodbye and ends. */
static void run_room(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	str got;
	while (!failed(stream_read_some(s, &got))) {
		assert_ok(stream_write(s, got));
		stream_consume(s, got.n);
		assert_ok(stream_flush(s));
	}
	assert_ok(stream_write(s, STR("bye")));
	assert_ok(stream_end(s));
	stream_free(&s);
}

static void send_bulk_and_end(void *arg)
{
	struct stream *s = arg;
	assert_ok(stream_write(s, str_of(bulk, BULK)));
	assert_ok(stream_end(s));
}

static void run_client(void *arg)
{
	struct stream *s = NULL;
	assert_ok(stream_open(*(int *)arg, &s));
	assert_ok(fiber_start(send_bulk_and_end, s, "sender", NULL));
	kit_expect(s, str_of(bulk, BULK));
	kit_expect(s, STR("bye"));
	assert_int_equal(stream_fill(s).kind, FAIL_CLOSED);
	stream_free(&s);
}

static void carries_both_ways_until_the_room_ends(void **state)
{
	(void)state;
	open_ends();
	assert_ok(fiber_start(run_carry, NULL, "carry", NULL));
	assert_ok(fiber_start(run_room, &inner[1], "room", NULL));
	assert_ok(fiber_start(run_client, &outer[1], "client", NULL));
	loop_run();
	assert_ok(carried);
}

/* It spoke and went without reading all that was sent to it. */
static void carries_the_last_words_of_a_room(void **state)
{
	(void)state;
	for (int early = 0; early < 2; early++) {
		char got[16];
		open_ends();
		if (early)
			assert_int_equal(write(inner[0], "unread", 6), 6);
		assert_int_equal(write(inner[1], "bye", 3), 3);
		close(inner[1]);
		assert_int_equal(write(outer[1], "more", 4), 4);
		assert_ok(fiber_start(run_carry, NULL, "carry", NULL));
		loop_run();
		assert_ok(carried);
		assert_int_equal(read(outer[1], got, sizeof got), 3);
		assert_memory_equal(got, "bye", 3);
		close(outer[1]);
	}
}

static void carry_until(enum fail_kind end)
{
	loop_run();
	assert_int_equal(carried.kind, end);
	close(outer[1]);
	close(inner[1]);
}

static void cancel_all(void *arg)
{
	(void)arg;
	assert_ok(fiber_sleep(5));
	loop_end();
}

/* A login is read first; then nothing of it stays in memory. */
static void log_in_and_carry(void *arg)
{
	str line;
	assert_ok(stream_read_line(ends.client, 100, LINE_ANY, &line));
	run_carry(arg);
}

static void see_the_buffer(void *arg)
{
	char got[8];
	assert_ok(fiber_sleep(5));
	assert_null(ends.client->in);
	assert_int_equal(read(*(int *)arg, got, sizeof got), 5);
	assert_memory_equal(got, "NOOP\n", 5);
	loop_end();
}

static void carrying_keeps_no_buffer(void **state)
{
	(void)state;
	open_ends();
	assert_int_equal(write(outer[1], "LOGIN\nNOOP\n", 11), 11);
	assert_ok(fiber_start(log_in_and_carry, NULL, "carry", NULL));
	assert_ok(fiber_start(see_the_buffer, &inner[1], "end", NULL));
	carry_until(FAIL_CANCELLED);
}

static void carrying_ends_by_cancel(void **state)
{
	(void)state;
	open_ends();
	assert_ok(fiber_start(run_carry, NULL, "carry", NULL));
	assert_ok(fiber_start(cancel_all, NULL, "end", NULL));
	carry_until(FAIL_CANCELLED);
}

static void stall_and_advance(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10; i++)
		fiber_yield();
	clock_test_advance(CARRY_STALL_MS - 1);
	fiber_yield();
	fiber_yield();
	assert_non_null(ends.client);
	clock_test_advance(2);
}

static void fill_inner(void *arg)
{
	int fd = *(int *)arg;
	for (ssize_t n = 1; n > 0; )
		n = write(fd, bulk, sizeof(bulk));
}

static void a_client_that_takes_nothing_is_given_up(void **state)
{
	(void)state;
	open_ends();
	clock_test_hold(0);
	while (write(outer[0], bulk, sizeof(bulk)) > 0)
		; /* the client's socket is full before anything is carried */
	assert_ok(fiber_start(fill_inner, &inner[1], "room", NULL));
	assert_ok(fiber_start(run_carry, NULL, "carry", NULL));
	assert_ok(fiber_start(stall_and_advance, NULL, "time", NULL));
	carry_until(FAIL_TIMEOUT);
	clock_test_release();
}

int main(void)
{
	kit_fill(bulk, BULK);
	const struct CMUnitTest tests[] = {
		ON_LOOP(carries_both_ways_until_the_room_ends), ON_LOOP(carries_the_last_words_of_a_room),
		ON_LOOP(carrying_ends_by_cancel), ON_LOOP(carrying_keeps_no_buffer),
		ON_LOOP(a_client_that_takes_nothing_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
