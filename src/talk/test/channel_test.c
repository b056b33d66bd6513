#include "talk/test/channel_kit.h"
#include "talk/test/pair_check.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static const trace_id trace = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static char text[300000];

static result echo(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	answer->payload = m->payload;
	return OK;
}

static result keep_echo(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	assert_memory_equal(in->trace.b, trace.b, sizeof trace.b);
	assert_str(channel_peer(in->channel), STR("asker 1"));
	answer->payload = arena_dup(in->arena, m->payload);
	return OK;
}

static void call_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = keep_echo};
	struct ends e = {0};
	ends_open(&e, &h);
	for (size_t n = 0; n <= 100000; n = n * 3 + 1) {
		AUTO_ARENA arena a = arena_new(1 << 20);
		struct asker_teller_ping q = {.payload = str_of(text, n)};
		struct asker_teller_pong answer;
		assert_ok(asker_teller_ping_call(e.asker, &trace, &q, &a, &answer));
		assert_true(str_eq(answer.payload, q.payload));
	}
	assert_true(channel_counts(e.asker).sent == channel_counts(e.teller).received);
	assert_true(channel_counts(e.asker).octets_in == channel_counts(e.teller).octets_out);
	ends_close(&e);
}

static void a_call_gets_its_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 7);
	on_fiber(call_fiber);
}

static result whole(struct arrival *in, struct asker_teller_everything *m, struct asker_teller_everything_is *answer)
{
	(void)in;
	answer->verdict = ASKER_TELLER_VERDICT_DENIED;
	answer->text = m->rows.n == 2 ? m->rows.p[1].address : STR("no rows");
	answer->letter = body_view(&m->letter);
	return OK;
}

static void body_fiber(void)
{
	const struct asker_teller_as_teller h = {.everything = whole};
	struct asker_teller_row rows[2] = {{.address = STR("first")}, {.address = STR("second")}};
	struct ends e = {0};
	ends_open(&e, &h);
	for (size_t n = TALK_INLINE_MAX - 1; n < sizeof text; n += 1 + n / 3) {
		AUTO_ARENA arena a = arena_new(1 << 20);
		struct asker_teller_everything q = {.letter = body_of(str_of(text, n)), .rows = {rows, 2}};
		struct asker_teller_everything_is is;
		assert_ok(asker_teller_everything_call(e.asker, &trace, &q, &a, &is));
		assert_str(is.text, STR("second"));
		assert_true(str_eq(is.letter.bytes, q.letter.bytes));
		assert_int_equal(is.letter.owned, n > TALK_INLINE_MAX);
		asker_teller_everything_is_release(&is);
	}
	ends_close(&e);
}

static void long_bodies_travel_in_memory_files(void **state)
{
	(void)state;
	on_fiber(body_fiber);
}

static result borrow(struct arrival *in, struct asker_teller_lend *m, struct asker_teller_lent *answer)
{
	(void)in;
	if (m->count == 1)
		answer->back = talk_take_fd(&m->here);
	return OK;
}

static void lend_fiber(void)
{
	const struct asker_teller_as_teller h = {.lend = borrow};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	int ends[2];
	ends_open(&e, &h);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (uint8_t count = 0; count < 2; count++) {
		struct asker_teller_lend q = {.here = ends[1], .count = count};
		struct asker_teller_lent lent;
		assert_ok(asker_teller_lend_call(e.asker, NULL, &q, &a, &lent));
		assert_int_equal(lent.back > 0, count);
		if (count == 1) {
			assert_int_equal(fcntl(lent.back, F_GETFD), FD_CLOEXEC);
			assert_int_equal(write(lent.back, "x", 1), 1);
		}
		asker_teller_lent_release(&lent);
	}
	close(ends[1]);
	char got[2];
	assert_int_equal(read(ends[0], got, 2), 1); /* and the end: no copy is left open */
	assert_int_equal(read(ends[0], got, 2), 0);
	close(ends[0]);
	ends_close(&e);
}

static void descriptors_go_both_ways(void **state)
{
	(void)state;
	on_fiber(lend_fiber);
}

static result full(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	(void)m;
	(void)answer;
	return failure(FAIL_FULL, "The mailbox is full.");
}

