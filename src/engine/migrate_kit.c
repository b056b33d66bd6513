#include "base/test.h"

#include "engine/files_sim.h"
#include "engine/migrate_kit.h"

static const unsigned char key[BOX_KEY] = {1}, id[BOX_ID] = {2};

/* The N-th operation of the first opening fails; false when it has fewer. */
static bool brought_forward(const struct migrate_from *m, uint32_t version, enum sim_fault fault, uint64_t n)
{
	struct sim *sim = sim_new(n);
	struct db_options o = {.files = sim_files(sim), .path = "kept.db", .key = key, .id = id, .schema = m->schema};
	struct db *db = NULL;
	assert_ok(db_open_at(&o, version, &db));
	assert_ok(db_exec(db, m->earlier[version - 1]));
	db_close(&db);
	sim_fault_at(sim, fault, n);
	if (!failed(db_open(&o, &db)))
		db_close(&db);
	bool hit = sim_steps(sim) >= n;
	sim_fault_at(sim, SIM_NONE, 0);
	if (fault == SIM_CRASH || fault == SIM_REFUSE)
		sim_crash(sim);
	assert_ok(db_open(&o, &db));
	assert_int_equal(db_version(db), m->schema->count);
	m->look(db);
	db_close(&db);
	sim_free(&sim);
	return hit && fault != SIM_NONE;
}

void migrate_all(const struct migrate_from *m)
{
	static const enum sim_fault faults[] = {SIM_NONE, SIM_REFUSE, SIM_FULL, SIM_CRASH};
	assert_ok(seal_start());
	assert_int_equal(m->earlier_n + 1, m->schema->count);
	for (uint32_t version = 1; version <= m->earlier_n; version++) {
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			uint64_t n = 1;
			while (brought_forward(m, version, faults[f], n))
				n++;
			assert_true(n > 3 || faults[f] == SIM_NONE);
		}
	}
}
