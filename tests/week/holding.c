/* The queue's real parts, over a disk of its own, with the accounts of this house. */
#include "world.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "queue/doors.h"
#include "queue/items.h"
#include "run/clock.h"
#include "run/net.h"
#include "talk/courier_account.h"

/* ACCOUNT_ID: of the first account, as other rooms call it. */
enum { ACCOUNT_ID = 1, RETRY = 60 * SECOND, NUMBER = 8, WELL = 3 * HOUR, LATE = HOUR + 10 * MINUTE,
	EXPIRE = 2 * DAY, LOOPS = 5 };

static struct {
	struct channel *edge, *edge_far, *web, *web_far;
	struct fiber *fibers[LOOPS];
	unsigned running;
	bool ending, open;
	uint64_t *seen; /* by letter: the audit that saw it last */
	size_t seen_n;
	uint64_t audits, moves;
} holding;

/* ---- the accounts, as the queue meets them ---- */

static void cut(void *arg)
{
	holding_cut(arg);
}

static uint32_t number_of(str sealed)
{
	uint64_t number;
	expect(sealed.n >= NUMBER && str_to_u64(str_sub(sealed, 0, NUMBER), &number) && number < week.letters_n,
		"the queue brings what it was not given");
	return (uint32_t)number;
}

static void expect_whole(uint32_t letter, str sealed)
{
	AUTO_ARENA arena m = arena_new(4 << 20);
	expect(str_eq(str_skip(sealed, NUMBER), letter_make(letter, &m).body), "the queue changed letter %u", letter);
}

static result on_sealed(struct arrival *in, struct courier_account_deliver_sealed *m,
	struct courier_account_delivered *answer)
{
	struct account *a = in->ctx;
	uint32_t letter = number_of(m->sealed.bytes);
	expect(week.letters[letter].account == a->number, "letter %u is for somebody else", letter);
	expect_whole(letter, m->sealed.bytes);
	holding.moves++;
	result r = account_take(a, letter);
	holding.moves++;
	if (r.kind == FAIL_CLOSED) { /* no answer comes */
		week.count.deaths++;
		expect_ok(fiber_start(cut, a, "end", NULL));
		return fiber_sleep(SECOND);
	}
	answer->verdict = COURIER_ACCOUNT_DELIVER_VERDICT_KEPT;
	if (!failed(r))
		return OK;
	answer->verdict = COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE;
	answer->text = str_from(r.text);
	return OK;
}

static const struct courier_account_as_account account_handlers = {.deliver_sealed = on_sealed};

static result reach(uint64_t number, struct channel **out)
{
	struct account *a = &week.accounts[number - ACCOUNT_ID];
	int ends[2];
	holding.moves++;
	if (!a->store || a->ending || a->away)
		return failure(FAIL_BUSY, "the account does not start");
	if (!a->near) {
		expect_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "account", .ctx = a};
		struct channel_options far = {.fd = ends[1], .peer = "queue", .ctx = a};
		expect_ok(courier_account_open_as_courier(&near, NULL, &a->near));
		expect_ok(courier_account_open_as_account(&far, &account_handlers, &a->far));
	}
	*out = a->near;
	return OK;
}

void holding_cut(struct account *a)
{
	if (a->near)
		channel_close(&a->near);
	if (a->far)
		channel_close(&a->far);
}

static void give_up(result why)
{
	say("queue: gives up: %s", why.text);
	holding.ending = true;
}

static const struct queue_world world = {.account = reach, .relay = world_relay, .auth = world_auth,
	.give_up = give_up};

/* ---- life ---- */

static void (*const loops[LOOPS])(struct queue *q) = {queue_run, queue_run_outward, queue_run_alarms, queue_run_reports,
	tls_days_run};

static void run_loop(void *arg)
{
	loops[(uintptr_t)arg](&queue);
	holding.running--;
}

struct channel *holding_edge(void)
{
	return holding.edge;
}

