#include "talk/test/channel_kit.h"
#include "talk/test/pair_check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALL = 1, ANSWER = 2, REFUSED = 4 };

static char zeros[TALK_PACKET_MAX + 10];

static void ignore_hello(struct arrival *in, struct asker_teller_hello *m)
{
	(void)in;
	(void)m;
}

static result wait_long(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	(void)m;
	(void)answer;
	return fiber_sleep(20);
}

static const struct asker_teller_as_teller handlers = {.hello = ignore_hello, .ping = wait_long};

static void await_end(struct ends *e)
{
	for (int i = 0; i < 1000 && !e->teller_ended; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(e->teller_ended, 1);
	assert_int_equal(e->teller_why.kind, FAIL_PEER);
	assert_int_equal(nonsense_logged(), 1);
}

/* The packets in a row; only the last one is nonsense. */
static void nonsense_in(const struct raw_packet *p, size_t n)
{
	struct ends e = {0};
	char space[1000];
	ends_open_raw(&e, &handlers);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(e.teller_ended, 0);
		raw_send(e.raw, &p[i]);
		if (i + 1 < n)
			assert_ok(fiber_sleep(2));
	}
	await_end(&e);
	assert_false(channel_is_open(e.teller));
	while (raw_receive(e.raw, space, sizeof space).n > 0) /* answers to what was fine; then the end */
		;
	ends_close(&e);
}

static void nonsense(struct raw_packet p)
{
	nonsense_in(&p, 1);
}

#define HELLO {.number = ASKER_TELLER_HELLO, .payload = {"\1\0", 2}}
#define ANSWERED(NUMBER, FLAGS, REQUEST) \
	((struct raw_packet){.number = (NUMBER), .flags = (FLAGS), .request = (REQUEST)})

static void header_fiber(void)
{
	nonsense(ANSWERED(0, 0, 0));
	nonsense(ANSWERED(99, 0, 0));
	nonsense(ANSWERED(ASKER_TELLER_THANKS, 0, 0));         /* the other side's */
	struct raw_packet theirs = ANSWERED(ASKER_TELLER_ASK_BACK, CALL, 1);
	theirs.payload = str_of(zeros, 4);
	nonsense(theirs);
	nonsense(ANSWERED(ASKER_TELLER_PONG_BACK, CALL, 1));   /* an answer as a call */
	nonsense(ANSWERED(ASKER_TELLER_PONG_BACK, ANSWER, 1)); /* nobody asked */
	nonsense(ANSWERED(0, ANSWER | REFUSED, 1));
	nonsense(ANSWERED(ASKER_TELLER_NUDGE, CALL, 1));
	nonsense(ANSWERED(ASKER_TELLER_PING, 0, 0));
	nonsense(ANSWERED(ASKER_TELLER_PING, CALL, 0));
	nonsense(ANSWERED(ASKER_TELLER_PING, CALL | 64, 1));
	struct raw_packet hello_with_request = HELLO;
	hello_with_request.request = 5;
	nonsense(hello_with_request);
	nonsense((struct raw_packet){.number = ASKER_TELLER_NOTE, .payload = str_of(zeros, TALK_PACKET_MAX + 1)});
}

static void headers_are_checked(void **state)
{
	(void)state;
	on_fiber(header_fiber);
}

static void short_fiber(void)
{
	for (size_t n = 1; n < TALK_HEADER; n++) {
		struct ends e = {0};
		ends_open_raw(&e, &handlers);
		assert_int_equal(send(e.raw, zeros, n, 0), n);
		await_end(&e);
		ends_close(&e);
	}
}

static void short_packets_are_nonsense(void **state)
{
	(void)state;
	on_fiber(short_fiber);
}

