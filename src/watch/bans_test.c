#include <unistd.h>

#include "base/test.h"
#include "engine/seal.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"
#include "watch/bans.h"
#include "watch/ledger_kit.h"

/* ---- a watch's memory in a folder, and an edge's window ---- */

static struct {
	struct ledger *ledger;
	struct bans *bans;
	struct ban_window *window;
	net_cidr never;
} t;

static void open_bans(void)
{
	struct bans_options b = {.never = {.p = &t.never, .n = 1}};
	assert_ok(net_parse_cidr(STR("203.0.113.0/24"), &t.never));
	b.ledger = t.ledger = ledger_kit_open();
	assert_ok(ban_page_make(&b.page));
	int edge = dup(b.page);
	assert_ok(bans_open(&b, &t.bans));
	assert_ok(ban_window_open(edge, &t.window));
	close(edge);
}

static void close_bans(void)
{
	ban_window_close(&t.window);
	bans_close(&t.bans);
	ledger_close(&t.ledger);
}

static struct ban_wish wish(const char *network, int64_t for_ms)
{
	struct ban_wish w = {.row = {.grade = BAN_FULL, .until = for_ms ? clock_wall_ms() + for_ms : 0},
		.why = STR("a test"), .by = STR("brute-force")};
	assert_ok(net_parse_cidr(str_from(network), &w.row.network));
	return w;
}

static void set(const char *network, int64_t for_ms)
{
	const struct ban_wish w = wish(network, for_ms);
	assert_ok(bans_set(t.bans, &w));
}

/* What an edge sees, and what watch says, which is the same. */
static bool is_banned(const char *address)
{
	AUTO_ARENA arena m = arena_new(1 << 20);
	struct web_watch_ban_is is = {0};
	net_addr a;
	struct ban_row row;
	assert_ok(net_parse_ip(str_from(address), &a));
	bool seen = ban_window_find(t.window, &a, clock_wall_ms(), &row);
	assert_ok(bans_why(t.bans, str_from(address), &m, &is));
	assert_int_equal(is.rows.n > 0 && !is.never, seen);
	return seen;
}

/* ---- tests ---- */

static void keep_on_fiber(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_bans are = {0};
	(void)arg;
	open_bans();
	set("192.0.2.7", 0);
	set("198.51.100.0/24", 3600000);
	set("2001:db8::/48", 0);
	assert_true(is_banned("192.0.2.7") && is_banned("198.51.100.9") && is_banned("2001:db8::5"));
	assert_ok(bans_remove(t.bans, &(net_cidr){.ip = {0x20, 0x01, 0x0d, 0xb8}, .bits = 48}, STR("administrator")));
	assert_false(is_banned("2001:db8::5"));
	assert_ok(bans_settle(t.bans));
	close_bans();
	open_bans(); /* another watch, another page */
	assert_true(is_banned("192.0.2.7") && is_banned("198.51.100.9"));
	assert_false(is_banned("2001:db8::5") || is_banned("192.0.2.8"));
	assert_ok(bans_list(t.bans, STR(""), &a, &are));
	assert_int_equal(are.rows.n, 2);
	assert_str(are.rows.p[0].network, STR("192.0.2.7"));
	assert_str(are.rows.p[1].network, STR("198.51.100.0/24"));
	assert_str(are.rows.p[0].reason, STR("a test"));
	assert_str(are.rows.p[1].by, STR("brute-force"));
	assert_int_equal(are.rows.p[0].until, 0);
	close_bans();
	loop_end();
}

static void bans_outlive_their_watch(void **state)
{
	(void)state;
	ledger_kit_run(keep_on_fiber);
}

static void end_on_fiber(void *arg)
{
	(void)arg;
	clock_test_hold(1000000000);
	open_bans();
	set("192.0.2.7", 5000);
	assert_true(is_banned("192.0.2.7"));
	clock_test_advance(5000);
	assert_false(is_banned("192.0.2.7"));
	clock_test_advance(BANS_SWEEP_MS);
	fiber_yield(); /* the loop's alarm does not know of the time that was held */
	assert_ok(fiber_sleep(0));
	assert_int_equal(bans_count(t.bans), 0);
	close_bans();
	clock_test_release();
	loop_end();
}