static void open_doors(void)
{
	int ends[2];
	expect_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options e = {.fd = ends[0], .peer = "queue 0"}, ef = {.fd = ends[1], .peer = "edge-mx 0"};
	expect_ok(edge_queue_open_as_edge(&e, NULL, &holding.edge));
	expect_ok(edge_queue_open_as_queue(&ef, &edge_handlers, &holding.edge_far));
	expect_ok(net_pair(SOCK_SEQPACKET, ends));
	struct channel_options w = {.fd = ends[0], .peer = "queue 0"}, wf = {.fd = ends[1], .peer = "web 0"};
	expect_ok(web_queue_open_as_web(&w, NULL, &holding.web));
	expect_ok(web_queue_open_as_queue(&wf, &web_handlers, &holding.web_far));
}

void holding_open(struct sim *sim)
{
	static const unsigned char key[QUEUE_KEY] = "the queue's key";
	queue = (struct queue){.retry = {RETRY, SCHEDULE_WAIT_MOST}, .world = &world,
		.out = {.retry = {5 * MINUTE, 4 * HOUR}, .expire_ms = EXPIRE, .warn_ms = 4 * HOUR, .suppress_ms = 30ull * DAY,
			.sessions = 12, .sessions_each = 4}};
	expect_ok(queue_open(&queue, sim_files(sim), key));
	open_doors();
	holding.ending = false;
	holding.open = true;
	world_open();
	for (uintptr_t i = 0; i < LOOPS; i++, holding.running++)
		expect_ok(fiber_start(run_loop, (void *)i, "queue", &holding.fibers[i]));
}

/* A courier that cannot write down what became of its item tries again after a while. */
void holding_close(void)
{
	struct channel **all[] = {&holding.edge, &holding.edge_far, &holding.web, &holding.web_far};
	if (!holding.open)
		return;
	holding.open = false;
	for (size_t i = 0; i < LOOPS; i++)
		fiber_cancel(holding.fibers[i]);
	world_close();
	for (size_t i = 0; i < ACCOUNTS; i++)
		holding_cut(&week.accounts[i]);
	for (uint64_t turns = 1; holding.running || queue.couriers > 0 || queue.out.carriers > 0; turns++) {
		fiber_yield();
		if (turns % 100 == 0)
			clock_test_advance(QUEUE_DISK_MS);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		channel_close(all[i]);
	queue_close(&queue);
}

bool holding_ending(void)
{
	return holding.ending;
}

uint64_t holding_moves(void)
{
	return holding.moves + world_moves() + queue.out.carriers * 104729 + queue.couriers * 1000003 +
		committer_commits(queue.store) * 7919;
}

/* ---- asked ---- */

result holding_keep(uint32_t letter, uint32_t deaths)
{
	AUTO_ARENA arena m = arena_new(8 << 20);
	AUTO_BUF buf sealed = buf_new(4 << 20);
	struct edge_queue_kept is;
	struct letter content = letter_make(letter, &m);
	struct letter_row *l = &week.letters[letter];
	buf_printf(&sealed, "%08u", letter);
	buf_put(&sealed, content.body);
	expect_ok(buf_result(&sealed));
	struct edge_queue_keep what = {.delivery = l->id, .account = l->account + ACCOUNT_ID,
		.sender = STR("a@example.org"), .recipient = STR("b@example.test"),
		.size = content.body.n, .deaths = deaths, .wrapped = STR("wrapped"),
		.sealed = body_of(buf_str(&sealed))};
	l->held = true; /* also when no answer comes it may be */
	result r = edge_queue_keep_call(holding.edge, NULL, &what, &m, &is);
	say("queue: keep letter %u: %s", letter, fail_name(r.kind));
	if (failed(r))
		return failure(r.kind, "the queue took no copy");
	l->owed = true;
	week.count.held++;
	return OK;
}

static uint32_t letter_of(const struct web_queue_item_row *row)
{
	const struct letter_row *l = week.letters;
	for (uint32_t i = 0; i < week.letters_n; i++)
		if (memcmp(&l[i].id, &row->delivery, sizeof row->delivery) == 0 && l[i].account + ACCOUNT_ID == row->account &&
			!l[i].drafted)
			return i;
	wrong("the queue holds item %llu, which nobody gave it", (unsigned long long)row->item);
}

static void administrate(const struct web_queue_item_row *row, bool all)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_queue_done done;
	const struct web_queue_release again = {.item = row->item};
	if (row->account == 0 && row->state == WEB_QUEUE_ITEM_STATE_QUARANTINE)
		(void)!failed(web_queue_release_call(holding.web, NULL, &again, &a, &done));
	if (row->account == 0)
		return;
	struct letter_row *l = &week.letters[letter_of(row)];
	if (row->state != WEB_QUEUE_ITEM_STATE_QUARANTINE || (!all && chance(3)))
		return;
	bool release = all || !chance(3);
	l->heavy = false; /* what the account died of has been mended */
	const struct web_queue_release go = {.item = row->item};
	const struct web_queue_drop no = {.item = row->item};
	result r = release ? web_queue_release_call(holding.web, NULL, &go, &a, &done)
		: web_queue_drop_call(holding.web, NULL, &no, &a, &done);
	say("queue: %s letter %u: %s", release ? "release" : "drop", letter_of(row), fail_name(r.kind));
	if (!release && r.kind != FAIL_ABSENT)
		l->dropped = true; /* or perhaps, where no answer came */
}

