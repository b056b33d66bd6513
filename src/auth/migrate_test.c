/* A directory of each earlier version, in that version's own words, is brought forward. */
#include "base/test.h"

#include "auth/directory_core.h"
#include "engine/files_sim.h"
#include "engine/query.h"

static const char *const earlier[] = {
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO address (id, key, domain) VALUES (3, 'anna@example.test', 1), (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO forward_key (key, made) VALUES (x'00', 1);",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO mark_key (key) VALUES (x'00');",
	"INSERT INTO domain (id, name) VALUES (1, 'example.test');"
	"INSERT INTO address (id, key, domain) VALUES (3, 'anna@example.test', 1), (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);"
	"INSERT INTO salt_key (key) VALUES (x'00');",
	"INSERT INTO domain (id, name, signs) VALUES (1, 'example.test', 1);"
	"INSERT INTO account (id, name, hash, quota, admin, disabled, created, state) VALUES (1, '', '-', 0, 0, 0, 5, 1);"
	"INSERT INTO address (id, key, domain, account) VALUES (3, 'anna@example.test', 1, 1);"
	"INSERT INTO address (id, key, domain) VALUES (4, 'all@example.test', 1);"
	"INSERT INTO target (alias, target) VALUES (4, 3);",
};
enum { EARLIER = sizeof earlier / sizeof *earlier };

static const unsigned char key[DIRECTORY_KEY] = {1}, id[BOX_ID] = "directory";

static void look(struct db *db)
{
	int64_t n;
	assert_ok(db_get(db, &n, "SELECT count(*) FROM address JOIN target ON target.alias = address.id"
		" WHERE key = 'all@example.test'"));
	assert_int_equal(n, 1);
	assert_ok(db_get(db, &n, "SELECT (SELECT count(*) FROM outside) + (SELECT count(*) FROM route)"
		" + (SELECT count(*) FROM dkim_key) + (SELECT count(*) FROM app_password)"
		" + (SELECT sum(second_factor) FROM domain) + (SELECT count(*) FROM rule)"));
	assert_int_equal(n, 0);
	assert_ok(db_get(db, &n, "SELECT count(*) FROM domain WHERE signs"));
	assert_int_equal(n, 1);
}

/* The N-th operation of the first opening fails; the next one finds what was there. */
static bool brought_forward(uint32_t version, enum sim_fault fault, uint64_t n)
{
	struct sim *sim = sim_new(n);
	struct db_options o = {
		.files = sim_files(sim), .path = "directory.db", .key = key, .id = id, .schema = &directory_schema};
	struct db *db = NULL;
	assert_ok(db_open_at(&o, version, &db));
	assert_ok(db_exec(db, earlier[version - 1]));
	db_close(&db);
	sim_fault_at(sim, fault, n);
	if (!failed(db_open(&o, &db)))
		db_close(&db);
	bool hit = sim_steps(sim) >= n;
	sim_fault_at(sim, SIM_NONE, 0);
	if (fault == SIM_CRASH || fault == SIM_REFUSE)
		sim_crash(sim);
	assert_ok(db_open(&o, &db));
	assert_int_equal(db_version(db), directory_schema.count);
	look(db);
	db_close(&db);
	sim_free(&sim);
	return hit && fault != SIM_NONE;
}

static void a_directory_of_each_version_is_brought_forward(void **state)
{
	static const enum sim_fault faults[] = {SIM_NONE, SIM_REFUSE, SIM_FULL, SIM_CRASH};
	(void)state;
	assert_ok(seal_start());
	for (uint32_t version = 1; version <= EARLIER; version++) {
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			uint64_t n = 1;
			while (brought_forward(version, faults[f], n))
				n++;
			assert_true(n > 3 || faults[f] == SIM_NONE);
		}
	}
}

static void no_version_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(EARLIER + 1, directory_schema.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_of_each_version_is_brought_forward),
		cmocka_unit_test(no_version_is_forgotten),
	};
	return cmocka_run_group_tests_name("directory migrations", tests, NULL, NULL);
}