static void a_ban_ends_by_its_time(void **state)
{
	(void)state;
	ledger_kit_run(end_on_fiber);
}

static void hand_on_fiber(void *arg)
{
	(void)arg;
	open_bans();
	struct ban_wish w = wish("192.0.2.0/24", 0);
	w.by_hand = true;
	assert_ok(bans_set(t.bans, &w));
	w.by_hand = false;
	w.row.grade = BAN_DELAY;
	assert_int_equal(bans_set(t.bans, &w).kind, FAIL_EXISTS);
	assert_true(is_banned("192.0.2.1"));
	w = wish("203.0.113.5", 0);
	assert_int_equal(bans_set(t.bans, &w).kind, FAIL_DENIED);
	w = wish("203.0.0.0/16", 0); /* wider: edges know who is never banned in it */
	assert_ok(bans_set(t.bans, &w));
	w = wish("192.0.2.9", 0);
	assert_int_equal(bans_remove(t.bans, &w.row.network, STR("x")).kind, FAIL_ABSENT);
	close_bans();
	loop_end();
}

static void an_administrators_word_stays_and_never_is_never(void **state)
{
	(void)state;
	ledger_kit_run(hand_on_fiber);
}

static void expect_row(const char *address, enum web_watch_ban_grade grade, int64_t until_ms)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_ban_is is = {0};
	assert_ok(bans_why(t.bans, str_from(address), &a, &is));
	assert_int_equal(is.rows.n, 1);
	assert_int_equal(is.rows.p[0].grade, grade);
	assert_int_equal(is.rows.p[0].until, (until_ms + 999) / 1000);
}

static void weaker_on_fiber(void *arg)
{
	(void)arg;
	open_bans();
	const struct ban_wish banned = wish("192.0.2.7", 3600000), longer = wish("192.0.2.7", 7200000);
	struct ban_wish w = wish("192.0.2.7", 10000000);
	assert_ok(bans_set(t.bans, &banned));
	w.row.grade = BAN_DELAY;
	assert_int_equal(bans_set(t.bans, &w).kind, FAIL_EXISTS);
	w = wish("192.0.2.7", 600000);
	assert_int_equal(bans_set(t.bans, &w).kind, FAIL_EXISTS);
	expect_row("192.0.2.7", WEB_WATCH_BAN_GRADE_BANNED, banned.row.until);
	assert_ok(bans_set(t.bans, &longer));
	expect_row("192.0.2.7", WEB_WATCH_BAN_GRADE_BANNED, longer.row.until);
	w.row.grade = BAN_DELAY;
	w.by_hand = true;
	assert_ok(bans_set(t.bans, &w));
	expect_row("192.0.2.7", WEB_WATCH_BAN_GRADE_DELAY, w.row.until);
	close_bans();
	loop_end();
}

/* A detector that begins to count anew does not let anybody out. */
static void a_detectors_ban_is_not_weakened_by_another(void **state)
{
	(void)state;
	ledger_kit_run(weaker_on_fiber);
}

static void why_on_fiber(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_ban_is is = {0};
	(void)arg;
	open_bans();
	set("192.0.2.7", 0);
	set("192.0.2.0/24", 0);
	set("192.0.0.0/16", 0);
	bans_refused(t.bans, STR("192.0.2.0/24"), 40);
	bans_refused(t.bans, STR("192.0.2.0/24"), 2);
	bans_refused(t.bans, STR("others"), 2);
	assert_ok(bans_why(t.bans, STR("192.0.2.7"), &a, &is));
	assert_int_equal(is.rows.n, 3);
	assert_str(is.rows.p[1].network, STR("192.0.2.0/24"));
	assert_int_equal(is.rows.p[1].refused, 42);
	assert_ok(bans_why(t.bans, STR("192.1.2.7"), &a, &is));
	assert_int_equal(is.rows.n, 0);
	assert_ok(bans_why(t.bans, STR("203.0.113.7"), &a, &is));
	assert_true(is.never);
	assert_int_equal(bans_why(t.bans, STR("nobody"), &a, &is).kind, FAIL_INPUT);
	close_bans();
	loop_end();
}