static result too_long(struct arrival *in, struct asker_teller_everything *m, struct asker_teller_everything_is *answer)
{
	(void)in;
	(void)m;
	answer->text = str_of(text, sizeof text);
	return OK;
}

static void refusal_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = full, .everything = too_long};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	struct asker_teller_ping q = {.payload = STR("x")};
	struct asker_teller_pong answer;
	struct asker_teller_everything_is is;
	struct asker_teller_lent lent;
	ends_open(&e, &h);
	result r = asker_teller_ping_call(e.asker, NULL, &q, &a, &answer);
	assert_int_equal(r.kind, FAIL_FULL);
	assert_string_equal(r.text, "The mailbox is full.");
	r = asker_teller_everything_call(e.asker, NULL, &(struct asker_teller_everything){0}, &a, &is);
	assert_int_equal(r.kind, FAIL_LIMIT);
	r = asker_teller_lend_call(e.asker, NULL, &(struct asker_teller_lend){.here = 1}, &a, &lent);
	assert_int_equal(r.kind, FAIL_ABSENT);
	q.payload = str_of(text, 100001);
	assert_int_equal(asker_teller_ping_call(e.asker, NULL, &q, &a, &answer).kind, FAIL_LIMIT);
	assert_true(channel_is_open(e.asker) && channel_is_open(e.teller));
	ends_close(&e);
}

static void handlers_refuse_with_a_sentence(void **state)
{
	(void)state;
	on_fiber(refusal_fiber);
}

static void poor_fiber(void)
{
	const struct asker_teller_as_teller h = {.lend = borrow};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	struct rlimit limit, low;
	ends_open(&e, &h);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct asker_teller_lend q = {.here = null};
	struct asker_teller_lent lent;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){(rlim_t)null + 1, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	result r = asker_teller_lend_call(e.asker, NULL, &q, &a, &lent);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r.kind, FAIL_LIMIT);
	assert_ok(asker_teller_lend_call(e.asker, NULL, &q, &a, &lent));
	assert_int_equal(nonsense_logged(), 0);
	close(null);
	ends_close(&e);
}

static void being_out_of_descriptors_is_no_nonsense(void **state)
{
	(void)state;
	on_fiber(poor_fiber);
}

static uint32_t notes_seen;

/* ---- news ---- */

static void look_for_news(struct arrival *in, struct asker_teller_thanks *m)
{
	struct ends *e = in->ctx;
	(void)m;
	assert_true(channel_has_news(e->asker)); /* not seen to its end */
	e->extra = e;
}

static void news_fiber(void)
{
	const struct asker_teller_as_teller t = {.ping = echo};
	const struct asker_teller_as_asker h = {.thanks = look_for_news};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_teller_pong pong;
	struct ends e = {0};
	ends_open_both(&e, &t, &h);
	assert_false(channel_has_news(e.asker));
	assert_ok(asker_teller_hello_send(e.asker, NULL, &(struct asker_teller_hello){.version = 1}));
	assert_ok(asker_teller_ping_call(e.asker, NULL, &(struct asker_teller_ping){.payload = STR("x")}, &a, &pong));
	assert_false(channel_has_news(e.asker));
	assert_ok(asker_teller_thanks_send(e.teller, NULL, &(struct asker_teller_thanks){.count = 1}));
	assert_true(channel_has_news(e.asker)); /* not read yet */
	for (int i = 0; i < 100 && !e.extra; i++)
		fiber_yield();
	assert_ptr_equal(e.extra, &e);
	assert_ok(channel_drain(e.asker, 1000));
	assert_false(channel_has_news(e.asker));
	channel_close(&e.teller);
	assert_true(channel_has_news(e.asker)); /* its end is not heard yet */
	ends_close(&e);
}

static void news_is_seen_before_it_is_read(void **state)
{
	(void)state;
	on_fiber(news_fiber);
}

static void shut_fiber(void)
{
	const struct asker_teller_as_teller t = {.ping = echo};
	struct ends e = {0};
	ends_open(&e, &t);
	channel_shut(e.teller, failure(FAIL_CLOSED, "enough"));
	assert_false(channel_is_open(e.teller));
	assert_int_equal(e.teller_ended, 1);
	channel_shut(e.teller, failure(FAIL_CLOSED, "enough"));
	assert_int_equal(e.teller_ended, 1);
	ends_close(&e);
}

