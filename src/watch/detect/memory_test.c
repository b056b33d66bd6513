/* What the detectors remember when watch begins anew. */
#include "watch/detect/detect_kit.h"

#include <stdio.h>

#include "base/mem.h"
#include "engine/seal.h"
#include "run/clock.h"
#include "run/loop.h"
#include "run/random.h"
#include "run/worker.h"
#include "watch/ledger_kit.h"

static struct {
	struct ledger *ledger;
	struct scene scene;
} t;

static void begin(void)
{
	int64_t now = t.scene.now;
	t.ledger = ledger_kit_open();
	scene_open_with(&t.scene, t.ledger);
	if (now)
		t.scene.now = now;
}

static void end(void)
{
	scene_close(&t.scene);
	ledger_close(&t.ledger);
}

static struct person *person(uint64_t account)
{
	return hash_get_u64(&t.scene.detect->persons.table, account);
}

static bool comes_from(uint64_t account, const char *client)
{
	net_addr a;
	assert_ok(net_parse_ip(str_from(client), &a));
	return habits_comes_from(&t.scene.detect->habits, account, &a, t.scene.now / 1000);
}

static void habits_outlive(void *arg)
{
	(void)arg;
	begin();
	scene_habit(&t.scene, 1, "192.0.2.7");
	scene_habit(&t.scene, 2, "2001:db8:1:2:3::4");
	for (int i = 0; i < 7; i++) {
		SCENE(&t.scene, EV_POSTED, F_U64("account", 1), F_U64("recipients", 3), F_STR("client", STR("192.0.2.7")));
		scene_wait(&t.scene, DAY);
	}
	struct conduct before = person(1)->conduct;
	end();
	begin();
	assert_true(comes_from(1, "192.0.2.99"));
	assert_true(comes_from(2, "2001:db8:1:9::1"));
	assert_false(comes_from(2, "192.0.2.7"));
	before.place.network = person(1)->conduct.place.network; /* of the place only what a journey needs is kept */
	assert_memory_equal(&before, &person(1)->conduct, sizeof before);
	for (int i = 0; i < 200; i++) /* and what it remembers protects */
		scene_wrong(&t.scene, &(struct guess){.client = "192.0.2.7", .user = "bert@example.org", .account = 2,
			.names = 1});
	assert_int_equal(scene_count(&t.scene, MEASURE_BAN, NULL), 0);
	end();
}

static void also_what_was_forgotten(void *arg)
{
	(void)arg;
	begin();
	scene_login(&t.scene, 1, "192.0.2.7");
	for (unsigned i = 0; i <= HABITS_EACH; i++) {
		char client[32];
		snprintf(client, sizeof client, "10.%u.1.1", i);
		scene_login(&t.scene, 1, client);
	}
	end();
	begin();
	assert_false(comes_from(1, "192.0.2.7"));
	assert_true(comes_from(1, "10.5.1.1"));
	SCENE(&t.scene, EV_ADMIN, F_STR("act", STR("account erased")), F_U64("account", 1));
	end();
	begin();
	assert_int_equal(t.scene.detect->habits.pairs.n, 0);
	assert_null(person(1));
	end();
}

static void nothing_wakes_who_sees_nothing(void *arg)
{
	(void)arg;
	clock_test_hold(1000);
	worker_test_alone(true);
	begin();
	for (int i = 0; i < 3; i++) {
		scene_login(&t.scene, 1, i % 2 ? "192.0.2.7" : "10.1.1.1");
		assert_true(t.scene.detect->seen);
		while (t.scene.detect->seen)
			ledger_kit_pass(FLUSH_MS);
		for (int lulls = 0; lulls < 4; lulls++)
			ledger_kit_pass(COMMITTER_LULL_MS);
		assert_true(clock_left(fiber_test_due()) > DETECT_HOUR / 2);
	}
	end();
	worker_test_alone(false);
	clock_test_release();
}

static void test_nothing_wakes_who_sees_nothing(void **state)
{
	(void)state;
	ledger_kit_run(nothing_wakes_who_sees_nothing);
}

static void test_habits_outlive(void **state)
{
	(void)state;
	ledger_kit_run(habits_outlive);
}

static void test_also_what_was_forgotten(void **state)
{
	(void)state;
	ledger_kit_run(also_what_was_forgotten);
}

/* A conduct of another version, or a damaged one, is as if there were none. */
static void test_what_is_damaged_is_skipped(void **state)
{
	struct scene s;
	char octets[CONDUCT_MAX] = {1};
	(void)state;
	scene_open(&s);
	for (size_t n = 0; n < 64; n++) {
		persons_restore(&s.detect->persons, 1, str_of(octets, n));
		assert_null(hash_get_u64(&s.detect->persons.table, 1));
	}
	octets[0] = 2;
	persons_restore(&s.detect->persons, 1, str_of(octets, sizeof octets));
	assert_null(hash_get_u64(&s.detect->persons.table, 1));
	scene_close(&s);
}

/* What finds no room is not written, and counted. */
static void test_a_memo_has_a_ceiling(void **state)
{
	struct memo m = {.steps = buf_new(1000)};
	const struct memo_habit h = {.account = 1, .first = 2, .last = 3};
	(void)state;
	for (int i = 0; i < 100; i++)
		memo_put_habit(&m, &h);
	assert_in_range(m.steps.n, 950, 1000);
	assert_int_equal(m.lost, 100 - m.steps.n / (1 + 8 + 16 + 8 + 8));
	buf_free(&m.steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_habits_outlive, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_also_what_was_forgotten, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_nothing_wakes_who_sees_nothing, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test(test_what_is_damaged_is_skipped),
		cmocka_unit_test(test_a_memo_has_a_ceiling),
	};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
