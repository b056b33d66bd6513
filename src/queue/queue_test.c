/* A whole queue on a disk in memory, with accounts that do as the test says.
 * Time stands still and is moved by hand. */
#include "base/test.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "engine/files_sim.h"
#include "queue/doors.h"
#include "queue/items.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/random.h"
#include "talk/courier_account.h"

enum { ACCOUNTS = 6, RETRY = 5000, START = 1000000 };

enum manner { KEEPS, DUPLICATE, UNABLE, REFUSES, DIES, DIES_OF_ONE, UNREACHABLE, GONE, SLOW };

static struct {
	struct sim *sim;
	enum manner manner[ACCOUNTS];
	struct channel *near[ACCOUNTS], *far[ACCOUNTS];
	unsigned char poison; /* first octet of the delivery that an account dies of */
	int kept[ACCOUNTS], tries[ACCOUNTS], connects;
	int at_once, at_once_most;
	unsigned char order[4096];
	size_t order_n;
	uint64_t octets; /* of the last */
	char last_octet;
	struct channel *edge, *edge_far, *web, *web_far;
	struct fiber *schedule;
	bool running;
	struct gate go;
	int given_up;
	int events[LOG_EVENTS];
	int64_t hold_until;
} t;

static void die(void *arg)
{
	uint64_t n = (uint64_t)(uintptr_t)arg;
	if (t.near[n])
		channel_close(&t.near[n]);
	if (t.far[n])
		channel_close(&t.far[n]);
}

static result on_sealed(struct arrival *in, struct courier_account_deliver_sealed *m,
	struct courier_account_delivered *answer)
{
	uint64_t n = (uint64_t)(uintptr_t)in->ctx;
	t.tries[n]++;
	t.order[t.order_n++ % sizeof t.order] = m->delivery.b[0];
	t.octets = m->sealed.bytes.n;
	t.last_octet = m->sealed.bytes.p[m->sealed.bytes.n - 1];
	assert_str(m->wrapped, STR("wrapped"));
	if (++t.at_once > t.at_once_most)
		t.at_once_most = t.at_once;
	if (t.manner[n] == SLOW)
		assert_ok(gate_wait(&t.go, FIBER_FOREVER));
	t.at_once--;
	if (t.manner[n] == DIES || (t.manner[n] == DIES_OF_ONE && m->delivery.b[0] == t.poison)) {
		assert_ok(fiber_start(die, in->ctx, "death", NULL));
		return fiber_sleep(1000);
	}
	if (t.manner[n] == REFUSES)
		return failure(FAIL_DAMAGE, "this item does not open");
	answer->verdict = t.manner[n] == UNABLE ? COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE :
			  t.manner[n] == DUPLICATE ? COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE :
				COURIER_ACCOUNT_DELIVER_VERDICT_KEPT;
	if (t.manner[n] == UNABLE)
		answer->text = STR("the disk is full");
	else
		t.kept[n]++;
	return OK;
}

static const struct courier_account_as_account account_handlers = {.deliver_sealed = on_sealed};

static result account(uint64_t n, struct channel **out)
{
	int ends[2];
	t.connects++;
	if (t.manner[n] == GONE)
		return failure(FAIL_ABSENT, "there is no such account");
	if (t.manner[n] == UNREACHABLE)
		return failure(FAIL_BUSY, "the account does not start");
	if (!t.near[n]) {
		void *ctx = (void *)(uintptr_t)n;
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "account", .ctx = ctx};
		struct channel_options far = {.fd = ends[1], .peer = "queue", .ctx = ctx};
		assert_ok(courier_account_open_as_courier(&near, NULL, &t.near[n]));
		assert_ok(courier_account_open_as_account(&far, &account_handlers, &t.far[n]));
	}
	*out = t.near[n];
	return OK;
}

static void give_up(result why)
{
	assert_int_equal(why.kind, FAIL_DISK);
	t.given_up++;
}

static const struct queue_world world = {.account = account, .give_up = give_up};

static void count_event(void *ctx, str record)
{
	(void)ctx;
	t.events[(unsigned char)record.p[0] | (unsigned)(unsigned char)record.p[1] << 8]++;
}

static void run_schedule(void *arg)
{
	(void)arg;
	queue_run(&queue);
	t.running = false;
}

