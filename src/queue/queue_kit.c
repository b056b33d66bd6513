#include "queue/queue_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "queue/doors.h"
#include "run/loop.h"
#include "run/net.h"
#include "run/random.h"
#include "talk/courier_account.h"
#include "talk/mail_flags.h"
#include "talk/queue_auth.h"

enum { MINUTE = 60000, FIBERS = 6, POST_MOST = 200 };

struct world world;

static struct {
	struct channel *relay, *relay_far, *auth, *auth_far, *account[8], *account_far[8];
	struct channel *edge, *edge_far, *web, *web_far;
	struct fiber *fibers[FIBERS];
	int running;
	char *large;
} k;

/* ---- the relay ---- */

static void relay_dies(void *arg)
{
	(void)arg;
	if (k.relay)
		channel_close(&k.relay);
	if (k.relay_far)
		channel_close(&k.relay_far);
}

static unsigned number_of(const trace_id *id)
{
	return (unsigned)id->b[0] | (unsigned)id->b[1] << 8;
}

static void note_send(const struct queue_relay_send *m)
{
	unsigned n = number_of(&m->delivery) % SEEN;
	world.sends++;
	world.recipients += (int)m->recipients.n;
	snprintf(world.last_destination, sizeof world.last_destination, "%.*s", STR_ARG(m->destination));
	world.last_route = m->route;
	world.last_sender_n = m->sender.n;
	world.last_flags = m->flags;
	if (world.seen[n] == 0)
		world.seen[n] = world.sends;
	if (++world.at_once > world.at_once_most)
		world.at_once_most = world.at_once;
}

static result answer_all(struct arrival *in, const struct queue_relay_send *m, struct queue_relay_sent *answer)
{
	struct queue_relay_outcome *o = arena_array(in->arena, m->recipients.n, sizeof *o);
	bool odd = number_of(&m->delivery) & 1;
	if (!o)
		return arena_result(in->arena);
	for (size_t i = 0; i < m->recipients.n; i++) {
		bool fails = world.manner == FAILS || (world.manner == FAILS_ODD && odd);
		o[i].verdict = fails ? QUEUE_RELAY_VERDICT_FAILED : QUEUE_RELAY_VERDICT_DELIVERED;
		if (world.manner == RELAYS)
			o[i].verdict = QUEUE_RELAY_VERDICT_RELAYED;
		if (world.manner == LATER || world.manner == UNREACHED)
			o[i].verdict = QUEUE_RELAY_VERDICT_LATER;
		o[i].code = fails ? 550 : 250;
		o[i].status = fails ? world.no_suppression ? STR("5.7.1") : STR("5.1.1") : STR("2.0.0");
		o[i].text = STR("as the test says");
	}
	static const struct queue_relay_tls_outcome tls[] = {
		{.policy_type = STR_INIT("sts"), .policy_domain = STR_INIT("one.test"), .host = STR_INIT("mx.test")},
		{.policy_type = STR_INIT("sts"), .policy_domain = STR_INIT("one.test"),
			.result = STR_INIT("certificate-expired")},
		{.policy_type = STR_INIT("sts"), .policy_domain = STR_INIT("two.test")}};
	*answer = (struct queue_relay_sent){.tls = {.p = tls, .n = world.tls}, .reached = world.manner != UNREACHED,
		.slow_down = world.slow_down,
		.host = STR("mx.test"), .outcomes = {.p = o, .n = m->recipients.n}};
	return OK;
}

static result on_send(struct arrival *in, struct queue_relay_send *m, struct queue_relay_sent *answer)
{
	note_send(m);
	assert_true(m->sealed.bytes.n > 0);
	assert_true(m->recipients.n <= QUEUE_TOGETHER);
	if (world.manner == SLOWLY && failed(gate_wait(&world.go, FIBER_FOREVER)))
		return failure(FAIL_CANCELLED, "cancelled");
	world.at_once--;
	if ((world.manner == DIES_OF_ONE && m->delivery.b[0] == world.poison) || world.stopping) {
		assert_ok(fiber_start(relay_dies, NULL, "death", NULL));
		return fiber_sleep(1000);
	}
	return answer_all(in, m, answer);
}

static result on_report(struct arrival *in, struct queue_relay_report *m, struct queue_relay_reported *answer)
{
	(void)in;
	if (world.report_fails)
		return failure(FAIL_BUSY, "not now");
	world.reports++;
	world.last_rows = m->rows.n;
	world.last_action = m->rows.p[0].action;
	assert_true((m->sealed.bytes.n > 0) == !world.spoilt);
	*answer = (struct queue_relay_reported){.size = 99, .wrapped = STR("wrapped"),
		.sealed = body_of(world.report_octets ? str_of(k.large, world.report_octets) : STR("report"))};
	return OK;
}

