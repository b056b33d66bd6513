#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"
#include "engine/seal.h"
#include "watch/keeper.h"
#include "watch/ledger_kit.h"
#include "watch/ledger_store.h"

static const struct origin edge = {.role = STR_INIT("edge-mx"), .number = 3};

/* ---- entries ---- */

static char record[LOG_RECORD_MAX];
static size_t record_n;

static void keep(void *ctx, str r)
{
	(void)ctx;
	memcpy(record, r.p, r.n);
	record_n = r.n;
}

static trace_id id_of(unsigned char first, unsigned char last)
{
	trace_id id = {{first, 0x11, 0x22, 0x33}};
	id.b[15] = last;
	return id;
}

static struct entry make_entry(trace_id id, str from, str to)
{
	log_set_sink(keep, NULL);
	log_event(EV_SMTP_ACCEPTED, &id, F_STR("from", from), F_STR("to", to), F_U64("size", 1));
	log_set_sink(NULL, NULL);
	return (struct entry){.at = 1000, .from = edge, .record = str_of(record, record_n)};
}

static void add(struct ledger *l, trace_id id, str from, str to)
{
	struct log_record r;
	struct entry e = make_entry(id, from, to);
	assert_true(log_read(e.record, &r));
	ledger_add(l, &e, &r);
}

static size_t count_found(struct ledger *l, str query, arena *a, struct web_watch_traces *out)
{
	*out = (struct web_watch_traces){0};
	assert_ok(ledger_find(l, query, a, out));
	return out->rows.n;
}

/* ---- finding ---- */

static void find_on_fiber(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_traces t;
	struct ledger *l = ledger_kit_open();
	(void)arg;
	add(l, id_of(0xaa, 1), STR("Anna@Example.org"), STR("bert@example.org"));
	add(l, id_of(0xaa, 2), STR("carl@example.org"), STR("bert@example.org"));
	add(l, id_of(0xff, 1), STR("carl@example.org"), STR("dora@example.org"));
	ledger_close(&l);
	l = ledger_kit_open(); /* it was kept */
	assert_int_equal(count_found(l, STR("anna@example.ORG"), &a, &t), 1);
	assert_str(t.rows.p[0].room, STR("edge-mx 3"));
	assert_str(t.rows.p[0].event, STR("smtp.accepted"));
	assert_str(t.rows.p[0].fields, STR("{\"from\":\"Anna@Example.org\",\"to\":\"bert@example.org\",\"size\":1}"));
	assert_int_equal(t.rows.p[0].at, 1000);
	assert_int_equal(count_found(l, STR("bert@example.org"), &a, &t), 2);
	assert_int_equal(t.rows.p[0].trace.b[15], 1); /* in order */
	assert_int_equal(t.rows.p[1].trace.b[15], 2);
	assert_int_equal(count_found(l, STR("nobody@example.org"), &a, &t), 0);
	assert_int_equal(count_found(l, STR("AA112233"), &a, &t), 2);
	assert_int_equal(count_found(l, STR("aa112233000000000000000000000002"), &a, &t), 1);
	assert_int_equal(count_found(l, STR("ff1122330000000000000000000000"), &a, &t), 1);
	assert_int_equal(count_found(l, STR("ff1122330000000000000000000002"), &a, &t), 0);
	assert_int_equal(ledger_find(l, STR("aa11223"), &a, &t).kind, FAIL_INPUT);
	assert_int_equal(ledger_find(l, STR("aa11223x"), &a, &t).kind, FAIL_INPUT);
	assert_int_equal(ledger_find(l, STR("aa1122330000000000000000000000020"), &a, &t).kind, FAIL_INPUT);
	ledger_close(&l);
}

static void test_stories_are_found(void **state)
{
	(void)state;
	ledger_kit_run(find_on_fiber);
}

static void many_on_fiber(void *arg)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	struct web_watch_traces t;
	struct ledger *l = ledger_kit_open();
	(void)arg;
	for (unsigned i = 0; i < LEDGER_FOUND_MAX + 12; i++)
		add(l, id_of(1, (unsigned char)i), STR("busy@example.org"), STR("busy@example.org"));
	ledger_close(&l);
	l = ledger_kit_open();
	assert_int_equal(count_found(l, STR("busy@example.org"), &a, &t), LEDGER_FOUND_MAX);
	assert_int_equal(t.more, 12);
	assert_int_equal(t.rows.p[LEDGER_FOUND_MAX - 1].trace.b[15], LEDGER_FOUND_MAX + 11); /* the latest */
	assert_int_equal(ledger_dropped(l), 0);
	ledger_close(&l);
}

static void test_the_latest_come_and_the_rest_is_counted(void **state)
{
	(void)state;
	ledger_kit_run(many_on_fiber);
}

/* ---- pressure ---- */

static void flood_on_fiber(void *arg)
{
	struct ledger *l = ledger_kit_open();
	static char long_text[3000];
	size_t n = LEDGER_PENDING_MAX / sizeof long_text + 100;
	(void)arg;
	memset(long_text, 'x', sizeof long_text);
	for (size_t i = 0; i < n; i++) /* without a pause: nothing can be committed meanwhile */
		add(l, id_of(1, 1), str_of(long_text, sizeof long_text), STR("a@b"));
	uint64_t lost = ledger_dropped(l);
	assert_true(lost > 0 && lost < n);
	assert_ok(fiber_sleep(3 * LEDGER_EVERY_MS));
	assert_int_equal(ledger_kept(l) + lost, n);
	add(l, id_of(1, 1), STR("a@b"), STR("a@b"));
	assert_int_equal(ledger_dropped(l), lost); /* there is room again */
	ledger_close(&l);
}