static void open_queue(void)
{
	static const unsigned char key[QUEUE_KEY] = "the queue's key";
	int ends[2];
	queue = (struct queue){.retry = {RETRY, SCHEDULE_WAIT_MOST}, .world = &world};
	assert_ok(queue_open(&queue, sim_files(t.sim), key));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options e = {.fd = ends[0], .peer = "queue 0"}, ef = {.fd = ends[1], .peer = "edge-mx 0"};
	assert_ok(edge_queue_open_as_edge(&e, NULL, &t.edge));
	assert_ok(edge_queue_open_as_queue(&ef, &edge_handlers, &t.edge_far));
	assert_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options w = {.fd = ends[0], .peer = "queue 0"}, wf = {.fd = ends[1], .peer = "web 0"};
	assert_ok(web_queue_open_as_web(&w, NULL, &t.web));
	assert_ok(web_queue_open_as_queue(&wf, &web_handlers, &t.web_far));
	t.running = true;
	assert_ok(fiber_start(run_schedule, NULL, "schedule", &t.schedule));
}

static void settle(void);

static void close_queue(void)
{
	fiber_cancel(t.schedule);
	settle();
	while (t.running || queue.couriers > 0)
		fiber_yield();
	struct channel **all[] = {&t.edge, &t.edge_far, &t.web, &t.web_far};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		channel_close(all[i]);
	for (uint64_t n = 0; n < ACCOUNTS; n++)
		die((void *)(uintptr_t)n);
	queue_close(&queue);
}

static void run(void *arg)
{
	void (*const *test)(void) = arg;
	open_queue();
	(*test)();
	close_queue();
	loop_end();
}

static void on_kit(void (*test)(void))
{
	memset(&t, 0, sizeof t);
	t.sim = sim_new(1);
	gate_init(&t.go);
	assert_ok(random_open());
	log_set_sink(count_event, NULL);
	clock_test_hold(START);
	assert_ok(loop_open());
	assert_ok(fiber_start(run, &test, "test", NULL));
	loop_run();
	loop_close();
	channel_trim();
	clock_test_release();
	log_set_sink(NULL, NULL);
	sim_free(&t.sim);
}

static result nothing(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return OK;
}

/* Until nothing moves any more at this time: what the store's thread had to do
 * before a job of ours is done, and the fibers have had their turns. */
static void settle(void)
{
	const struct commit_job barrier = {.run = nothing};
	for (int quiet = 0; quiet < 5;) {
		int connects = t.connects, at_once = t.at_once;
		size_t couriers = queue.couriers, commits = committer_commits(queue.store);
		assert_ok(committer_do(queue.store, &barrier));
		for (int i = 0; i < 20; i++)
			fiber_yield();
		bool same = connects == t.connects && at_once == t.at_once && couriers == queue.couriers &&
			    commits == committer_commits(queue.store);
		quiet = same ? quiet + 1 : 0;
	}
}

static void pass(uint64_t ms)
{
	clock_test_advance(ms);
	settle();
}

static result keep_with(uint64_t n, unsigned char delivery, uint32_t deaths, str sealed)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_queue_kept kept;
	struct edge_queue_keep m = {.delivery = {{delivery}}, .account = n, .sender = STR("a@example.org"),
		.recipient = STR("b@example.test"), .size = 7, .deaths = deaths, .wrapped = STR("wrapped"),
			.sealed = body_of(sealed), .hold_until = t.hold_until};
	result r = edge_queue_keep_call(t.edge, NULL, &m, &a, &kept);
	return failed(r) ? failure(r.kind, "refused") : OK;
}

static void keep(uint64_t n, unsigned char delivery)
{
	assert_ok(keep_with(n, delivery, 0, STR("sealed bytes")));
}

struct seen {
	uint64_t total;
	struct web_queue_item_row first;
	char why[QUEUE_WHY_MAX + 1];
};

static struct seen look(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_queue_items page;
	struct seen s = {0};
	assert_ok(web_queue_list_call(t.web, NULL, &(struct web_queue_list){0}, &a, &page));
	s.total = page.total;
	if (page.rows.n > 0) {
		s.first = page.rows.p[0];
		snprintf(s.why, sizeof s.why, "%.*s", STR_ARG(s.first.why));
	}
	return s;
}

#define ACT(NAME) \
	static enum fail_kind NAME(uint64_t item) \
	{ \
		AUTO_ARENA arena a = arena_new(65536); \
		struct web_queue_done done; \
		return web_queue_##NAME##_call(t.web, NULL, &(struct web_queue_##NAME){.item = item}, &a, &done).kind; \
	}