static void it_says_why(void **state)
{
	(void)state;
	ledger_kit_run(why_on_fiber);
}

/* Detectors' bans that end first make room; an administrator's stay. */
static void full_on_fiber(void *arg)
{
	(void)arg;
	open_bans();
	struct ban_wish w = wish("10.0.0.0", 3600000);
	for (uint32_t i = 0; i < BANS_ROWS + 10; i++) {
		w.row.network.ip[13] = (unsigned char)(i >> 16);
		w.row.network.ip[14] = (unsigned char)(i >> 8);
		w.row.network.ip[15] = (unsigned char)i;
		w.row.until += i == 0 ? 0 : 1000;
		w.by_hand = i == 0;
		assert_ok(bans_set(t.bans, &w));
	}
	assert_true(bans_count(t.bans) <= BANS_ROWS && bans_count(t.bans) >= BANS_ROWS - BANS_ROOM);
	assert_true(is_banned("10.0.0.0")); /* by hand */
	assert_false(is_banned("10.0.0.1"));
	assert_true(is_banned("10.0.128.9"));
	assert_ok(bans_settle(t.bans));
	close_bans();
	open_bans();
	assert_true(is_banned("10.0.0.0") && is_banned("10.0.128.9"));
	assert_false(is_banned("10.0.0.1"));
	close_bans();
	loop_end();
}

static void a_full_table_lets_go_of_what_ends_first(void **state)
{
	(void)state;
	ledger_kit_run(full_on_fiber);
}

/* As many as may wait for the disk, which has had no turn yet. */
static void busy_on_fiber(void *arg)
{
	(void)arg;
	open_bans();
	set("192.0.2.7", 0);
	assert_ok(bans_settle(t.bans));
	const struct ban_wish bad = wish("192.0.2.7", 0);
	struct ban_wish w = wish("198.51.100.7", 3600000);
	for (size_t i = 0; i < BANS_PENDING; i++) {
		w.row.until++;
		assert_ok(bans_set(t.bans, &w));
	}
	assert_int_equal(bans_remove(t.bans, &bad.row.network, STR("administrator")).kind, FAIL_LIMIT);
	assert_true(is_banned("192.0.2.7"));
	assert_ok(bans_settle(t.bans));
	assert_ok(bans_remove(t.bans, &bad.row.network, STR("administrator")));
	assert_false(is_banned("192.0.2.7"));
	close_bans();
	open_bans();
	assert_false(is_banned("192.0.2.7"));
	assert_true(is_banned("198.51.100.7"));
	close_bans();
	loop_end();
}

static void a_ban_is_not_removed_for_this_watch_alone(void **state)
{
	(void)state;
	ledger_kit_run(busy_on_fiber);
}

int main(void)
{
#define BANS_TEST(F) cmocka_unit_test_setup_teardown((F), ledger_kit_enter, ledger_kit_leave)
	const struct CMUnitTest tests[] = {
		BANS_TEST(bans_outlive_their_watch),
		BANS_TEST(a_ban_ends_by_its_time),
		BANS_TEST(an_administrators_word_stays_and_never_is_never),
		BANS_TEST(a_detectors_ban_is_not_weakened_by_another),
		BANS_TEST(it_says_why),
		BANS_TEST(a_full_table_lets_go_of_what_ends_first),
		BANS_TEST(a_ban_is_not_removed_for_this_watch_alone),
	};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests_name("bans", tests, NULL, NULL);
}