static result on_tls_report(struct arrival *in, struct queue_relay_tls_report *m,
	struct queue_relay_tls_reported *answer)
{
	static const str to = STR_INIT("tls@reports.test");
	(void)in;
	if (world.report_fails)
		return failure(FAIL_BUSY, "not now");
	if (world.tls_reports++ == 0 && world.tls_slow_ms > 0)
		TRY(fiber_sleep(world.tls_slow_ms));
	world.last_rows = m->rows.n;
	world.last_until = m->until;
	answer->wanted = !world.tls_unwanted;
	if (!answer->wanted)
		return OK;
	answer->mail.p = &to;
	answer->mail.n = 1;
	answer->size = 50;
	answer->flags = MAIL_REPORT | MAIL_TLS_OPTIONAL;
	answer->wrapped = STR("wrapped");
	answer->sealed = body_of(STR("tls report"));
	return OK;
}

static const struct queue_relay_as_relay relay_handlers = {.send = on_send, .report = on_report,
	.tls_report = on_tls_report};

static result relay(struct channel **out)
{
	int ends[2];
	if (world.relay_absent)
		return failure(FAIL_BUSY, "no relay");
	if (!k.relay) {
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "relay 0"}, far = {.fd = ends[1], .peer = "queue 0"};
		assert_ok(queue_relay_open_as_queue(&near, NULL, &k.relay));
		assert_ok(queue_relay_open_as_relay(&far, &relay_handlers, &k.relay_far));
	}
	*out = k.relay;
	return OK;
}

/* ---- auth ---- */

static result on_route(struct arrival *in, struct queue_auth_route *m, struct queue_auth_route_is *answer)
{
	(void)in;
	(void)m;
	world.routes_asked++;
	answer->route = world.route;
	answer->table = world.table;
	return OK;
}

static result on_reader(struct arrival *in, struct queue_auth_reader *m, struct queue_auth_reader_is *answer)
{
	uint64_t *account = arena_alloc(in->arena, sizeof *account);
	str *outside = arena_alloc(in->arena, sizeof *outside);
	(void)m;
	assert_true(account && outside);
	*account = world.reader_account;
	*outside = str_from(world.reader_outside);
	answer->accounts.p = account;
	answer->accounts.n = *account > 0;
	answer->outside.p = outside;
	answer->outside.n = outside->n > 0;
	return OK;
}

static const struct queue_auth_as_auth auth_handlers = {.route = on_route, .reader = on_reader};

static result auth(struct channel **out)
{
	int ends[2];
	if (world.auth_absent)
		return failure(FAIL_ABSENT, "no auth");
	if (world.auth_dead)
		return failure(FAIL_BUSY, "auth does not start");
	if (!k.auth) {
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "auth 0"}, far = {.fd = ends[1], .peer = "queue 0"};
		assert_ok(queue_auth_open_as_queue(&near, NULL, &k.auth));
		assert_ok(queue_auth_open_as_auth(&far, &auth_handlers, &k.auth_far));
	}
	*out = k.auth;
	return OK;
}

/* ---- the accounts ---- */

static result on_sealed(struct arrival *in, struct courier_account_deliver_sealed *m,
	struct courier_account_delivered *answer)
{
	(void)m;
	answer->verdict
		= world.account_unable ? COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE : COURIER_ACCOUNT_DELIVER_VERDICT_KEPT;
	answer->text = world.account_unable ? STR("the disk is full") : (str){0};
	world.kept[(uintptr_t)in->ctx] += !world.account_unable;
	return OK;
}

static const struct courier_account_as_account account_handlers = {.deliver_sealed = on_sealed};

static result account(uint64_t n, struct channel **out)
{
	int ends[2];
	if (!k.account[n]) {
		void *ctx = (void *)(uintptr_t)n;
		assert_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "account", .ctx = ctx};
		struct channel_options far = {.fd = ends[1], .peer = "queue", .ctx = ctx};
		assert_ok(courier_account_open_as_courier(&near, NULL, &k.account[n]));
		assert_ok(courier_account_open_as_account(&far, &account_handlers, &k.account_far[n]));
	}
	*out = k.account[n];
	return OK;
}

static void give_up(result why)
{
	assert_int_equal(why.kind, FAIL_DISK);
	world.given_up++;
}

static const struct queue_world stand_ins = {.account = account, .relay = relay, .auth = auth, .give_up = give_up};

/* ---- life ---- */

static void count_event(void *ctx, str record)
{
	(void)ctx;
	world.events[(unsigned char)record.p[0] | (unsigned)(unsigned char)record.p[1] << 8]++;
}

static void (*const loops[FIBERS])(struct queue *) = {
	queue_run, queue_run_outward, queue_run_alarms, queue_run_reports,
	tls_days_run, tls_days_tell};

