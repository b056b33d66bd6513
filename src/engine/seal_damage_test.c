/* Damage to the sealed database: what was changed, cut, moved or torn is
 * noticed, and what was written before it is still served. Every test states
 * one promise of seal.h. */
#include "engine/query.h"
#include "engine/seal_kit.h"

static result open_salvage(struct sim *sim, struct db **out)
{
	struct db_options o = kit_options(sim);
	o.salvage = true;
	return db_open(&o, out);
}

/* Reads everything: damage is noticed, and where there is none (any more) all is well. */
static void expect_damage(struct sim *sim, bool noticed)
{
	struct db *db = NULL;
	int64_t sum;
	result r = kit_open(sim, &db);
	if (!failed(r))
		r = db_get(db, &sum, "SELECT sum(length(hex(body))) + sum(turn) FROM slot");
	if (!failed(r))
		r = db_check(db);
	if (noticed)
		assert_int_equal(r.kind, FAIL_DAMAGE);
	else
		assert_ok(r);
	db_close(&db);
}

static struct sim *closed_after(int64_t turns)
{
	struct sim *sim = sim_new(4);
	struct db *db;
	assert_ok(kit_open(sim, &db));
	for (int64_t turn = 1; turn <= turns; turn++)
		assert_ok(kit_turn(db, turn));
	db_close(&db);
	return sim;
}

static void a_changed_page_is_noticed(void **state)
{
	(void)state;
	struct sim *sim = closed_after(30);
	str file = sim_bytes(sim, "t.db");
	char *p = (char *)(uintptr_t)file.p, old[SEAL_PAGE];
	size_t pages = file.n / SEAL_PAGE;
	uint64_t rng = 5;
	unsigned met = 0;
	assert_true(pages > 20);
	for (size_t page = 0; page < pages; page++) {
		char *here = p + page * SEAL_PAGE, *there = p + (page + 1) % pages * SEAL_PAGE;
		struct db *db = NULL;
		int64_t is_free;
		memcpy(old, here, SEAL_PAGE);
		here[sim_random(&rng) % SEAL_PAGE] ^= (char)(1 << sim_random(&rng) % 8);
		result r = kit_open(sim, &db);
		if (!failed(r))
			r = db_check(db);
		met += r.kind == FAIL_DAMAGE;
		if (db && !failed(db_get(db, &is_free, "PRAGMA freelist_count")) && is_free == 0)
			assert_int_equal(r.kind, FAIL_DAMAGE);
		db_close(&db);
		memcpy(here, there, SEAL_PAGE); /* another page's place */
		if (r.kind == FAIL_DAMAGE)
			expect_damage(sim, true);
		memcpy(here, old, SEAL_PAGE);
	}
	assert_true(met > pages / 2);
	expect_damage(sim, false);
	memset(p + SEAL_PAGE * 3 + 512, 0, 1024); /* a torn page */
	expect_damage(sim, true);
	sim_free(&sim);
}

static void a_database_that_was_cut_is_noticed(void **state)
{
	(void)state;
	struct sim *sim = closed_after(30), *cut = sim_new(5);
	str whole = sim_bytes(sim, "t.db");
	static const size_t off[] = {1, 100, SEAL_PAGE, 3 * SEAL_PAGE, 0};
	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		sim_put(cut, "t.db", str_of(whole.p, off[i] ? whole.n - off[i] : 1000));
		sim_put(cut, "t.db-wal", sim_bytes(sim, "t.db-wal"));
		expect_damage(cut, true);
	}
	sim_free(&cut);
	sim_free(&sim);
}

/* Damage in any frame but the last transaction's is refused; salvage keeps what was before. */
static void damage_inside_the_log_is_reported(void **state)
{
	(void)state;
	struct sim *left = kit_killed_after(8);
	size_t frames = kit_frames_in(sim_bytes(left, "t.db-wal"));
	unsigned refused = 0, dropped = 0;
	int64_t last, before = 0;
	for (size_t i = 0; i < frames; i++) {
		struct sim *sim = sim_new(i);
		struct db *db = NULL;
		kit_copy(left, sim);
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
		p[WAL_FRAMES_AT + i * WAL_FRAME + 100] ^= 4;
		result r = kit_open(sim, &db);
		if (failed(r)) {
			assert_int_equal(r.kind, FAIL_DAMAGE);
			assert_int_equal(dropped, 0); /* only the end can be dropped */
			refused++;
			assert_ok(open_salvage(sim, &db));
			kit_expect_turns(db, &last);
			assert_true(last >= before && last < 8);
			before = last;
		} else {
			dropped++;
			kit_expect_turns(db, &last);
			assert_int_equal(last, 7);
		}
		db_close(&db);
		sim_free(&sim);
	}
	assert_true(refused > 5 && dropped >= 1);
	sim_free(&left);
}

static void a_damaged_log_header_is_healed_or_reported(void **state)
{
	(void)state;
	for (int slots = 1; slots < 4; slots++) {
		struct sim *sim = kit_killed_after(3);
		struct db *db = NULL;
		int64_t last;
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
		for (int slot = 0; slot < 2; slot++)
			if (slots & 1 << slot)
				p[slot * WAL_SLOT_AT + 50] ^= 1;
		result r = kit_open(sim, &db);
		if (slots == 3) {
			assert_int_equal(r.kind, FAIL_DAMAGE);
		} else {
			assert_ok(r);
			kit_expect_turns(db, &last);
			assert_int_equal(last, 3);
		}
		db_close(&db);
		sim_free(&sim);
	}
}