ACT(release)
ACT(drop)

static void an_item_is_brought_after_a_while(void)
{
	keep(1, 1);
	settle();
	assert_int_equal(t.tries[1], 0);
	struct seen s = look();
	assert_int_equal(s.total, 1);
	assert_int_equal(s.first.state, WEB_QUEUE_ITEM_STATE_WAITING);
	assert_int_equal(s.first.kept, START / 1000);
	assert_true(s.first.next >= START / 1000);
	pass(RETRY);
	assert_int_equal(t.kept[1], 1);
	assert_int_equal(look().total, 0);
	assert_int_equal(queue.schedule.heap.n, 0); /* nothing polls */
	assert_int_equal(t.events[EV_QUEUED], 1);
	assert_int_equal(t.events[EV_QUEUE_DONE], 1);
	t.manner[1] = DUPLICATE;
	keep(1, 2);
	pass(RETRY);
	assert_int_equal(look().total, 0);
}

static void what_is_to_be_sent_later_waits_that_long(void)
{
	t.hold_until = START / 1000 + 3 * 86400;
	keep(1, 1);
	for (int hour = 1; hour < 3 * 24; hour++)
		pass(3600000);
	assert_int_equal(t.tries[1], 0);
	pass(3600000 + SCHEDULE_WAIT_MOST);
	assert_int_equal(t.kept[1], 1);
}

static void keeping_twice_is_keeping_once(void)
{
	keep(1, 1);
	keep(1, 1);
	keep(2, 1); /* the same letter, to another account */
	assert_int_equal(look().total, 2);
	pass(RETRY);
	assert_int_equal(t.kept[1] + t.kept[2], 2);
	assert_int_equal(keep_with(1, 3, 0, STR("")).kind, FAIL_INPUT);
}

static void who_is_unable_is_tried_ever_less_often(void)
{
	int64_t last = 0;
	t.manner[1] = UNABLE;
	keep(1, 1);
	pass(RETRY);
	assert_int_equal(t.tries[1], 1);
	assert_string_equal(look().why, "the disk is full");
	for (int i = 2; i < 10; i++) {
		int64_t wait = look().first.next * 1000 - clock_wall_ms();
		assert_true(wait + 2000 >= last);
		last = wait;
		pass((uint64_t)(wait > 0 ? wait : 0) + 1000);
		assert_int_equal(t.tries[1], i);
		assert_int_equal(look().first.attempts, (uint32_t)i);
	}
	pass(SCHEDULE_WAIT_MOST);
	t.manner[1] = KEEPS;
	pass(SCHEDULE_WAIT_MOST);
	assert_int_equal(look().total, 0);
}

static void a_refused_item_does_not_hold_up_the_others(void)
{
	t.manner[1] = REFUSES;
	keep(1, 1);
	pass(RETRY);
	t.manner[1] = KEEPS;
	keep(1, 2);
	pass(RETRY);
	assert_true(t.kept[1] >= 1);
}

static void an_account_that_does_not_start_is_asked_once_for_all(void)
{
	t.manner[1] = UNREACHABLE;
	for (unsigned char i = 1; i <= 40; i++)
		keep(1, i);
	pass(RETRY);
	assert_true(t.connects <= QUEUE_COURIERS_EACH);
	assert_int_equal(t.tries[1], 0);
	t.manner[1] = KEEPS;
	pass(RETRY * 4);
	pass(RETRY * 4);
	assert_int_equal(t.kept[1], 40);
	assert_int_equal(look().total, 0);
}

static void what_kills_its_account_is_held_and_the_others_go_on(void)
{
	t.manner[1] = DIES_OF_ONE;
	t.poison = 3;
	for (unsigned char i = 1; i <= 6; i++)
		keep(1, i);
	for (int i = 0; i < 12; i++)
		pass(RETRY * 2);
	assert_int_equal(t.kept[1], 5);
	assert_int_equal(t.events[EV_QUARANTINED], 1);
	struct seen s = look();
	assert_int_equal(s.total, 1);
	assert_int_equal(s.first.state, WEB_QUEUE_ITEM_STATE_QUARANTINE);
	assert_int_equal(s.first.delivery.b[0], 3);
	assert_int_equal(s.first.next, 0);
	pass(SCHEDULE_WAIT_MOST * 5ull);
	assert_int_equal(t.events[EV_QUARANTINED], 1);
	t.manner[1] = KEEPS;
	assert_int_equal(release(s.first.item), FAIL_NONE);
	settle();
	assert_int_equal(t.kept[1], 6);
	assert_int_equal(look().total, 0);
}