static void run_loop(void *arg)
{
	loops[(uintptr_t)arg](&queue);
	k.running--;
}

struct side {
	const struct channel_kind *kind;
	const void *handlers;
	struct channel **out;
};

static void pair_up(struct side near, struct side far)
{
	int fds[2];
	assert_ok(net_pair(SOCK_SEQPACKET, fds));
	const struct channel_options n = {.fd = fds[0], .peer = "near"}, f = {.fd = fds[1], .peer = "far"};
	assert_ok(channel_open(&n, near.kind, near.handlers, near.out));
	assert_ok(channel_open(&f, far.kind, far.handlers, far.out));
}

void open_queue(void)
{
	static const unsigned char key[QUEUE_KEY] = "the queue's key";
	queue = (struct queue){.retry = {5000, SCHEDULE_WAIT_MOST}, .world = &stand_ins,
		.out = {.retry = {world.retry_ms ? world.retry_ms : 5 * MINUTE, 240 * MINUTE},
		.expire_ms = 5ull * 24 * 60 * MINUTE, .warn_ms = 240 * MINUTE,
			.suppress_ms = 30ull * 24 * 60 * MINUTE, .sessions = world.disk ? 100 : SESSIONS,
			.sessions_each = world.disk ? 20 : EACH}};
	assert_ok(queue_open(&queue, world.disk ? world.disk : sim_files(world.sim), key));
	pair_up((struct side){&edge_queue_as_edge_kind, NULL, &k.edge},
		(struct side){&edge_queue_as_queue_kind, &edge_handlers, &k.edge_far});
	pair_up((struct side){&web_queue_as_web_kind, NULL, &k.web},
		(struct side){&web_queue_as_queue_kind, &web_handlers, &k.web_far});
	for (uintptr_t i = 0; i < FIBERS; i++) {
		k.running++;
		assert_ok(fiber_start(run_loop, (void *)i, "loop", &k.fibers[i]));
	}
}

static void hang_up(struct channel **c)
{
	if (*c)
		channel_close(c);
}

void close_queue(void)
{
	for (int i = 0; i < FIBERS; i++)
		fiber_cancel(k.fibers[i]);
	relay_dies(NULL);
	settle();
	relay_dies(NULL);
	while (k.running > 0 || queue.couriers > 0 || queue.out.carriers > 0)
		fiber_yield();
	struct channel **all[] = {&k.edge, &k.edge_far, &k.web, &k.web_far, &k.auth, &k.auth_far, &k.relay, &k.relay_far};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		hang_up(all[i]);
	for (size_t n = 0; n < 8; n++) {
		hang_up(&k.account[n]);
		hang_up(&k.account_far[n]);
	}
	queue_close(&queue);
	world.at_once = 0;
}

static void run(void *arg)
{
	void (*const *test)(void) = arg;
	open_queue();
	(*test)();
	close_queue();
	loop_end();
}

void kit_run(void (*test)(void))
{
	memset(&world, 0, sizeof world);
	memset(&k, 0, sizeof k);
	world.sim = sim_new(1);
	k.large = mem_alloc(2 * QUEUE_INLINE);
	assert_non_null(k.large);
	gate_init(&world.go);
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
	sim_free(&world.sim);
	mem_free(k.large);
}

void kit_on_disk(uint64_t octets)
{
	static struct files_local here;
	here = files_local(AT_FDCWD);
	world.disk = &here.base;
	world.octets = octets;
	k.large = mem_alloc(2 * QUEUE_INLINE);
	assert_non_null(k.large);
	random_fill(k.large, 2 * QUEUE_INLINE);
	world.retry_ms = 2000;
	gate_init(&world.go);
	assert_ok(random_open());
}

static result nothing(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return OK;
}

void settle(void)
{
	const struct commit_job barrier = {.run = nothing};
	for (int quiet = 0; quiet < 5;) {
		int sends = world.sends, reports = world.reports, at_once = world.at_once;
		size_t under_way = queue.couriers + queue.out.carriers, commits = committer_commits(queue.store);
		assert_ok(committer_do(queue.store, &barrier));
		for (int i = 0; i < 20; i++)
			fiber_yield();
		bool same = sends == world.sends && reports == world.reports && at_once == world.at_once &&
			    under_way == queue.couriers + queue.out.carriers && commits == committer_commits(queue.store);
		quiet = same ? quiet + 1 : 0;
	}
}

void leap(uint64_t ms)
{
	clock_test_advance(ms);
	settle();
}

void pass(uint64_t ms)
{
	while (ms > 0) { /* in steps: what comes of a step may be due in the next */
		uint64_t step = ms < 10 * MINUTE ? ms : 10 * MINUTE;
		leap(step);
		ms -= step;
	}
}

/* ---- posts ---- */