static void test_too_much_is_dropped_and_counted(void **state)
{
	(void)state;
	ledger_kit_run(flood_on_fiber);
}

/* ---- damage ---- */

static void damage_on_fiber(void *arg)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_traces t;
	struct ledger *l = ledger_kit_open();
	(void)arg;
	add(l, id_of(1, 1), STR("a@example.org"), STR("b@example.org"));
	ledger_close(&l);
	int fd = open("ledger.db", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "damage", 6, 100) == 6 && close(fd) == 0);
	l = ledger_kit_open();
	assert_int_equal(access("ledger.db.damaged", F_OK), 0);
	assert_int_equal(count_found(l, STR("a@example.org"), &a, &t), 0);
	ledger_close(&l);
}

static void test_a_damaged_ledger_is_set_aside(void **state)
{
	(void)state;
	ledger_kit_run(damage_on_fiber);
}

/* ---- forgetting, on the store's own calls ---- */

static struct db *open_db(void)
{
	static const unsigned char id[BOX_ID] = "postern-ledger";
	struct db_options o = {.files = &ledger_kit_files.base, .path = "ledger.db", .key = ledger_kit_key, .id = id,
		.schema = &ledger_schema};
	struct db *db = NULL;
	assert_ok(db_open(&o, &db));
	return db;
}

static void write_one(struct db *db, int64_t now, int64_t keep_ms, uint64_t octets_max)
{
	size_t cut = 0;
	struct mark mark = {.key = now, .lane = LANE_TRACE};
	struct ledger_batch b = {.entries = buf_new(4096), .cuts = &cut, .rows = 1, .marks = &mark, .n = 1, .count = 1};
	struct entry e = make_entry(id_of(1, 1), STR("a@b"), STR("c@d"));
	struct ledger_writing w = {.batch = &b, .now = now, .keep_ms = keep_ms, .octets_max = octets_max};
	entry_put(&b.entries, &e);
	assert_ok(db_begin(db));
	assert_ok(ledger_write(db, &w));
	assert_ok(db_commit(db));
	buf_free(&b.entries);
}

static int64_t rows_in(struct db *db, const char *sql)
{
	int64_t n = -1;
	assert_ok(db_get_args(db, &n, sql, DB_ARGS()));
	return n;
}

static void test_old_epochs_are_forgotten(void **state)
{
	(void)state;
	struct db *db = open_db();
	for (int64_t now = 1000; now <= 50000; now += 1000)
		write_one(db, now, 10000, 1 << 30);
	int64_t epochs = rows_in(db, "SELECT count(*) FROM epoch");
	int64_t oldest = rows_in(db, "SELECT min(key) FROM mark");
	assert_true(epochs > 1 && epochs < 20);
	assert_true(oldest >= 50000 - 10000 - 2000 && oldest <= 50000 - 10000);
	assert_int_equal(rows_in(db, "SELECT count(*) FROM mark"), rows_in(db, "SELECT count(*) FROM entries"));
	assert_int_equal(rows_in(db, "SELECT count(*) FROM mark WHERE row NOT IN (SELECT id FROM entries)"), 0);
	db_close(&db);
}

static void test_the_size_is_bounded(void **state)
{
	(void)state;
	struct db *db = open_db();
	for (int64_t now = 1000; now <= 20000; now += 1000)
		write_one(db, now, 1600, 1); /* a new epoch each time, no room for two */
	assert_true(rows_in(db, "SELECT count(*) FROM epoch") <= 2);
	db_close(&db);
}

/* ---- memory ---- */

/* That a further entry needs, which is then committed. */
static uint64_t allocations(struct ledger *l)
{
	uint64_t kept = ledger_kept(l);
	mem_fail_at(UINT64_MAX);
	add(l, id_of(0xaa, (unsigned char)kept), STR("anna@example.org"), STR("bert@example.org"));
	uint64_t n = mem_count();
	mem_fail_at(0);
	while (ledger_kept(l) == kept)
		ledger_kit_pass(LEDGER_EVERY_MS);
	return n;
}

static void lull_on_fiber(void *arg)
{
	struct ledger *l = ledger_kit_open();
	(void)arg;
	clock_test_hold(1000);
	for (int i = 0; i < 3; i++) {
		assert_true(allocations(l) > 0);
		assert_true(allocations(l) > 0); /* while one batch is written the other gathers */
		for (int again = 0; again < 4; again++)
			assert_int_equal(allocations(l), 0);
		ledger_kit_pass(KEEPER_LULL_MS);
	}
	ledger_close(&l);
	clock_test_release();
}

static void test_a_lull_gives_batches_back(void **state)
{
	(void)state;
	ledger_kit_run(lull_on_fiber);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stories_are_found, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_the_latest_come_and_the_rest_is_counted, ledger_kit_enter,
			ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_too_much_is_dropped_and_counted, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_a_damaged_ledger_is_set_aside, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_old_epochs_are_forgotten, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_the_size_is_bounded, ledger_kit_enter, ledger_kit_leave),
		cmocka_unit_test_setup_teardown(test_a_lull_gives_batches_back, ledger_kit_enter, ledger_kit_leave),
	};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
