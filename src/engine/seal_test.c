/* The sealed database: what its files show, what damage does, what a crash
 * leaves. Every test states one promise of seal.h. */
#include "base/test.h"
#include "base/buf.h"
#include "base/mem.h"
#include "engine/files_sim.h"
#include "engine/query.h"
#include "engine/seal_wal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static const unsigned char key[BOX_KEY] = "the key of the sealing tests....", id[BOX_ID] = "the database id";

static const char *const steps[] = {
	"CREATE TABLE slot (n INTEGER PRIMARY KEY, turn INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE INDEX slot_turn ON slot (turn)",
};
static const struct db_schema schema = {steps, 1};

static struct db_options options_on(struct sim *sim)
{
	return (struct db_options){
		.files = sim_files(sim), .path = "t.db", .key = key, .id = id, .schema = &schema, .log_frames = 30};
}

static result open_on(struct sim *sim, struct db **out)
{
	struct db_options o = options_on(sim);
	return db_open(&o, out);
}

static result open_salvage(struct sim *sim, struct db **out)
{
	struct db_options o = options_on(sim);
	o.salvage = true;
	return db_open(&o, out);
}

/* The workload: turn n writes some of 24 slots with bodies that follow from n
 * alone, so that what must be there after turn n can be computed anew. */
enum { SLOTS = 24, BODY_MAX = 9000 };

struct slot {
	int64_t turn; /* 0: empty */
	size_t size;
	uint64_t seed;
};

static size_t body_of(const struct slot *s, unsigned char *out)
{
	uint64_t rng = s->seed;
	for (size_t i = 0; i < s->size; i++)
		out[i] = (unsigned char)(i % 8 ? out[i - 1] * 3 + 1 : (unsigned char)sim_random(&rng));
	return s->size;
}

static void model_turn(struct slot model[SLOTS], int64_t turn)
{
	uint64_t rng = (uint64_t)turn * 77;
	size_t writes = 1 + sim_random(&rng) % 4;
	for (size_t i = 0; i < writes; i++) {
		struct slot *s = &model[sim_random(&rng) % SLOTS];
		*s = (struct slot){turn, sim_random(&rng) % BODY_MAX, sim_random(&rng)};
		if (sim_random(&rng) % 8 == 0)
			s->size = 0;
	}
}

static result write_turn(struct db *db, int64_t turn)
{
	struct slot model[SLOTS] = {0};
	unsigned char body[BODY_MAX];
	model_turn(model, turn);
	TRY(db_begin(db));
	for (int n = 0; n < SLOTS; n++) {
		if (!model[n].turn)
			continue;
		str bytes = str_of((char *)body, body_of(&model[n], body));
		result r = db_run(db, "INSERT OR REPLACE INTO slot VALUES (?1, ?2, ?3)", DB_INT(n), DB_INT(turn),
			DB_BLOB(bytes));
		if (failed(r)) {
			db_rollback(db);
			return r;
		}
	}
	return db_commit(db);
}

/* The database holds exactly what the turns 1..last wrote; `last` is read from it. */
static void check_state(struct db *db, int64_t *last)
{
	struct slot model[SLOTS] = {0};
	unsigned char body[BODY_MAX];
	assert_ok(db_get(db, last, "SELECT coalesce(max(turn), 0) FROM slot"));
	for (int64_t turn = 1; turn <= *last; turn++)
		model_turn(model, turn);
	for (int n = 0; n < SLOTS; n++) {
		struct query AUTO_QUERY *q = NULL;
		bool row;
		assert_ok(db_ask(db, &q, "SELECT turn, body FROM slot WHERE n = ?1", DB_INT(n)));
		assert_ok(query_next(q, &row));
		assert_int_equal(row, model[n].turn > 0);
		if (!row)
			continue;
		assert_int_equal(query_int(q, 0), model[n].turn);
		str got = query_bytes(q, 1);
		assert_int_equal(got.n, body_of(&model[n], body));
		assert_memory_equal(got.p, body, got.n);
	}
	assert_ok(db_check(db));
}

