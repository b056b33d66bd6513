/* The sealed database: what its files show, what a crash leaves, how the log
 * grows, what a full disk does. Every test states one promise of seal.h; what
 * damage does is in seal_damage_test.c. */
#include "engine/query.h"
#include "engine/seal_kit.h"
#include "engine/seal_run.h"

#include <sodium.h>
#include <stdlib.h>

static void what_was_committed_is_there_after_a_kill(void **state)
{
	(void)state;
	struct sim *sim = kit_killed_after(12);
	struct db *db;
	int64_t last;
	assert_ok(kit_open(sim, &db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, 12);
	db_close(&db);
	assert_ok(kit_open(sim, &db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, 12);
	db_close(&db);
	sim_free(&sim);
}

static bool opens_with(const struct box *box, enum box_kind kind, uint64_t number, str bytes)
{
	unsigned char unit[WAL_FRAME];
	memcpy(unit, bytes.p, bytes.n);
	struct box_name name = {kind, number, 0};
	return box_open(box, &name, unit, bytes.n);
}

static void nothing_can_be_read_without_the_key(void **state)
{
	(void)state;
	struct sim *sim = sim_new(3);
	struct db *db;
	unsigned char secret[6000];
	struct box right, wrong;
	memcpy(right.key, kit_key, BOX_KEY);
	memcpy(right.id, kit_id, BOX_ID);
	wrong = right;
	wrong.key[0] ^= 1;
	randombytes_buf(secret, sizeof secret);
	assert_ok(kit_open(sim, &db));
	str body = str_of((char *)secret, sizeof secret);
	for (int i = 0; i < 20; i++)
		assert_ok(db_run(db, "INSERT INTO slot VALUES (?1, 1, ?2)", DB_INT(i), DB_BLOB(body)));
	static const char *const names[] = {"t.db", "t.db-wal"};
	for (int f = 0; f < 2; f++) {
		str bytes = sim_bytes(sim, names[f]);
		assert_true(bytes.n > 20000);
		for (size_t at = 0; at + 16 <= sizeof secret; at += 16)
			assert_true(str_find(bytes, str_of((char *)secret + at, 16)) == STR_NONE);
		assert_true(str_find(bytes, STR("SQLite")) == STR_NONE && str_find(bytes, STR("slot")) == STR_NONE);
		for (size_t at = 0; f == 0 && at < bytes.n; at += SEAL_PAGE) {
			assert_true(opens_with(&right, BOX_PAGE, at / SEAL_PAGE + 1, str_sub(bytes, at, SEAL_PAGE)));
			assert_false(opens_with(&wrong, BOX_PAGE, at / SEAL_PAGE + 1, str_sub(bytes, at, SEAL_PAGE)));
		}
	}
	db_close(&db);
	struct db_options o = kit_options(sim);
	o.key = wrong.key;
	assert_int_equal(db_open(&o, &db).kind, FAIL_DAMAGE);
	o = kit_options(sim);
	o.id = (const unsigned char *)"another database";
	assert_int_equal(db_open(&o, &db).kind, FAIL_DAMAGE);
	sim_free(&sim);
}

/* Over several draws, and what was given out is gone from memory. */
static void no_nonce_comes_twice(void **state)
{
	(void)state;
	enum { UNITS = 3 * BOX_DRAWN + 5, SIZE = 64 };
	static unsigned char units[UNITS][SIZE];
	struct box box = {.left = 0};
	struct box_name name = {BOX_PAGE, 1, 0};
	memcpy(box.key, kit_key, BOX_KEY);
	for (size_t i = 0; i < UNITS; i++) {
		box_seal(&box, &name, units[i], SIZE);
		const unsigned char *nonce = units[i] + SIZE - BOX_SPARE;
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(nonce, units[k] + SIZE - BOX_SPARE, BOX_NONCE);
		for (size_t k = 0; k < BOX_DRAWN; k++)
			assert_memory_not_equal(nonce, box.drawn[k], BOX_NONCE);
	}
	for (size_t i = 0; i < UNITS; i++)
		assert_true(box_open(&box, &name, units[i], SIZE));
	box_wipe(&box);
}

/* A transaction larger than the cache goes to the log before its end; half of
 * them are rolled back, and what they left behind must not count. */
static void large_transactions_spill_and_roll_back(void **state)
{
	(void)state;
	struct sim *sim = sim_new(8), *left = sim_new(9);
	struct db *db;
	int64_t count, last;
	assert_ok(kit_open(sim, &db));
	assert_ok(db_exec(db, "PRAGMA cache_size=20;"
			      "CREATE TABLE big (n INTEGER PRIMARY KEY, body BLOB, round INTEGER)"));
	for (int round = 0; round < 6; round++) {
		assert_ok(db_begin(db));
		for (int n = 0; n < 200; n++)
			assert_ok(db_run(db, "INSERT OR REPLACE INTO big VALUES (?1 % 150, zeroblob(3000), ?2)",
				DB_INT(n), DB_INT(round)));
		if (round % 2)
			db_rollback(db);
		else
			assert_ok(db_commit(db));
		assert_ok(kit_turn(db, round + 1));
	}
	/* Frames of a transaction that was rolled back lie behind the end when a checkpoint begins. */
	assert_ok(db_begin(db));
	assert_ok(db_exec(db, "UPDATE big SET body = zeroblob(2999)"));
	db_rollback(db);
	assert_ok(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)"));
	kit_copy(sim, left);
	db_close(&db);
	assert_ok(kit_open(left, &db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, 6);
	assert_ok(db_get(db, &count, "SELECT count(*) FROM big WHERE round = 4"));
	assert_int_equal(count, 150);
	db_close(&db);
	sim_free(&sim);
	sim_free(&left);
}

static void the_log_does_not_grow(void **state)
{
	(void)state;
	struct sim *sim = sim_new(10);
	struct db *db;
	assert_ok(kit_open(sim, &db));
	for (int64_t turn = 1; turn <= 300; turn++)
		assert_ok(kit_turn(db, turn));
	assert_true(kit_room_in(sim_bytes(sim, "t.db-wal")) < 4 * 30);
	assert_ok(db_begin(db));
	for (int n = 0; n < 2000; n++)
		assert_ok(db_run(db, "INSERT INTO slot VALUES (?1, 0, zeroblob(4000))", DB_INT(n + 1000)));
	assert_ok(db_commit(db));
	assert_true(kit_room_in(sim_bytes(sim, "t.db-wal")) > SEAL_LOG_KEEP);
	assert_ok(db_exec(db, "DELETE FROM slot WHERE n >= 1000"));
	assert_ok(kit_turn(db, 301));
	assert_ok(kit_turn(db, 302));
	assert_true(kit_room_in(sim_bytes(sim, "t.db-wal")) <= SEAL_LOG_KEEP);
	db_close(&db);
	sim_free(&sim);
}

static struct db *open_with_long_log(struct sim *sim)
{
	struct db *db;
	struct db_options o = kit_options(sim);
	o.log_frames = 10000;
	assert_ok(db_open(&o, &db));
	return db;
}

static void write_neighbours(struct db *db, int from, int n)
{
	assert_ok(db_begin(db));
	for (int i = from; i < from + n; i++)
		assert_ok(db_run(db, "INSERT OR REPLACE INTO slot VALUES (?1, ?1, zeroblob(3500))", DB_INT(i)));
	assert_ok(db_commit(db));
}

/* A hundred new pages take far fewer writes; a refused one is made good by the next time, or the next start. */
static void neighbours_are_carried_over_together(void **state)
{
	(void)state;
	enum { ROWS = 100, WRITES_MAX = 3 * ROWS / SEAL_RUN_MAX };
	uint64_t most = 0;
	for (uint64_t refused = 0; refused <= most; refused++) {
		struct sim *sim = sim_new(refused);
		struct db *db = open_with_long_log(sim);
		write_neighbours(db, 0, ROWS);
		sim_fault_at(sim, refused % 2 ? SIM_FULL_ONCE : SIM_REFUSE, refused);
		result r = db_checkpoint(db);
		assert_int_equal(failed(r), refused > 0);
		if (refused == 0)
			most = sim_steps(sim);
		assert_in_range(most, ROWS / SEAL_RUN_MAX, WRITES_MAX);
		sim_fault_at(sim, SIM_NONE, 0);
		r = db_exec(db, "DELETE FROM slot WHERE n % 2"); /* refused after a flush that failed */
		if (!failed(r) && refused % 3 == 0)
			assert_ok(db_checkpoint(db));
		db_close(&db);
		db = open_with_long_log(sim);
		int64_t n;
		assert_ok(db_get(db, &n, "SELECT count(*) FROM slot WHERE body = zeroblob(3500)"));
		assert_int_equal(n, failed(r) ? ROWS : ROWS / 2);
		assert_ok(db_checkpoint(db));
		db_close(&db);
		sim_free(&sim);
	}
}

/* Most commits find room in the file. */
static void the_log_grows_in_steps(void **state)
{
	(void)state;
	struct sim *sim = sim_new(13);
	struct db *db;
	struct db_options o = kit_options(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	size_t size = sim_bytes(sim, "t.db-wal").n, grown = 0;
	int64_t turn = 0;
	while (kit_frames_in(sim_bytes(sim, "t.db-wal")) < 900) {
		assert_ok(kit_turn(db, ++turn));
		grown += sim_bytes(sim, "t.db-wal").n > size;
		size = sim_bytes(sim, "t.db-wal").n;
	}
	assert_true(turn > 90 && grown <= 16);
	size_t frames = kit_frames_in(sim_bytes(sim, "t.db-wal"));
	assert_true(kit_room_in(sim_bytes(sim, "t.db-wal")) <= frames + SEAL_STEP_MAX / WAL_FRAME);
	db_close(&db);
	sim_free(&sim);
}

enum { TRIM_TURNS = 70 };

/* A crash at any step of the trim leaves a database that opens. */
static bool stopped_in_trim(uint64_t step)
{
	struct sim *sim = sim_new(step);
	struct db *db;
	int64_t last;
	struct db_options o = kit_options(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	for (int64_t turn = 1; turn <= TRIM_TURNS; turn++)
		assert_ok(kit_turn(db, turn));
	assert_true(WAL_FRAMES_AT + kit_frames_in(sim_bytes(sim, "t.db-wal")) * WAL_FRAME > SEAL_LOG_REST);
	sim_fault_at(sim, SIM_CRASH, step);
	result r = db_checkpoint(db);
	db_trim(db);
	bool done = !failed(r) && !sim_dead(sim);
	assert_true(!done || sim_bytes(sim, "t.db-wal").n <= SEAL_LOG_REST);
	db_close(&db);
	sim_crash(sim);
	assert_ok(kit_open(sim, &db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, TRIM_TURNS);
	db_close(&db);
	sim_free(&sim);
	return done;
}

static void a_trimmed_log_is_small(void **state)
{
	(void)state;
	uint64_t step = 1;
	while (!stopped_in_trim(step))
		step++;
	assert_true(step > 5);
}

/* What lies in the room behind the last frame is nothing that anybody wrote. */
static void the_room_behind_the_log_is_not_the_log(void **state)
{
	(void)state;
	struct sim *left = kit_killed_after(8);
	str log = sim_bytes(left, "t.db-wal");
	size_t frames = kit_frames_in(log);
	assert_true(kit_room_in(log) > frames + 2);
	for (size_t i = 0; i < 4; i++) {
		struct sim *sim = sim_new(i);
		struct db *db;
		int64_t last;
		kit_copy(left, sim);
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p + WAL_FRAMES_AT;
		if (i < 2) /* a frame of its own, a flipped bit; or all of it away */
			memcpy(p + (frames + i) * WAL_FRAME, p + 2 * WAL_FRAME, WAL_FRAME);
		else if (i == 2)
			p[frames * WAL_FRAME + 77] ^= 1;
		else
			sim_put(sim, "t.db-wal", str_of(log.p, WAL_FRAMES_AT + frames * WAL_FRAME));
		assert_ok(kit_open(sim, &db));
		kit_expect_turns(db, &last);
		assert_int_equal(last, 8);
		db_close(&db);
		sim_free(&sim);
	}
	sim_free(&left);
}

static void a_database_is_opened_once(void **state)
{
	(void)state;
	struct sim *sim = sim_new(11);
	struct db *db, *second = NULL;
	assert_ok(kit_open(sim, &db));
	assert_int_equal(kit_open(sim, &second).kind, FAIL_BUSY);
	assert_ok(kit_turn(db, 1));
	db_close(&db);
	assert_ok(kit_open(sim, &second));
	db_close(&second);
	sim_free(&sim);
}

/* Turns until the machine stops; what was acknowledged must be there afterwards. */
static int64_t run_until_crash(struct sim *sim, int64_t from, int64_t turns)
{
	struct db *db = NULL;
	int64_t kept = from;
	if (!failed(kit_open(sim, &db)))
		for (int64_t turn = from + 1; turn <= from + turns; turn++) {
			if (failed(kit_turn(db, turn)))
				break;
			kept = turn;
			if (turn % 7 == 0 && !failed(db_checkpoint(db)))
				db_trim(db);
		}
	db_close(&db);
	return kept;
}

static void crash_trial(uint64_t seed)
{
	uint64_t rng = seed;
	struct sim *sim = sim_new(seed);
	struct db *db;
	int64_t kept = 0, last = 0;
	for (int crash = 0; crash < 3; crash++) {
		sim_fault_at(sim, SIM_CRASH, 1 + sim_random(&rng) % 150);
		kept = run_until_crash(sim, last, 20);
		sim_crash(sim);
		result r = kit_open(sim, &db);
		if (failed(r))
			fail_msg("seed %llu: %s", (unsigned long long)seed, r.text);
		kit_expect_turns(db, &last);
		if (last != kept && last != kept + 1)
			fail_msg("seed %llu: %lld kept, %lld found", (unsigned long long)seed, (long long)kept,
				(long long)last);
		db_close(&db);
	}
	sim_free(&sim);
}

static void a_crash_loses_nothing_that_was_acknowledged(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= test_often(400, 12000); seed++)
		crash_trial(seed);
}

/* What rooms do in between: the disk is full for a while, the log is carried over and trimmed. */
static int64_t act_until_crash(struct sim *sim, int64_t kept, uint64_t *rng)
{
	static const enum sim_fault lacks[] = {SIM_FULL, SIM_FULL_COPYING, SIM_FULL_ONCE};
	struct db *db = NULL;
	if (failed(kit_open(sim, &db)))
		return kept;
	for (int i = 0; i < 60 && !sim_dead(sim); i++) {
		unsigned what = (unsigned)sim_random(rng) % 16;
		if (what == 0)
			sim_fault_at(sim, lacks[sim_random(rng) % 3], 1 + sim_random(rng) % 8);
		else if (what == 1)
			sim_fault_at(sim, SIM_NONE, 0);
		else if (what == 2)
			db_trim(db);
		else if (what == 3 || (what < 7 && db_unsettled(db)))
			(void)!failed(db_checkpoint(db));
		else if (what == 7 && i > 30)
			sim_fault_at(sim, SIM_CRASH, 1 + sim_random(rng) % 12);
		else if (!failed(kit_turn(db, kept + 1)))
			kept++;
	}
	db_close(&db);
	return kept;
}

/* The database opens on a disk that is still full, or says that it is. */
static void full_and_crash_trial(uint64_t seed)
{
	uint64_t rng = seed;
	struct sim *sim = sim_new(seed);
	struct db *db;
	int64_t last = 0;
	for (int crash = 0; crash < 4; crash++) {
		int64_t kept = act_until_crash(sim, last, &rng);
		bool died = sim_dead(sim);
		sim_crash(sim);
		if (crash % 2)
			sim_fault_at(sim, SIM_FULL, 1 + sim_random(&rng) % 4);
		result r = kit_open(sim, &db);
		if (failed(r) && r.kind == FAIL_FULL) {
			sim_fault_at(sim, SIM_NONE, 0);
			r = kit_open(sim, &db);
		}
		if (failed(r))
			fail_msg("seed %llu: %s", (unsigned long long)seed, r.text);
		kit_expect_turns(db, &last);
		if (last != kept && !(died && last == kept + 1))
			fail_msg("seed %llu: %lld kept, %lld found", (unsigned long long)seed, (long long)kept,
				(long long)last);
		db_close(&db);
		sim_fault_at(sim, SIM_NONE, 0);
	}
	sim_free(&sim);
}

static void full_disks_and_crashes_lose_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 600; seed <= 600 + test_often(120, 1200); seed++) /* 700 tore both headers once */
		full_and_crash_trial(seed);
}

/* The N-th operation is refused, for every N: errors are honest, and all is whole afterwards. */
static bool fault_trial(enum sim_fault fault, uint64_t n)
{
	struct sim *sim = sim_new(n);
	struct db *db = NULL;
	int64_t kept, last;
	sim_fault_at(sim, fault, n);
	kept = run_until_crash(sim, 0, 12);
	bool reached = sim_steps(sim) >= n;
	sim_fault_at(sim, SIM_NONE, 0);
	assert_ok(kit_open(sim, &db));
	kit_expect_turns(db, &last);
	assert_true(last == kept || last == kept + 1);
	assert_ok(kit_turn(db, last + 1));
	kit_expect_turns(db, &last);
	db_close(&db);
	sim_free(&sim);
	return reached;
}

static void any_operation_may_be_refused(void **state)
{
	(void)state;
	uint64_t n = 1;
	while (fault_trial(SIM_REFUSE, n))
		n++;
	assert_true(n > 60);
	for (n = 1; fault_trial(SIM_FULL, n); n++)
		;
	assert_true(n > 20);
}

/* A full disk refuses the write with its own word, and the connection goes on when there is room. */
static void a_full_disk_is_named(void **state)
{
	(void)state;
	struct sim *sim = sim_new(12);
	struct db *db;
	int64_t last;
	assert_ok(kit_open(sim, &db));
	assert_ok(kit_turn(db, 1));
	sim_fault_at(sim, SIM_FULL, 1);
	result r = OK;
	int64_t turn = 2;
	while (turn < 40 && !failed(r))
		r = kit_turn(db, turn++);
	assert_int_equal(r.kind, FAIL_FULL);
	assert_false(db_in_transaction(db));
	kit_expect_turns(db, &last);
	assert_int_equal(last, turn - 2);
	sim_fault_at(sim, SIM_NONE, 0);
	assert_ok(kit_turn(db, turn - 1));
	kit_expect_turns(db, &last);
	assert_int_equal(last, turn - 1);
	db_close(&db);
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_committed_is_there_after_a_kill),
		cmocka_unit_test(nothing_can_be_read_without_the_key),
		cmocka_unit_test(no_nonce_comes_twice),
		cmocka_unit_test(large_transactions_spill_and_roll_back),
		cmocka_unit_test(the_log_does_not_grow),
		cmocka_unit_test(neighbours_are_carried_over_together),
		cmocka_unit_test(the_log_grows_in_steps),
		cmocka_unit_test(a_trimmed_log_is_small),
		cmocka_unit_test(the_room_behind_the_log_is_not_the_log),
		cmocka_unit_test(a_database_is_opened_once),
		cmocka_unit_test(a_crash_loses_nothing_that_was_acknowledged),
		cmocka_unit_test(full_disks_and_crashes_lose_nothing),
		cmocka_unit_test(any_operation_may_be_refused),
		cmocka_unit_test(a_full_disk_is_named),
	};
	return cmocka_run_group_tests_name("seal", tests, kit_start, NULL);
}