static void payload_fiber(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_teller_everything m = {.name = STR("name"), .letter = body_of(STR("letter"))};
	str whole = raw_payload(&a, &asker_teller_everything_shape, &m);
	for (size_t cut = 0; cut < whole.n; cut++)
		nonsense((struct raw_packet){.number = ASKER_TELLER_EVERYTHING, .flags = CALL, .request = 1,
					     .payload = str_of(whole.p, cut)});
	nonsense((struct raw_packet){.number = ASKER_TELLER_HELLO, .payload = str_of(zeros, 3)});
}

static void cut_payloads_are_nonsense(void **state)
{
	(void)state;
	on_fiber(payload_fiber);
}

static void state_fiber(void)
{
	const struct raw_packet hello = HELLO;
	const struct raw_packet greet = {.number = ASKER_TELLER_GREET, .payload = str_of(zeros, 4)};
	const struct raw_packet bye = ANSWERED(ASKER_TELLER_BYE, 0, 0);
	nonsense(bye); /* not in fresh */
	nonsense_in((const struct raw_packet[]){greet, greet}, 2);
	nonsense_in((const struct raw_packet[]){greet, hello, greet}, 3);
	nonsense_in((const struct raw_packet[]){hello, hello}, 2);
	nonsense_in((const struct raw_packet[]){hello, bye, bye}, 3);
	nonsense_in((const struct raw_packet[]){hello, bye, hello}, 3);
}

static void state_and_once_are_checked(void **state)
{
	(void)state;
	on_fiber(state_fiber);
}

static void crossing_fiber(void)
{
	const struct raw_packet hello = HELLO;
	const struct raw_packet nudge = {.number = ASKER_TELLER_NUDGE, .payload = str_of(zeros, 4)};
	struct ends e = {0};
	char space[1000];
	ends_open_raw(&e, &handlers);
	struct asker_teller_thanks thanks = {0};
	assert_int_equal(asker_teller_thanks_send(e.teller, NULL, &thanks).kind, FAIL_CONFLICT);
	raw_send(e.raw, &hello);
	assert_ok(fiber_sleep(2));
	assert_ok(asker_teller_thanks_send(e.teller, NULL, &thanks));
	assert_ok(asker_teller_dismiss_send(e.teller, NULL, &(struct asker_teller_dismiss){0}));
	/* The asker said this before it heard of the dismissal. */
	raw_send(e.raw, &nudge);
	assert_ok(fiber_sleep(2));
	assert_int_equal(e.teller_ended, 0);
	assert_true(raw_receive(e.raw, space, sizeof space).n > 0);
	ends_close(&e);
}

static void crossing_messages_are_no_nonsense(void **state)
{
	(void)state;
	on_fiber(crossing_fiber);
}

static void surplus_fiber(void)
{
	struct raw_packet hello = HELLO;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (size_t n = 1; n <= 8; n++) {
		for (size_t i = 0; i < n; i++)
			hello.fds[i] = null;
		hello.fds_n = n;
		nonsense(hello);
		struct raw_packet lend = hello;
		lend.number = ASKER_TELLER_LEND;
		lend.flags = CALL;
		lend.request = 1;
		lend.payload = str_of("\1", 1);
		if (n > 1)
			nonsense(lend);
	}
	struct raw_packet none = ANSWERED(ASKER_TELLER_LEND, CALL, 1);
	none.payload = str_of("\1", 1);
	nonsense(none);
	close(null);
}

static void surplus_descriptors_are_closed(void **state)
{
	(void)state;
	on_fiber(surplus_fiber); /* which also counts the descriptors left */
}

static void flood_fiber(void)
{
	struct raw_packet p[CHANNEL_CALLS + 1];
	struct ends e = {0};
	ends_open_raw(&e, &handlers);
	for (size_t i = 0; i <= CHANNEL_CALLS; i++) {
		p[i] = (struct raw_packet){.number = ASKER_TELLER_PING, .flags = CALL, .request = (uint32_t)i + 1,
					   .payload = str_of(zeros, 4)};
		raw_send(e.raw, &p[i]);
	}
	await_end(&e);
	ends_close(&e);
	assert_ok(fiber_sleep(40));
}