static void what_this_side_shuts_tells_the_owner_once(void **state)
{
	(void)state;
	on_fiber(shut_fiber);
}

static void in_order(struct arrival *in, struct asker_teller_note *m)
{
	(void)in;
	assert_int_equal(m->number, notes_seen++);
	assert_int_equal(m->text.n, m->number % 5 * 10000);
	if (m->number % 100 == 0)
		assert_ok(fiber_sleep(2));
}

static void notes_fiber(void)
{
	const struct asker_teller_as_teller h = {.note = in_order};
	struct ends e = {0};
	notes_seen = 0;
	ends_open(&e, &h);
	for (uint32_t i = 0; i < 3000; i++) {
		struct asker_teller_note m = {.number = i, .text = str_of(text, i % 5 * 10000)};
		assert_ok(asker_teller_note_send(e.asker, NULL, &m));
	}
	while (notes_seen < 3000)
		assert_ok(fiber_sleep(1));
	ends_close(&e);
}

static void one_way_messages_keep_their_order(void **state)
{
	(void)state;
	on_fiber(notes_fiber);
}

static void offer_fiber(void)
{
	struct ends e = {0};
	ends_open_raw(&e, NULL);
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct asker_teller_hello hello = {.version = 1};
	struct raw_packet p = {.number = ASKER_TELLER_HELLO};
	p.payload = raw_payload(&a, &asker_teller_hello_shape, &hello);
	raw_send(e.raw, &p);
	assert_ok(fiber_sleep(5));
	result r = OK;
	uint32_t n = 0;
	for (; n < 100000 && !failed(r); n++)
		r = asker_teller_thanks_offer(e.teller, NULL, &(struct asker_teller_thanks){.count = n});
	assert_int_equal(r.kind, FAIL_BUSY);
	assert_int_equal(channel_counts(e.teller).offers_dropped, 1);
	char space[100];
	for (uint32_t i = 0; i + 1 < n; i++)
		assert_int_equal(raw_receive(e.raw, space, sizeof space).n, TALK_HEADER + 4);
	assert_ok(asker_teller_thanks_offer(e.teller, NULL, &(struct asker_teller_thanks){0}));
	ends_close(&e);
}

static void an_offer_never_waits(void **state)
{
	(void)state;
	on_fiber(offer_fiber);
}

static result slow(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	(void)m;
	(void)answer;
	return fiber_sleep(30);
}

static void timeout_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = slow};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	struct asker_teller_pong answer;
	ends_open(&e, &h);
	const struct asking ask = {.arena = &a, .timeout_ms = 5};
	const struct asker_teller_ping q = {0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(asker_teller_ping_call_within(e.asker, &ask, &q, &answer).kind, FAIL_TIMEOUT);
	assert_ok(fiber_sleep(60));
	assert_int_equal(channel_counts(e.asker).late, 3);
	const struct asking patient = {.arena = &a, .timeout_ms = 5000};
	assert_ok(asker_teller_ping_call_within(e.asker, &patient, &q, &answer));
	ends_close(&e);
}

static void late_answers_are_dropped(void **state)
{
	(void)state;
	on_fiber(timeout_fiber);
}

struct crowd {
	struct ends e;
	int answered, closed, cancelled, most, inside;
	struct fiber *last;
};
static struct crowd crowd;

static result crowded(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)in;
	if (++crowd.inside > crowd.most)
		crowd.most = crowd.inside;
	result r = OK;
	for (int i = 0; i < 5000 && crowd.most < CHANNEL_CALLS && !failed(r); i++)
		r = fiber_sleep(1); /* until as many are here as may be */
	crowd.inside--;
	answer->payload = arena_dup(in->arena, m->payload);
	return r;
}

static void one_of_many(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	uint64_t me = (uint64_t)(uintptr_t)arg;
	struct asker_teller_ping q = {.payload = str_of((const char *)&me, sizeof me)};
	struct asker_teller_pong answer;
	result r = asker_teller_ping_call(crowd.e.asker, NULL, &q, &a, &answer);
	crowd.closed += r.kind == FAIL_CLOSED;
	crowd.cancelled += r.kind == FAIL_CANCELLED;
	if (failed(r))
		return;
	assert_str(answer.payload, q.payload);
	crowd.answered++;
}

