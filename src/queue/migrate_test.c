#include "base/test.h"
#include "engine/files_sim.h"
#include "engine/query.h"
#include "queue/items.h"

/* A queue that each earlier version left behind, in that version's own words. */
struct earlier {
	uint32_t version;
	const char *sql;
};

static const struct earlier earlier[] = {
	{1, "INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	    " next, why) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78');"
	    "INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');"},
	{2, "INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	    " next, why, notify) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78', 0);"
	    "INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');"},
	{3, "INSERT INTO item (id, delivery, account, sender, recipient, size, octets, state, attempts, deaths, kept,"
	    " next, why, notify, hold) VALUES (7, x'01', 3, x'61', x'62', 5, 9, 0, 2, 1, 1000, 2000, x'78', 0, 0);"
	    "INSERT INTO content (item, wrapped, body, sealed) VALUES (7, x'aa', NULL, x'bb');"
	    "INSERT INTO suppressed VALUES (x'424042', 3, 1, 2, x'', x''), (x'624062', 3, 1, 2, x'', x'');"},
};

static const unsigned char key[BOX_KEY] = {1}, id[BOX_ID] = {2};

static void look(struct db *db)
{
	int64_t n;
	assert_ok(db_get(db, &n, "SELECT attempts FROM item WHERE id = 7"));
	assert_int_equal(n, 2);
	assert_ok(db_get(db, &n, "SELECT notify + ret + length(envid) + length(orcpt) FROM item WHERE id = 7"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT seq FROM sqlite_sequence WHERE name = 'item'"));
	assert_int_equal(n, 7);
	assert_ok(db_get(db, &n, "SELECT value FROM known WHERE name = 'routes'"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM suppressed WHERE address <> x'624062'"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM content WHERE item = 7 AND sealed = x'bb'"));
	assert_int_equal(n, 1);
}

/* The N-th operation of the first opening fails; the next one finds what waited. */
static bool brought_forward(const struct earlier *e, enum sim_fault fault, uint64_t n)
{
	struct sim *sim = sim_new(n);
	struct db_options o = {
		.files = sim_files(sim), .path = "queue.db", .key = key, .id = id, .schema = &items_schema};
	struct db *db = NULL;
	assert_ok(db_open_at(&o, e->version, &db));
	assert_ok(db_exec(db, e->sql));
	db_close(&db);
	sim_fault_at(sim, fault, n);
	if (!failed(db_open(&o, &db)))
		db_close(&db);
	bool hit = sim_steps(sim) >= n;
	sim_fault_at(sim, SIM_NONE, 0);
	if (fault == SIM_CRASH || fault == SIM_REFUSE)
		sim_crash(sim);
	assert_ok(db_open(&o, &db));
	assert_int_equal(db_version(db), items_schema.count);
	look(db);
	db_close(&db);
	sim_free(&sim);
	return hit && fault != SIM_NONE;
}

static void a_queue_of_each_version_is_brought_forward(void **state)
{
	static const enum sim_fault faults[] = {SIM_NONE, SIM_REFUSE, SIM_FULL, SIM_CRASH};
	(void)state;
	assert_ok(seal_start());
	for (size_t i = 0; i < sizeof earlier / sizeof *earlier; i++) {
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			uint64_t n = 1;
			while (brought_forward(&earlier[i], faults[f], n))
				n++;
			assert_true(n > 3 || faults[f] == SIM_NONE);
		}
	}
}

static void no_version_is_forgotten(void **state)
{
	(void)state;
	for (uint32_t i = 0; i + 1 < items_schema.count; i++)
		assert_int_equal(earlier[i].version, i + 1);
	assert_int_equal(sizeof earlier / sizeof *earlier + 1, items_schema.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_of_each_version_is_brought_forward),
		cmocka_unit_test(no_version_is_forgotten),
	};
	return cmocka_run_group_tests_name("queue migrations", tests, NULL, NULL);
}