static void what_has_killed_goes_alone(void)
{
	t.manner[1] = DIES;
	for (unsigned char i = 1; i <= 4; i++)
		keep(1, i);
	pass(RETRY);
	assert_true(t.tries[1] > 1);
	t.manner[1] = SLOW;
	t.at_once = t.at_once_most = 0;
	pass(RETRY * 8);
	assert_int_equal(t.at_once, 1);
	for (int i = 0; i < 8; i++) {
		gate_wake_all(&t.go);
		settle();
	}
	assert_int_equal(t.at_once_most, 1);
	assert_int_equal(t.kept[1], 4);
}

static void a_suspect_waits_for_the_others_and_is_not_forgotten(void)
{
	t.manner[1] = SLOW;
	keep(1, 1);
	keep(1, 2);
	pass(RETRY);
	assert_int_equal(t.at_once, 2);
	assert_ok(keep_with(1, 3, 1, STR("sealed bytes")));
	pass(RETRY);
	assert_int_equal(t.at_once, 2);
	gate_wake_all(&t.go);
	settle();
	assert_int_equal(t.kept[1], 2);
	assert_int_equal(t.at_once, 1);
	keep(1, 4);
	pass(RETRY);
	assert_int_equal(t.at_once, 1);
	gate_wake_all(&t.go);
	settle();
	gate_wake_all(&t.go);
	settle();
	assert_int_equal(t.kept[1], 4);
}

static void items_wait_until_there_is_room_for_them(void)
{
	keep(1, 1);
	queue.octets = QUEUE_OCTETS; /* as if large ones were under way */
	pass(RETRY);
	assert_int_equal(t.tries[1], 0);
	queue.octets = 0;
	gate_wake_all(&queue.lighter);
	settle();
	assert_int_equal(t.kept[1], 1);
	assert_int_equal(queue.octets, 0);
}

static void one_account_does_not_take_all_couriers(void)
{
	t.manner[1] = SLOW;
	for (unsigned char i = 1; i <= 20; i++)
		keep(1, i);
	pass(RETRY);
	assert_int_equal(t.at_once, QUEUE_COURIERS_EACH);
	keep(2, 1);
	pass(RETRY);
	assert_int_equal(t.kept[2], 1);
	for (int i = 0; i < 20; i++) {
		gate_wake_all(&t.go);
		settle();
	}
	assert_int_equal(t.kept[1], 20);
	assert_int_equal(t.at_once_most, QUEUE_COURIERS_EACH + 1);
}

static void what_came_with_three_deaths_is_held_at_once(void)
{
	assert_ok(keep_with(1, 1, QUEUE_DEATHS, STR("sealed bytes")));
	assert_int_equal(look().first.state, WEB_QUEUE_ITEM_STATE_QUARANTINE);
	assert_int_equal(t.events[EV_QUARANTINED], 1);
	pass(RETRY * 10);
	assert_int_equal(t.connects, 0);
	assert_int_equal(drop(look().first.item), FAIL_NONE);
	assert_int_equal(look().total, 0);
	assert_int_equal(drop(77), FAIL_ABSENT);
	assert_int_equal(release(77), FAIL_ABSENT);
}

static void drop_one_under_way(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_queue_items page;
	size_t under_way = 0;
	assert_ok(web_queue_list_call(t.web, NULL, &(struct web_queue_list){.after = 5}, &a, &page));
	assert_int_equal(page.rows.n, 50);
	for (size_t i = 0; i < page.rows.n; i++) {
		if (page.rows.p[i].state != WEB_QUEUE_ITEM_STATE_DELIVERING)
			continue;
		if (under_way++ == 0)
			assert_int_equal(drop(page.rows.p[i].item), FAIL_BUSY);
	}
	assert_true(under_way > 0 && under_way <= QUEUE_COURIERS);
}