static void start_crowd(int n)
{
	for (int i = 0; i < n; i++)
		assert_ok(fiber_start(one_of_many, (void *)(uintptr_t)i, "caller", &crowd.last));
}

static void thousand_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = crowded};
	crowd = (struct crowd){0};
	ends_open(&crowd.e, &h);
	start_crowd(1000);
	for (int i = 0; i < 20000 && crowd.answered < 1000; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(crowd.answered, 1000);
	assert_int_equal(crowd.most, CHANNEL_CALLS);
	ends_close(&crowd.e);
}

static void a_thousand_calls_at_once(void **state)
{
	(void)state;
	on_fiber(thousand_fiber);
}

static void death_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = slow};
	crowd = (struct crowd){0};
	ends_open(&crowd.e, &h);
	start_crowd(600);
	fiber_cancel(crowd.last);
	fiber_yield();
	fiber_yield();
	struct channel *teller = crowd.e.teller;
	crowd.e.teller = NULL;
	channel_close(&teller);
	for (int i = 0; i < 3000 && crowd.closed + crowd.cancelled < 600; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(crowd.cancelled, 1);
	assert_int_equal(crowd.closed, 599);
	assert_int_equal(crowd.e.asker_ended, 1);
	assert_int_equal(crowd.e.asker_why.kind, FAIL_CLOSED);
	struct asker_teller_note m = {0};
	assert_int_equal(asker_teller_note_send(crowd.e.asker, NULL, &m).kind, FAIL_CLOSED);
	ends_close(&crowd.e);
	assert_ok(fiber_sleep(60)); /* the handlers end behind their channel */
}

static void all_callers_learn_of_a_death_at_once(void **state)
{
	(void)state;
	on_fiber(death_fiber);
}

static void killed_fiber(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	pid_t child = fork();
	if (child == 0) {
		char space[1000];
		close(fd[0]);
		_exit(recv(fd[1], space, sizeof space, 0) > 0 ? 0 : 1); /* dies over the first call */
	}
	close(fd[1]);
	struct channel_options o = {.fd = fd[0], .peer = "teller 7", .ctx = &e};
	assert_ok(asker_teller_open_as_asker(&o, NULL, &e.asker));
	struct asker_teller_ping q = {.payload = STR("hello")};
	struct asker_teller_pong answer;
	assert_int_equal(asker_teller_ping_call(e.asker, NULL, &q, &a, &answer).kind, FAIL_CLOSED);
	assert_int_equal(waitpid(child, NULL, 0), child);
	e.raw = -1;
	ends_close(&e);
}

static void a_peer_may_die_over_a_call(void **state)
{
	(void)state;
	on_fiber(killed_fiber);
}

static result ask_back(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	(void)m;
	struct asker_teller_ask_back q = {.depth = 5};
	struct asker_teller_pong_back back;
	TRY(asker_teller_ask_back_call(in->channel, &in->trace, &q, in->arena, &back));
	answer->payload = back.depth == 4 ? STR("yes") : STR("no");
	return OK;
}

static result back(struct arrival *in, struct asker_teller_ask_back *m, struct asker_teller_pong_back *answer)
{
	(void)in;
	answer->depth = m->depth - 1;
	return OK;
}

static void both_ways_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = ask_back};
	const struct asker_teller_as_asker b = {.ask_back = back};
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	struct asker_teller_pong answer;
	ends_open_both(&e, &h, &b);
	assert_ok(asker_teller_ping_call(e.asker, NULL, &(struct asker_teller_ping){0}, &a, &answer));
	assert_str(answer.payload, STR("yes"));
	ends_close(&e);
}

static void a_handler_may_call_its_caller(void **state)
{
	(void)state;
	on_fiber(both_ways_fiber);
}

/* The asker's last words: an answer, sent before it closed on something unread. */
static void last_words(void *arg)
{
	struct ends *e = arg;
	AUTO_ARENA arena a = arena_new(1 << 20);
	char space[1000];
	str call = raw_receive(e->raw, space, sizeof space);
	uint32_t request;
	memcpy(&request, call.p + 4, 4);
	assert_ok(asker_teller_thanks_send(e->teller, NULL, &(struct asker_teller_thanks){0})); /* never read */
	struct asker_teller_pong_back m = {.depth = 77};
	struct raw_packet p = {.number = ASKER_TELLER_PONG_BACK, .flags = 2, .request = request,
			       .payload = raw_payload(&a, &asker_teller_pong_back_shape, &m)};
	raw_send(e->raw, &p);
	close(e->raw);
	e->raw = -1;
}