/* Leaves as after kill -9: the files are as they are, the connection is gone. */
static void copy_files(struct sim *from, struct sim *to)
{
	sim_put(to, "t.db", sim_bytes(from, "t.db"));
	if (sim_bytes(from, "t.db-wal").p)
		sim_put(to, "t.db-wal", sim_bytes(from, "t.db-wal"));
}

static struct sim *killed_after(int64_t turns)
{
	struct sim *sim = sim_new(1), *left = sim_new(2);
	struct db *db;
	struct db_options o = options_on(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	assert_ok(db_checkpoint(db));
	for (int64_t turn = 1; turn <= turns; turn++)
		assert_ok(write_turn(db, turn));
	copy_files(sim, left);
	db_close(&db);
	sim_free(&sim);
	return left;
}

static void what_was_committed_is_there_after_a_kill(void **state)
{
	(void)state;
	struct sim *sim = killed_after(12);
	struct db *db;
	int64_t last;
	assert_ok(open_on(sim, &db));
	check_state(db, &last);
	assert_int_equal(last, 12);
	db_close(&db);
	assert_ok(open_on(sim, &db));
	check_state(db, &last);
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
	memcpy(right.key, key, BOX_KEY);
	memcpy(right.id, id, BOX_ID);
	wrong = right;
	wrong.key[0] ^= 1;
	randombytes_buf(secret, sizeof secret);
	assert_ok(open_on(sim, &db));
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
	struct db_options o = options_on(sim);
	o.key = wrong.key;
	assert_int_equal(db_open(&o, &db).kind, FAIL_DAMAGE);
	o = options_on(sim);
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
	memcpy(box.key, key, BOX_KEY);
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

/* Damages one page and reads everything: it must be noticed, and mending it must mend all. */
static void expect_damage(struct sim *sim, bool noticed)
{
	struct db *db = NULL;
	int64_t sum;
	result r = open_on(sim, &db);
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
	assert_ok(open_on(sim, &db));
	for (int64_t turn = 1; turn <= turns; turn++)
		assert_ok(write_turn(db, turn));
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
		result r = open_on(sim, &db);
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

static size_t room_in(str log)
{
	return (log.n - WAL_FRAMES_AT) / WAL_FRAME;
}

/* Without the zeros behind them. */
static size_t frames_in(str log)
{
	size_t n = log.n;
	while (n > WAL_FRAMES_AT && log.p[n - 1] == 0)
		n--;
	return (n - WAL_FRAMES_AT + WAL_FRAME - 1) / WAL_FRAME;
}

/* Damage in any frame but the last transaction's is refused; salvage keeps what was before. */
static void damage_inside_the_log_is_reported(void **state)
{
	(void)state;
	struct sim *left = killed_after(8);
	size_t frames = frames_in(sim_bytes(left, "t.db-wal"));
	unsigned refused = 0, dropped = 0;
	int64_t last, before = 0;
	for (size_t i = 0; i < frames; i++) {
		struct sim *sim = sim_new(i);
		struct db *db = NULL;
		copy_files(left, sim);
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
		p[WAL_FRAMES_AT + i * WAL_FRAME + 100] ^= 4;
		result r = open_on(sim, &db);
		if (failed(r)) {
			assert_int_equal(r.kind, FAIL_DAMAGE);
			assert_int_equal(dropped, 0); /* only the end can be dropped */
			refused++;
			assert_ok(open_salvage(sim, &db));
			check_state(db, &last);
			assert_true(last >= before && last < 8);
			before = last;
		} else {
			dropped++;
			check_state(db, &last);
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
		struct sim *sim = killed_after(3);
		struct db *db = NULL;
		int64_t last;
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
		for (int slot = 0; slot < 2; slot++)
			if (slots & 1 << slot)
				p[slot * WAL_SLOT_AT + 50] ^= 1;
		result r = open_on(sim, &db);
		if (slots == 3) {
			assert_int_equal(r.kind, FAIL_DAMAGE);
		} else {
			assert_ok(r);
			check_state(db, &last);
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
	struct sim *sim = killed_after(6);
	struct db *db = NULL;
	char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p + WAL_FRAMES_AT, frame[WAL_FRAME];
	memcpy(frame, p, WAL_FRAME);
	memcpy(p, p + WAL_FRAME, WAL_FRAME);
	memcpy(p + WAL_FRAME, frame, WAL_FRAME);
	assert_int_equal(open_on(sim, &db).kind, FAIL_DAMAGE);
	sim_free(&sim);
}

/* Once a checkpoint has begun, even the last transaction's frames are known to be durable. */
static void a_log_that_was_carried_over_has_no_torn_end(void **state)
{
	(void)state;
	struct sim *sim = sim_new(6), *left = sim_new(7);
	struct db *db;
	struct db_options o = options_on(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	assert_ok(db_checkpoint(db));
	for (int64_t turn = 1; turn <= 4; turn++)
		assert_ok(write_turn(db, turn));
	assert_ok(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)"));
	copy_files(sim, left);
	db_close(&db);
	str log = sim_bytes(left, "t.db-wal");
	((char *)(uintptr_t)log.p)[WAL_FRAMES_AT + (frames_in(log) - 1) * WAL_FRAME + 99] ^= 1;
	assert_int_equal(open_on(left, &db).kind, FAIL_DAMAGE);
	sim_free(&sim);
	sim_free(&left);
}

/* From the first page on that a checkpoint writes: stopped at each of its steps. */
static bool stopped_in_checkpoint(uint64_t step)
{
	struct sim *sim = sim_new(step), *left = sim_new(7);
	struct db *db;
	struct db_options o = options_on(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	assert_ok(db_checkpoint(db));
	for (int64_t turn = 1; turn <= 4; turn++)
		assert_ok(write_turn(db, turn));
	copy_files(sim, left);
	sim_fault_at(sim, SIM_CRASH, step);
	bool done = !failed(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)")) && !sim_dead(sim);
	bool begun = !str_eq(sim_bytes(sim, "t.db"), sim_bytes(left, "t.db"));
	copy_files(sim, left);
	sim_fault_at(sim, SIM_NONE, 0);
	db_close(&db);
	str log = sim_bytes(left, "t.db-wal");
	((char *)(uintptr_t)log.p)[WAL_FRAMES_AT + (frames_in(log) - 1) * WAL_FRAME + 99] ^= 1;
	result r = open_on(left, &db);
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
	assert_true(step > 5);
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
		assert_ok(open_on(sim, &db));
		assert_ok(write_turn(db, 1));
		db_close(&db); /* which says in the header that the log is empty */
		assert_ok(open_on(sim, &db));
		memcpy(old, sim_bytes(sim, "t.db-wal").p + lost * WAL_SLOT_AT, WAL_SLOT);
		assert_ok(write_turn(db, 2));
		copy_files(sim, left);
		db_close(&db);
		char *p = (char *)(uintptr_t)sim_bytes(left, "t.db-wal").p;
		memcpy(p + lost * WAL_SLOT_AT, old, WAL_SLOT);
		p[!lost * WAL_SLOT_AT + 30] ^= 1;
		assert_int_equal(open_on(left, &db).kind, FAIL_DAMAGE);
		sim_free(&sim);
		sim_free(&left);
	}
}

/* A transaction larger than the cache goes to the log before its end; half of
 * them are rolled back, and what they left behind must not count. */
static void large_transactions_spill_and_roll_back(void **state)
{
	(void)state;
	struct sim *sim = sim_new(8), *left = sim_new(9);
	struct db *db;
	int64_t count, last;
	assert_ok(open_on(sim, &db));
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
		assert_ok(write_turn(db, round + 1));
	}
	/* Frames of a transaction that was rolled back lie behind the end when a checkpoint begins. */
	assert_ok(db_begin(db));
	assert_ok(db_exec(db, "UPDATE big SET body = zeroblob(2999)"));
	db_rollback(db);
	assert_ok(db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)"));
	copy_files(sim, left);
	db_close(&db);
	assert_ok(open_on(left, &db));
	check_state(db, &last);
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
	assert_ok(open_on(sim, &db));
	for (int64_t turn = 1; turn <= 300; turn++)
		assert_ok(write_turn(db, turn));
	assert_true(room_in(sim_bytes(sim, "t.db-wal")) < 4 * 30);
	assert_ok(db_begin(db));
	for (int n = 0; n < 2000; n++)
		assert_ok(db_run(db, "INSERT INTO slot VALUES (?1, 0, zeroblob(4000))", DB_INT(n + 1000)));
	assert_ok(db_commit(db));
	assert_true(room_in(sim_bytes(sim, "t.db-wal")) > SEAL_LOG_KEEP);
	assert_ok(db_exec(db, "DELETE FROM slot WHERE n >= 1000"));
	assert_ok(write_turn(db, 301));
	assert_ok(write_turn(db, 302));
	assert_true(room_in(sim_bytes(sim, "t.db-wal")) <= SEAL_LOG_KEEP);
	db_close(&db);
	sim_free(&sim);
}

/* Most commits find room in the file. */
static void the_log_grows_in_steps(void **state)
{
	(void)state;
	struct sim *sim = sim_new(13);
	struct db *db;
	struct db_options o = options_on(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	size_t size = sim_bytes(sim, "t.db-wal").n, grown = 0;
	int64_t turn = 0;
	while (frames_in(sim_bytes(sim, "t.db-wal")) < 900) {
		assert_ok(write_turn(db, ++turn));
		grown += sim_bytes(sim, "t.db-wal").n > size;
		size = sim_bytes(sim, "t.db-wal").n;
	}
	assert_true(turn > 90 && grown <= 16);
	size_t frames = frames_in(sim_bytes(sim, "t.db-wal"));
	assert_true(room_in(sim_bytes(sim, "t.db-wal")) <= frames + SEAL_STEP_MAX / WAL_FRAME);
	db_close(&db);
	sim_free(&sim);
}

/* A crash at any step of the trim leaves a database that opens. */
static bool stopped_in_trim(uint64_t step)
{
	struct sim *sim = sim_new(step);
	struct db *db;
	int64_t last;
	struct db_options o = options_on(sim);
	o.log_frames = 1000;
	assert_ok(db_open(&o, &db));
	for (int64_t turn = 1; turn <= 12; turn++)
		assert_ok(write_turn(db, turn));
	assert_true(WAL_FRAMES_AT + frames_in(sim_bytes(sim, "t.db-wal")) * WAL_FRAME > SEAL_LOG_REST);
	sim_fault_at(sim, SIM_CRASH, step);
	result r = db_checkpoint(db);
	db_trim(db);
	bool done = !failed(r) && !sim_dead(sim);
	assert_true(!done || sim_bytes(sim, "t.db-wal").n <= SEAL_LOG_REST);
	db_close(&db);
	sim_crash(sim);
	assert_ok(open_on(sim, &db));
	check_state(db, &last);
	assert_int_equal(last, 12);
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
	struct sim *left = killed_after(8);
	str log = sim_bytes(left, "t.db-wal");
	size_t frames = frames_in(log);
	assert_true(room_in(log) > frames + 2);
	for (size_t i = 0; i < 4; i++) {
		struct sim *sim = sim_new(i);
		struct db *db;
		int64_t last;
		copy_files(left, sim);
		char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p + WAL_FRAMES_AT;
		if (i < 2) /* a frame of its own, a flipped bit; or all of it away */
			memcpy(p + (frames + i) * WAL_FRAME, p + 2 * WAL_FRAME, WAL_FRAME);
		else if (i == 2)
			p[frames * WAL_FRAME + 77] ^= 1;
		else
			sim_put(sim, "t.db-wal", str_of(log.p, WAL_FRAMES_AT + frames * WAL_FRAME));
		assert_ok(open_on(sim, &db));
		check_state(db, &last);
		assert_int_equal(last, 8);
		db_close(&db);
		sim_free(&sim);
	}
	sim_free(&left);
}

/* Zeros in place of a frame are damage like any other. */
static void zeros_inside_the_log_are_reported(void **state)
{
	(void)state;
	struct sim *sim = killed_after(8);
	struct db *db = NULL;
	int64_t last;
	char *p = (char *)(uintptr_t)sim_bytes(sim, "t.db-wal").p;
	memset(p + WAL_FRAMES_AT + 3 * WAL_FRAME, 0, 2 * WAL_FRAME);
	assert_int_equal(open_on(sim, &db).kind, FAIL_DAMAGE);
	assert_ok(open_salvage(sim, &db));
	check_state(db, &last);
	assert_true(last < 8);
	db_close(&db);
	sim_free(&sim);
}

static void a_database_is_opened_once(void **state)
{
	(void)state;
	struct sim *sim = sim_new(11);
	struct db *db, *second = NULL;
	assert_ok(open_on(sim, &db));
	assert_int_equal(open_on(sim, &second).kind, FAIL_BUSY);
	assert_ok(write_turn(db, 1));
	db_close(&db);
	assert_ok(open_on(sim, &second));
	db_close(&second);
	sim_free(&sim);
}

/* Turns until the machine stops; what was acknowledged must be there afterwards. */
static int64_t run_until_crash(struct sim *sim, int64_t from, int64_t turns)
{
	struct db *db = NULL;
	int64_t kept = from;
	if (!failed(open_on(sim, &db)))
		for (int64_t turn = from + 1; turn <= from + turns; turn++) {
			if (failed(write_turn(db, turn)))
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
		result r = open_on(sim, &db);
		if (failed(r))
			fail_msg("seed %llu: %s", (unsigned long long)seed, r.text);
		check_state(db, &last);
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
	const char *trials = getenv("POSTERN_SOAK");
	uint64_t count = 400;
	if (trials)
		(void)str_to_u64(str_from(trials), &count);
	for (uint64_t seed = 1; seed <= count; seed++)
		crash_trial(seed);
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
	assert_ok(open_on(sim, &db));
	check_state(db, &last);
	assert_true(last == kept || last == kept + 1);
	assert_ok(write_turn(db, last + 1));
	check_state(db, &last);
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
	assert_ok(open_on(sim, &db));
	assert_ok(write_turn(db, 1));
	sim_fault_at(sim, SIM_FULL, 1);
	result r = OK;
	int64_t turn = 2;
	while (turn < 40 && !failed(r))
		r = write_turn(db, turn++);
	assert_int_equal(r.kind, FAIL_FULL);
	assert_false(db_in_transaction(db));
	check_state(db, &last);
	assert_int_equal(last, turn - 2);
	sim_fault_at(sim, SIM_NONE, 0);
	assert_ok(write_turn(db, turn - 1));
	check_state(db, &last);
	assert_int_equal(last, turn - 1);
	db_close(&db);
	sim_free(&sim);
}


static int start(void **state)
{
	(void)state;
	return failed(seal_start()) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_committed_is_there_after_a_kill),
		cmocka_unit_test(nothing_can_be_read_without_the_key),
		cmocka_unit_test(no_nonce_comes_twice),
		cmocka_unit_test(a_changed_page_is_noticed),
		cmocka_unit_test(a_database_that_was_cut_is_noticed),
		cmocka_unit_test(damage_inside_the_log_is_reported),
		cmocka_unit_test(a_damaged_log_header_is_healed_or_reported),
		cmocka_unit_test(moved_frames_do_not_open),
		cmocka_unit_test(a_log_that_was_carried_over_has_no_torn_end),
		cmocka_unit_test(a_checkpoint_that_began_is_known),
		cmocka_unit_test(frames_of_a_lost_header_are_seen),
		cmocka_unit_test(large_transactions_spill_and_roll_back),
		cmocka_unit_test(the_log_does_not_grow),
		cmocka_unit_test(the_log_grows_in_steps),
		cmocka_unit_test(a_trimmed_log_is_small),
		cmocka_unit_test(the_room_behind_the_log_is_not_the_log),
		cmocka_unit_test(zeros_inside_the_log_are_reported),
		cmocka_unit_test(a_database_is_opened_once),
		cmocka_unit_test(a_crash_loses_nothing_that_was_acknowledged),
		cmocka_unit_test(any_operation_may_be_refused),
		cmocka_unit_test(a_full_disk_is_named),
	};
	return cmocka_run_group_tests_name("seal", tests, start, NULL);
}