static void couriers_are_bounded(void)
{
	for (uint64_t n = 0; n < ACCOUNTS; n++) {
		t.manner[n] = SLOW;
		for (unsigned char i = 1; i <= 10; i++)
			keep(n, i);
	}
	pass(RETRY);
	assert_int_equal(t.at_once_most, QUEUE_COURIERS);
	assert_int_equal(queue.couriers, QUEUE_COURIERS);
	drop_one_under_way();
	for (uint64_t n = 0; n < ACCOUNTS; n++)
		t.manner[n] = KEEPS;
	for (int i = 0; i < 60 && look().total > 0; i++) {
		gate_wake_all(&t.go);
		pass(1000);
	}
	assert_int_equal(look().total, 0);
	assert_int_equal(t.at_once_most, QUEUE_COURIERS);
}

static void items_of_an_erased_account_go(void)
{
	t.manner[1] = GONE;
	keep(1, 1);
	pass(RETRY);
	assert_int_equal(look().total, 0);
	assert_int_equal(t.events[EV_QUEUE_DROPPED], 1);
}

static result count_files(void *ctx, str name)
{
	if (str_ends(name, STR(".body")))
		++*(int *)ctx;
	return OK;
}

static int body_files(void)
{
	int n = 0;
	assert_ok(files_list(sim_files(t.sim), count_files, &n));
	return n;
}

static void large_items_lie_in_files(void)
{
	enum { LARGE = QUEUE_INLINE + 1, INLINE = QUEUE_INLINE };
	char *bytes = mem_alloc(LARGE);
	assert_non_null(bytes);
	memset(bytes, 's', LARGE);
	bytes[LARGE - 1] = 'L';
	bytes[INLINE - 1] = 'I';
	assert_ok(keep_with(1, 1, 0, str_of(bytes, INLINE)));
	assert_int_equal(body_files(), 0);
	assert_ok(keep_with(2, 2, 0, str_of(bytes, LARGE)));
	assert_ok(keep_with(2, 2, 0, str_of(bytes, LARGE)));
	assert_int_equal(body_files(), 1);
	t.manner[1] = GONE;
	pass(RETRY);
	assert_int_equal(t.kept[2], 1);
	assert_int_equal(t.octets, LARGE);
	assert_int_equal(t.last_octet, 'L');
	assert_int_equal(body_files(), 0);
	mem_free(bytes);
}

static void a_stop_loses_nothing(void)
{
	t.manner[1] = SLOW;
	keep(1, 1);
	keep(2, 2);
	t.manner[2] = UNABLE;
	pass(RETRY);
	assert_int_equal(look().first.state, WEB_QUEUE_ITEM_STATE_DELIVERING);
	gate_wake_all(&t.go);
	die((void *)(uintptr_t)1);
	t.manner[1] = UNREACHABLE;
	close_queue();
	open_queue();
	struct seen s = look();
	assert_int_equal(s.total, 2);
	assert_int_equal(s.first.state, WEB_QUEUE_ITEM_STATE_WAITING);
	assert_true(s.first.attempts >= 1);
	t.manner[1] = t.manner[2] = KEEPS;
	pass(SCHEDULE_WAIT_MOST);
	assert_int_equal(look().total, 0);
	assert_true(t.kept[1] >= 1); /* at the stop it may have been kept already, and nobody heard */
	assert_int_equal(t.kept[2], 1);
}

/* ---- a bad disk ---- */

enum { ITEMS = 20, BIG = 5 /* this one lies in a file */ };

static void everybody(enum manner manner)
{
	for (uint64_t a = 0; a < ACCOUNTS; a++)
		t.manner[a] = manner;
}

static void keep_all(bool kept[ITEMS])
{
	static char big[QUEUE_INLINE + 1];
	t.order_n = 0;
	for (unsigned char i = 0; i < ITEMS; i++) {
		str sealed = i == BIG ? str_of(big, sizeof big) : STR("sealed bytes");
		enum fail_kind r = keep_with(i % ACCOUNTS, (unsigned char)(i + 1), 0, sealed).kind;
		assert_true(r == FAIL_NONE || r == FAIL_DISK || r == FAIL_FULL);
		kept[i] = r == FAIL_NONE;
	}
}

/* What was acknowledged comes to its account once the disk is well, power cut included; nothing stays. */
static bool mended(enum sim_fault fault, uint64_t n, const bool kept[ITEMS])
{
	bool hit = sim_steps(t.sim) >= n;
	close_queue();
	sim_fault_at(t.sim, SIM_NONE, 0);
	if (fault != SIM_FULL)
		sim_crash(t.sim);
	open_queue();
	everybody(KEEPS);
	for (int i = 0; i < 8; i++)
		pass(SCHEDULE_WAIT_MOST);
	assert_int_equal(look().total, 0);
	assert_int_equal(body_files(), 0);
	for (unsigned char i = 0; i < ITEMS; i++)
		assert_true(!kept[i] || memchr(t.order, i + 1, t.order_n));
	return hit;
}