static enum fail_kind send_post(struct edge_queue_post *m)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_queue_kept kept;
	m->received = clock_wall_s();
	m->hold_until = world.hold;
	m->deliver_by = world.by;
	m->by_return = world.by_return;
	m->routed = world.way > 0;
	m->wrapped = STR("wrapped");
	m->sealed = body_of(world.octets ? str_of(k.large, world.octets) : STR("sealed bytes"));
	return edge_queue_post_call(k.edge, NULL, m, &a, &kept).kind;
}

void post(unsigned char message, const char *sender, ...)
{
	struct edge_queue_recipient to[8];
	size_t n = 0;
	va_list args;
	va_start(args, sender);
	for (const char *r = va_arg(args, const char *); r; r = va_arg(args, const char *))
		to[n++] = (struct edge_queue_recipient){.address = str_from(r), .notify = world.notify,
			.delivered = world.delivered, .route = world.way};
	va_end(args);
	struct edge_queue_post m = {.delivery = {{message}}, .sender = str_from(sender), .recipients = {.p = to, .n = n}};
	assert_int_equal(send_post(&m), FAIL_NONE);
}

enum fail_kind post_result(unsigned char message, const char *recipient)
{
	struct edge_queue_recipient to = {.address = str_from(recipient)};
	struct edge_queue_post m = {.delivery = {{message}}, .sender = STR("a@example.org"), .recipients = {.p = &to,
		.n = 1}};
	return send_post(&m);
}

void post_as(uint64_t account_number, unsigned message, const char *sender, const char *recipient)
{
	struct edge_queue_recipient to = {.address = str_from(recipient)};
	struct edge_queue_post m = {.delivery = {{(unsigned char)message, (unsigned char)(message >> 8),
		(unsigned char)(message >> 16)}},
		.account = account_number, .sender = str_from(sender), .recipients = {.p = &to, .n = 1}};
	assert_int_equal(send_post(&m), FAIL_NONE);
}

void post_many(unsigned char message, unsigned n, const char *domain)
{
	struct edge_queue_recipient to[POST_MOST];
	char address[POST_MOST][40];
	assert_true(n <= POST_MOST);
	for (unsigned i = 0; i < n; i++) {
		snprintf(address[i], sizeof address[i], "r%u@%s", i, domain);
		to[i] = (struct edge_queue_recipient){.address = str_from(address[i])};
	}
	struct edge_queue_post m = {.delivery = {{message}}, .sender = STR("a@example.org"), .recipients = {.p = to,
		.n = n}};
	assert_int_equal(send_post(&m), FAIL_NONE);
}

/* ---- questions ---- */

uint64_t listed(const char *message, const char *sender, const char *destination)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_queue_items page;
	const struct web_queue_list m = {
		.message = str_from(message), .sender = str_from(sender), .destination = str_from(destination)};
	assert_ok(web_queue_list_call(k.web, NULL, &m, &a, &page));
	return page.total;
}

uint64_t queued(void)
{
	return listed("", "", "");
}

#define CHOOSE(NAME)                                                                                     \
	uint64_t choose_##NAME(const char *message, const char *sender, const char *destination)         \
	{                                                                                                \
		AUTO_ARENA arena a = arena_new(65536);                                                         \
		struct web_queue_done done;                                                              \
		const struct web_queue_##NAME m = {.message = str_from(message), .sender = str_from(sender), \
			.destination = str_from(destination)};                                           \
		assert_ok(web_queue_##NAME##_call(k.web, NULL, &m, &a, &done));                          \
		return done.items;                                                                       \
	}
CHOOSE(retry)
CHOOSE(hold)
CHOOSE(release)
CHOOSE(drop)

enum fail_kind lift(const char *address)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_queue_done done;
	return web_queue_lift_call(k.web, NULL, &(struct web_queue_lift){.address = str_from(address)}, &a, &done).kind;
}

static result count_files(void *ctx, str name)
{
	if (str_ends(name, STR(".body")))
		++*(int *)ctx;
	return OK;
}

int body_files(void)
{
	int n = 0;
	assert_ok(files_list(sim_files(world.sim), count_files, &n));
	return n;
}

uint64_t tell_tls(void)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_queue_done done;
	assert_ok(web_queue_tls_tell_call(k.web, NULL, &(struct web_queue_tls_tell){0}, &a, &done));
	return done.items;
}

uint64_t listed_tls(void)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_queue_tls_are page = {0};
	uint64_t sum = 0;
	for (str after = {0};; after = page.rows.p[page.rows.n - 1].report) {
		assert_ok(web_queue_tls_call(k.web, NULL, &(struct web_queue_tls){.after = after}, &a, &page));
		for (size_t i = 0; i < page.rows.n; i++)
			sum += page.rows.p[i].sessions;
		if (page.rows.n == 0)
			return sum;
	}
}