/* Frames that were moved to another place, or come from the log's last start, do not count. */
static void moved_frames_do_not_open(void **state)
{
	(void)state;
	struct sim *sim = kit_killed_after(6);
	struct db *db = NULL;
	char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p + WAL_FRAMES_AT, frame[WAL_FRAME];
	memcpy(frame, p, WAL_FRAME);
	memcpy(p, p + WAL_FRAME, WAL_FRAME);
	memcpy(p + WAL_FRAME, frame, WAL_FRAME);
	assert_int_equal(kit_open(sim, &db).kind, FAIL_DAMAGE);
	sim_free(&sim);
}

static void flip_in_last_frame(struct sim *sim)
{
	str log = sim_bytes(sim, "t.db-wal");
	((char *)(uintptr_t)log.p)[WAL_FRAMES_AT + (kit_frames_in(log) - 1) * WAL_FRAME + 99] ^= 1;
}

/* Once a checkpoint has begun, even the last transaction's frames are known to be durable. */
static void a_log_that_was_carried_over_has_no_torn_end(void **state)
{
	(void)state;
	struct sim *sim = sim_new(6), *left = sim_new(7);
	struct db *db = kit_logged(sim, 4);
	assert_ok(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)"));
	kit_copy(sim, left);
	db_close(&db);
	flip_in_last_frame(left);
	assert_int_equal(kit_open(left, &db).kind, FAIL_DAMAGE);
	sim_free(&sim);
	sim_free(&left);
}

/* From the first page on that a checkpoint writes: stopped at each of its steps. */
static bool stopped_in_checkpoint(uint64_t step)
{
	struct sim *sim = sim_new(step), *left = sim_new(7);
	struct db *db = kit_logged(sim, 4);
	kit_copy(sim, left);
	sim_fault_at(sim, SIM_CRASH, step);
	bool done = !failed(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)")) && !sim_dead(sim);
	bool begun = !str_eq(sim_bytes(sim, "t.db"), sim_bytes(left, "t.db"));
	kit_copy(sim, left);
	sim_fault_at(sim, SIM_NONE, 0);
	db_close(&db);
	flip_in_last_frame(left);
	result r = kit_open(left, &db);
	if (begun)
		assert_int_equal(r.kind, FAIL_DAMAGE);
	db_close(&db);
	sim_free(&sim);
	sim_free(&left);
	return done;
}

static void a_checkpoint_that_began_is_known(void **state)
{
	(void)state;
	uint64_t step = 1;
	while (!stopped_in_checkpoint(step))
		step++;
	assert_true(step > 4);
}

/* A crash lost the copy of the new header, and the new header itself is damaged
 * later: the old log must not be served in its place. */
static void frames_of_a_lost_header_are_seen(void **state)
{
	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct sim *sim = sim_new(6), *left = sim_new(7);
		struct db *db;
		char old[WAL_SLOT];
		assert_ok(kit_open(sim, &db));
		assert_ok(kit_turn(db, 1));
		db_close(&db); /* which says in the header that the log is empty */
		assert_ok(kit_open(sim, &db));
		memcpy(old, sim_bytes(sim, "t.db-wal").p + lost * WAL_SLOT_AT, WAL_SLOT);
		assert_ok(kit_turn(db, 2));
		kit_copy(sim, left);
		db_close(&db);
		char *p = (char *)(uintptr_t)sim_bytes(left, "t.db-wal").p;
		memcpy(p + lost * WAL_SLOT_AT, old, WAL_SLOT);
		p[!lost * WAL_SLOT_AT + 30] ^= 1;
		assert_int_equal(kit_open(left, &db).kind, FAIL_DAMAGE);
		sim_free(&sim);
		sim_free(&left);
	}
}

/* Zeros in place of a frame are damage like any other. */
static void zeros_inside_the_log_are_reported(void **state)
{
	(void)state;
	struct sim *sim = kit_killed_after(8);
	struct db *db = NULL;
	int64_t last;
	char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
	memset(p + WAL_FRAMES_AT + 3 * WAL_FRAME, 0, 2 * WAL_FRAME);
	assert_int_equal(kit_open(sim, &db).kind, FAIL_DAMAGE);
	assert_ok(open_salvage(sim, &db));
	kit_expect_turns(db, &last);
	assert_true(last < 8);
	db_close(&db);
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_page_is_noticed),
		cmocka_unit_test(a_database_that_was_cut_is_noticed),
		cmocka_unit_test(damage_inside_the_log_is_reported),
		cmocka_unit_test(a_damaged_log_header_is_healed_or_reported),
		cmocka_unit_test(moved_frames_do_not_open),
		cmocka_unit_test(a_log_that_was_carried_over_has_no_torn_end),
		cmocka_unit_test(a_checkpoint_that_began_is_known),
		cmocka_unit_test(frames_of_a_lost_header_are_seen),
		cmocka_unit_test(zeros_inside_the_log_are_reported),
	};
	return cmocka_run_group_tests_name("seal_damage", tests, kit_start, NULL);
}