static void unanswered_calls_are_bounded(void **state)
{
	(void)state;
	on_fiber(flood_fiber);
}

static struct {
	struct ends e;
	int peer, closed;
} asked;

static void ask(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_teller_pong_back answer;
	(void)arg;
	result r = asker_teller_ask_back_call(asked.e.teller, NULL, &(struct asker_teller_ask_back){0}, &a, &answer);
	asked.peer += r.kind == FAIL_PEER;
	asked.closed += r.kind == FAIL_CLOSED;
}

static void wrong_answer(struct raw_packet p)
{
	char space[1000];
	memset(&asked, 0, sizeof asked);
	ends_open_raw(&asked.e, &handlers);
	for (int i = 0; i < 3; i++)
		assert_ok(fiber_start(ask, NULL, "caller", NULL));
	str call = raw_receive(asked.e.raw, space, sizeof space);
	assert_int_equal(call.n, TALK_HEADER + 4);
	memcpy(&p.request, call.p + 4, 4);
	raw_send(asked.e.raw, &p);
	await_end(&asked.e);
	for (int i = 0; i < 100 && asked.peer + asked.closed < 3; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(asked.peer + asked.closed, 3);
	assert_in_range(asked.closed, 2, 3);
	ends_close(&asked.e);
}

static void answer_fiber(void)
{
	static const char long_refusal[300] = "\1\311\0\0\0";
	wrong_answer(ANSWERED(ASKER_TELLER_PONG_BACK, ANSWER, 0)); /* cut short */
	assert_int_equal(asked.peer, 1);
	wrong_answer(ANSWERED(ASKER_TELLER_EVERYTHING_IS, ANSWER, 0));
	wrong_answer(ANSWERED(ASKER_TELLER_PONG_BACK, ANSWER | REFUSED, 0));
	wrong_answer(ANSWERED(0, ANSWER | REFUSED, 0));
	wrong_answer((struct raw_packet){.flags = ANSWER | REFUSED, .payload = str_of("\0\0\0\0\0", 5)});
	wrong_answer((struct raw_packet){.flags = ANSWER | REFUSED, .payload = str_of("\21\0\0\0\0", 5)});
	wrong_answer((struct raw_packet){.flags = ANSWER | REFUSED, .payload = str_of(long_refusal, 5 + 201)});
	struct raw_packet longer = ANSWERED(ASKER_TELLER_PONG_BACK, ANSWER, 0);
	longer.payload = str_of(zeros, 5);
	wrong_answer(longer);
}

static void wrong_answers_are_nonsense(void **state)
{
	(void)state;
	on_fiber(answer_fiber);
}

static void random_fiber(void)
{
	unsigned seed = 7;
	for (int round = 0; round < 400; round++) {
		struct ends e = {0};
		char packet[300];
		size_t n = 1 + (size_t)rand_r(&seed) % sizeof packet;
		for (size_t i = 0; i < n; i++)
			packet[i] = (char)(rand_r(&seed) % (i < 8 ? 20 : 256));
		ends_open_raw(&e, &handlers);
		assert_int_equal(send(e.raw, packet, n, 0), n);
		fiber_yield();
		fiber_yield();
		ends_close(&e);
	}
	nonsense_logged();
}

static void random_packets_never_harm(void **state)
{
	(void)state;
	on_fiber(random_fiber);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(short_packets_are_nonsense),
		cmocka_unit_test(cut_payloads_are_nonsense),
		cmocka_unit_test(state_and_once_are_checked),
		cmocka_unit_test(crossing_messages_are_no_nonsense),
		cmocka_unit_test(surplus_descriptors_are_closed),
		cmocka_unit_test(unanswered_calls_are_bounded),
		cmocka_unit_test(wrong_answers_are_nonsense),
		cmocka_unit_test(random_packets_never_harm),
	};
	return cmocka_run_group_tests_name("nonsense", tests, NULL, NULL);
}