static void last_words_fiber(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends e = {0};
	struct asker_teller_pong_back answer;
	struct asker_teller_ask_back q = {.depth = 5};
	ends_open_raw(&e, NULL);
	struct raw_packet hello = {.number = ASKER_TELLER_HELLO, .payload = str_of("\1\0", 2)};
	raw_send(e.raw, &hello);
	assert_ok(fiber_sleep(5));
	assert_ok(fiber_start(last_words, &e, "asker", NULL));
	assert_ok(asker_teller_ask_back_call(e.teller, NULL, &q, &a, &answer));
	assert_int_equal(answer.depth, 77);
	assert_int_equal(asker_teller_ask_back_call(e.teller, NULL, &q, &a, &answer).kind, FAIL_CLOSED);
	ends_close(&e);
}

static void an_answer_outlives_its_sender(void **state)
{
	(void)state;
	on_fiber(last_words_fiber);
}

static void many_at_full(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct ends *e = arg;
	struct asker_teller_ping q = {.payload = str_of(text, 90000)};
	struct asker_teller_pong answer;
	assert_ok(asker_teller_ping_call(e->asker, NULL, &q, &a, &answer));
	assert_int_equal(answer.payload.n, 90000);
	crowd.answered++;
}

static void full_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = echo};
	struct ends e = {0};
	crowd = (struct crowd){0};
	ends_open(&e, &h);
	for (int i = 0; i < 50; i++)
		assert_ok(fiber_start(many_at_full, &e, "caller", NULL));
	for (int i = 0; i < 3000 && crowd.answered < 50; i++)
		assert_ok(fiber_sleep(1));
	assert_int_equal(crowd.answered, 50);
	ends_close(&e);
}

static void a_full_socket_suspends_callers(void **state)
{
	(void)state;
	on_fiber(full_fiber);
}

static void memory_fiber(void)
{
	const struct asker_teller_as_teller h = {.ping = keep_echo};
	int fine = 0;
	for (uint64_t n = 1; n <= 25; n++) {
		AUTO_ARENA arena a = arena_new(1 << 20);
		struct ends e = {0};
		ends_open(&e, &h);
		channel_trim();
		struct asker_teller_ping q = {.payload = str_of(text, 9000)};
		struct asker_teller_pong answer;
		mem_fail_at(n);
		result r = asker_teller_ping_call(e.asker, &trace, &q, &a, &answer);
		mem_fail_at(0);
		assert_true(!failed(r) || r.kind == FAIL_MEMORY || r.kind == FAIL_LIMIT);
		fine += !failed(r);
		assert_true(channel_is_open(e.asker) && channel_is_open(e.teller));
		ends_close(&e);
	}
	assert_in_range(fine, 10, 24);
}

static void any_allocation_may_fail(void **state)
{
	(void)state;
	on_fiber(memory_fiber);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_gets_its_answer),
		cmocka_unit_test(long_bodies_travel_in_memory_files),
		cmocka_unit_test(descriptors_go_both_ways),
		cmocka_unit_test(being_out_of_descriptors_is_no_nonsense),
		cmocka_unit_test(handlers_refuse_with_a_sentence),
		cmocka_unit_test(one_way_messages_keep_their_order),
		cmocka_unit_test(an_offer_never_waits),
		cmocka_unit_test(news_is_seen_before_it_is_read),
		cmocka_unit_test(what_this_side_shuts_tells_the_owner_once),
		cmocka_unit_test(late_answers_are_dropped),
		cmocka_unit_test(a_thousand_calls_at_once),
		cmocka_unit_test(all_callers_learn_of_a_death_at_once),
		cmocka_unit_test(a_peer_may_die_over_a_call),
		cmocka_unit_test(a_handler_may_call_its_caller),
		cmocka_unit_test(an_answer_outlives_its_sender),
		cmocka_unit_test(a_full_socket_suspends_callers),
		cmocka_unit_test(any_allocation_may_fail),
	};
	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