/* While items are kept, or while couriers bring them away. */
static bool fault_at(enum sim_fault fault, uint64_t n, bool bringing)
{
	bool kept[ITEMS];
	everybody(bringing ? KEEPS : UNREACHABLE);
	if (!bringing)
		sim_fault_at(t.sim, fault, n);
	keep_all(kept);
	if (bringing)
		sim_fault_at(t.sim, fault, n);
	for (int i = 0; i < 3; i++)
		pass(RETRY);
	return mended(fault, n, kept);
}

static void what_was_acknowledged_survives_any_fault(void)
{
	static const enum sim_fault faults[] = {SIM_REFUSE, SIM_FULL, SIM_CRASH};
	for (size_t f = 0; f < 3; f++) {
		uint64_t keeping = 1, bringing = 1;
		t.given_up = 0;
		while (fault_at(faults[f], keeping, false))
			keeping += 1 + keeping / 12;
		while (fault_at(faults[f], bringing, true))
			bringing += 1 + bringing / 12;
		assert_true(keeping > 30 && bringing > 10);
		assert_int_equal(t.given_up > 0, faults[f] != SIM_FULL);
	}
}

/* When the disk fails a commit the next start may find the row all the same: then its file is there too. */
static void a_commit_that_failed_may_hold_with_its_file(void)
{
	static char big[QUEUE_INLINE + 1];
	uint64_t n = 0;
	bool hit;
	do {
		t.manner[1] = UNREACHABLE;
		sim_fault_at(t.sim, SIM_REFUSE, ++n);
		result r = keep_with(1, (unsigned char)n, 0, str_of(big, sizeof big));
		hit = sim_steps(t.sim) >= n;
		close_queue();
		sim_restart(t.sim);
		open_queue();
		t.manner[1] = KEEPS;
		int before = t.kept[1];
		pass(SCHEDULE_WAIT_MOST);
		assert_int_equal(look().total, 0);
		assert_int_equal(body_files(), 0);
		assert_true(failed(r) || t.kept[1] == before + 1);
	} while (hit);
	assert_true(n > 5);
}

/* Somebody sets the clock, by seconds and by decades, to and fro: within twice the longest wait all is tried. */
static void the_clock_may_jump(void)
{
	static const int64_t times[] = {0, START - 7000, 4000000000000, START, -5000, 1700000000000, 1600000000000, START};
	for (unsigned char i = 0; i < sizeof times / sizeof *times; i++) {
		t.manner[1] = UNABLE;
		keep(1, (unsigned char)(i + 1));
		pass(RETRY);
		clock_test_set(times[i]);
		t.manner[1] = KEEPS;
		pass(SCHEDULE_WAIT_MOST);
		pass(SCHEDULE_WAIT_MOST);
		assert_int_equal(look().total, 0);
	}
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; on_kit(NAME); }
#define TESTS(X) \
	X(an_item_is_brought_after_a_while) X(what_is_to_be_sent_later_waits_that_long) X(keeping_twice_is_keeping_once) \
	X(who_is_unable_is_tried_ever_less_often) X(a_refused_item_does_not_hold_up_the_others) \
	X(an_account_that_does_not_start_is_asked_once_for_all) \
	X(what_kills_its_account_is_held_and_the_others_go_on) X(what_has_killed_goes_alone) \
	X(a_suspect_waits_for_the_others_and_is_not_forgotten) X(items_wait_until_there_is_room_for_them) \
	X(one_account_does_not_take_all_couriers) X(what_came_with_three_deaths_is_held_at_once) \
	X(couriers_are_bounded) X(items_of_an_erased_account_go) X(large_items_lie_in_files) \
	X(a_stop_loses_nothing) X(the_clock_may_jump) X(a_commit_that_failed_may_hold_with_its_file) \
	X(what_was_acknowledged_survives_any_fault)
TESTS(ON_KIT)

int main(void)
{
#define ROW(NAME) cmocka_unit_test(NAME##_test),
	const struct CMUnitTest tests[] = {TESTS(ROW)};
	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