/* Calls fn for each row; gives how many there are. */
static size_t walk(void (*fn)(const struct web_queue_item_row *row, bool all), bool all)
{
	size_t n = 0;
	for (uint64_t after = 0;;) {
		AUTO_ARENA arena a = arena_new(1 << 20);
		struct web_queue_items page;
		result r = web_queue_list_call(holding.web, NULL, &(struct web_queue_list){.after = after}, &a, &page);
		if (failed(r) && (holding.ending || sim_dead(week.disk)))
			return n;
		expect_ok(r);
		for (size_t i = 0; i < page.rows.n; i++)
			fn(&page.rows.p[i], all);
		if (page.rows.n == 0)
			return n;
		after = page.rows.p[page.rows.n - 1].item;
		n += page.rows.n;
	}
}

void holding_administrate(bool all)
{
	walk(administrate, all);
}

/* Once its time has come an item is tried, unless what it needs was out of order lately. */
static void expect_tried(const struct web_queue_item_row *row, uint32_t letter)
{
	const struct account *a = &week.accounts[row->account - ACCOUNT_ID];
	uint64_t now = week_now(), since = week.troubled > a->troubled ? week.troubled : a->troubled;
	if (row->state != WEB_QUEUE_ITEM_STATE_WAITING || a->full || !a->store || since > now || now - since < WELL)
		return;
	int64_t late = clock_wall_s() - row->next;
	expect(late < LATE / SECOND, "letter %u should have been tried again %lld s ago", letter, (long long)late);
}

static void see(const struct web_queue_item_row *row, bool all)
{
	(void)all;
	if (row->account == 0) {
		world_see(row);
		return;
	}
	uint32_t letter = letter_of(row);
	expect(week.letters[letter].held, "the queue holds letter %u, which it was not given", letter);
	expect(holding.seen[letter] != holding.audits, "the queue holds letter %u twice", letter);
	holding.seen[letter] = holding.audits;
	if (week.calm)
		say("queue: holds letter %u, state %d, %u attempts, %.*s", letter, (int)row->state, row->attempts,
			STR_ARG(row->why));
	week.letters[letter].owed = true; /* a report, from now on */
	expect_tried(row, letter);
}

size_t holding_audit(void)
{
	size_t n = week.letters_n;
	holding.seen = mem_grow(holding.seen, (n + 1) * sizeof *holding.seen);
	must(holding.seen);
	memset(holding.seen + holding.seen_n, 0, (n - holding.seen_n) * sizeof *holding.seen);
	holding.seen_n = n;
	holding.audits++;
	world_audit();
	return walk(see, false);
}

bool holding_has(uint32_t letter)
{
	return letter < holding.seen_n && holding.seen[letter] == holding.audits;
}
