#include "base/test.h"
#include "base/buf.h"
#include "base/mem.h"
#include "engine/files_sim.h"
#include "engine/query.h"

#include <stdio.h>

static const unsigned char key[BOX_KEY] = "a key", id[BOX_ID] = "an id";

/* Three versions: a table, a column, a rename. */
static const char *const steps[] = {
	"CREATE TABLE mail (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB) STRICT",
	"ALTER TABLE mail ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE mail SET size = length(body)",
	"ALTER TABLE mail RENAME COLUMN name TO label; CREATE INDEX mail_size ON mail (size)",
};
static const struct db_schema schema = {steps, 3};

static struct db_options options_on(struct sim *sim)
{
	return (struct db_options){.files = sim_files(sim), .path = "d.db", .key = key, .id = id, .schema = &schema};
}

static struct db *opened(struct sim *sim)
{
	struct db_options o = options_on(sim);
	struct db *db = NULL;
	assert_ok(db_open(&o, &db));
	return db;
}

static int64_t number(struct db *db, const char *sql)
{
	int64_t n = -1;
	assert_ok(db_get(db, &n, sql));
	return n;
}

static void every_earlier_version_comes_forward(void **state)
{
	(void)state;
	for (uint32_t version = 1; version <= schema.count; version++) {
		struct sim *sim = sim_new(version);
		struct db_options o = options_on(sim);
		struct db *db;
		assert_ok(db_open_at(&o, version, &db));
		assert_int_equal(db_version(db), version);
		if (version < 3)
			assert_ok(db_run(db, "INSERT INTO mail (name, body) VALUES (?1, ?2)", DB_TEXT(STR("a")),
				DB_BLOB(STR("xyz"))));
		db_close(&db);
		db = opened(sim);
		assert_int_equal(db_version(db), 3);
		if (version == 1)
			assert_int_equal(number(db, "SELECT size FROM mail WHERE label = 'a'"), 3);
		db_close(&db);
		sim_free(&sim);
	}
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
	(void)state;
	static const char *const bad[] = {"CREATE TABLE a (n)", "CREATE TABLE b (n); CREATE TABLE a (n)"};
	static const struct db_schema broken = {bad, 2}, good = {bad, 1};
	struct sim *sim = sim_new(1);
	struct db_options o = options_on(sim);
	struct db *db = NULL;
	o.schema = &broken;
	assert_true(failed(db_open(&o, &db)));
	assert_null(db);
	o.schema = &good;
	assert_ok(db_open(&o, &db));
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
	db_close(&db);
	sim_free(&sim);
}

/* Behind the second step, as often as it is tried; the first time it fails. */
static result fill_in(struct db *db, uint32_t version)
{
	static bool tried;
	if (version != 2)
		return OK;
	TRY(db_run(db, "INSERT INTO b SELECT n + 1 FROM a"));
	result r = tried ? OK : failure(FAIL_FULL, "the disk is full");
	tried = true;
	return r;
}

static void a_step_may_end_in_code(void **state)
{
	(void)state;
	static const char *const two[] = {"CREATE TABLE a (n); INSERT INTO a VALUES (1)", "CREATE TABLE b (n)"};
	static const struct db_schema filled = {two, 2, fill_in};
	struct sim *sim = sim_new(1);
	struct db_options o = options_on(sim);
	struct db *db = NULL;
	o.schema = &filled;
	assert_int_equal(db_open(&o, &db).kind, FAIL_FULL);
	assert_ok(db_open_at(&o, 1, &db));
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
	db_close(&db);
	assert_ok(db_open(&o, &db));
	assert_int_equal(number(db, "SELECT sum(n) FROM b"), 2);
	db_close(&db);
	sim_free(&sim);
}

static void a_newer_version_is_refused(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	assert_ok(db_exec(db, "PRAGMA user_version=4"));
	db_close(&db);
	struct db_options o = options_on(sim);
	assert_int_equal(db_open(&o, &db).kind, FAIL_CONFLICT);
	sim_free(&sim);
}

static void what_is_absent_is_said_or_made(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db_options o = options_on(sim);
	struct db *db;
	o.must_exist = true;
	assert_int_equal(db_open(&o, &db).kind, FAIL_ABSENT);
	db = opened(sim);
	db_close(&db);
	assert_ok(db_open(&o, &db));
	int64_t n;
	assert_int_equal(db_get(db, &n, "SELECT n FROM mail").kind, FAIL_ABSENT);
	db_close(&db);
	sim_free(&sim);
}

static void the_house_pragmas_hold(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	assert_int_equal(number(db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(db, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(number(db, "PRAGMA page_size"), 4096);
	assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(number(db, "PRAGMA temp_store"), 2);
	assert_int_equal(number(db, "PRAGMA cache_size"), -DB_CACHE_KIB);
	struct query AUTO_QUERY *q = NULL;
	bool row;
	assert_ok(db_ask(db, &q, "PRAGMA journal_mode"));
	assert_ok(query_next(q, &row));
	assert_str(query_bytes(q, 0), STR("wal"));
	query_end(&q);
	assert_true(failed(db_exec(db, "ATTACH 'other.db' AS other")));
	assert_true(failed(db_exec(db, "PRAGMA journal_mode=DELETE; UPDATE mail SET size = 0; CREATE TABLE x (y)")) ||
		    sim_bytes(sim, "d.db-journal").p == NULL);
	db_close(&db);
	sim_free(&sim);
}

static void arguments_and_columns_keep_their_types(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	struct query AUTO_QUERY *q = NULL;
	bool row;
	assert_ok(db_ask(db, &q, "SELECT ?1, ?2, ?3, ?4, ?5, ?6", DB_INT(INT64_MIN), DB_BLOB(str_of("\0\xff", 2)),
		DB_TEXT(STR("t\xc3\xa9")), DB_NULL, DB_BLOB(str_of(NULL, 0)), DB_TEXT(STR(""))));
	assert_ok(query_next(q, &row));
	assert_true(row);
	assert_true(query_int(q, 0) == INT64_MIN);
	assert_str(query_bytes(q, 1), str_of("\0\xff", 2));
	assert_str(query_bytes(q, 2), STR("t\xc3\xa9"));
	assert_true(query_is_null(q, 3) && !query_bytes(q, 3).p);
	assert_true(!query_is_null(q, 4) && query_bytes(q, 4).p && query_bytes(q, 4).n == 0);
	assert_true(!query_is_null(q, 5) && query_bytes(q, 5).p && query_bytes(q, 5).n == 0);
	assert_ok(query_next(q, &row));
	assert_false(row);
	query_end(&q);
	db_close(&db);
	sim_free(&sim);
}

static void failures_have_their_kind(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	AUTO_MEM char *large = mem_alloc((size_t)DB_VALUE_MAX + 1);
	const char *insert = "INSERT INTO mail (label, body) VALUES (?1, ?2)";
	assert_ok(db_run(db, insert, DB_TEXT(STR("a")), DB_NULL));
	assert_int_equal(db_run(db, insert, DB_TEXT(STR("a")), DB_NULL).kind, FAIL_EXISTS);
	str over = str_of(large, (size_t)DB_VALUE_MAX + 1);
	assert_int_equal(db_run(db, insert, DB_TEXT(STR("b")), DB_BLOB(over)).kind, FAIL_LIMIT);
	assert_int_equal(db_run(db, "SELECT nothing").kind, FAIL_CONFLICT);
	assert_true(str_find(str_from(db_trouble(db)), STR("nothing")) != STR_NONE);
	memset(large, ' ', DB_SQL_MAX + 1);
	assert_int_equal(db_run(db, large).kind, FAIL_LIMIT);
	assert_ok(db_run(db, insert, DB_TEXT(STR("c")), DB_NULL));
	assert_int_equal(number(db, "SELECT count(*) FROM mail"), 2);
	db_close(&db);
	sim_free(&sim);
}

static void add(struct db *db, const char *name)
{
	assert_ok(db_run(db, "INSERT INTO mail (label) VALUES (?1)", DB_TEXT(str_from(name))));
}

static void parts_are_undone_alone(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	assert_ok(db_begin(db));
	add(db, "whole");
	assert_ok(db_part_begin(db));
	add(db, "undone");
	assert_ok(db_part_begin(db));
	add(db, "kept in what is undone");
	assert_ok(db_part_keep(db));
	db_part_undo(db);
	assert_ok(db_part_begin(db));
	add(db, "kept");
	assert_ok(db_part_keep(db));
	assert_ok(db_commit(db));
	assert_int_equal(number(db, "SELECT count(*) FROM mail WHERE label IN ('whole', 'kept')"), 2);
	assert_int_equal(number(db, "SELECT count(*) FROM mail"), 2);
	assert_ok(db_begin(db));
	add(db, "rolled back");
	db_rollback(db);
	db_rollback(db);
	assert_false(db_in_transaction(db));
	assert_int_equal(number(db, "SELECT count(*) FROM mail"), 2);
	db_close(&db);
	sim_free(&sim);
}

/* ---- records ahead of a commit ---- */

static const char *const with_kept[] = {
	"CREATE TABLE mail (n INTEGER PRIMARY KEY)",
	"CREATE TABLE kept (generation INTEGER NOT NULL) STRICT; INSERT INTO kept VALUES(0)",
};
static const struct db_schema kept_schema = {.steps = with_kept, .count = 2, .kept_since = 2};

static struct db *opened_with_kept(struct sim *sim)
{
	struct db_options o = options_on(sim);
	struct db *db = NULL;
	o.schema = &kept_schema;
	assert_ok(db_open(&o, &db));
	return db;
}

static result note_record(void *ctx, str record)
{
	buf *all = ctx;
	buf_put(all, record);
	return buf_result(all);
}

static void expect_kept(struct db *db, const char *want)
{
	AUTO_BUF buf all = buf_new(1000);
	assert_ok(db_kept_each(db, note_record, &all));
	assert_str(buf_str(&all), str_from(want));
}

static void take(struct db *db)
{
	assert_ok(db_begin(db));
	assert_false(db_takes_kept(db));
	assert_ok(db_take_kept(db));
	assert_true(db_takes_kept(db));
	assert_ok(db_commit(db));
	assert_false(db_takes_kept(db));
}

static void what_is_kept_waits_for_a_commit_that_takes(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened_with_kept(sim);
	assert_ok(db_keep(db, STR("a")));
	assert_ok(db_keep(db, STR("b")));
	assert_ok(db_run(db, "INSERT INTO mail VALUES(1)")); /* takes nothing */
	db_close(&db);
	db = opened_with_kept(sim);
	expect_kept(db, "ab");
	assert_ok(db_keep(db, STR("c")));
	uint64_t generation = db_kept_generation(db);
	take(db);
	assert_int_equal(db_kept_generation(db), generation + 1);
	assert_ok(db_keep(db, STR("d")));
	expect_kept(db, "d");
	db_close(&db);
	db = opened_with_kept(sim);
	expect_kept(db, "d");
	take(db);
	db_close(&db);
	db = opened_with_kept(sim);
	expect_kept(db, "");
	db_close(&db);
	sim_free(&sim);
}

static void what_is_undone_takes_nothing(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened_with_kept(sim);
	assert_ok(db_keep(db, STR("a")));
	assert_ok(db_begin(db));
	assert_ok(db_part_begin(db));
	assert_ok(db_take_kept(db));
	db_part_undo(db);
	assert_false(db_takes_kept(db));
	assert_ok(db_commit(db));
	expect_kept(db, "a");
	assert_ok(db_begin(db));
	assert_ok(db_part_begin(db));
	assert_ok(db_part_begin(db));
	assert_ok(db_take_kept(db));
	assert_ok(db_part_keep(db));
	assert_true(db_takes_kept(db));
	db_part_undo(db); /* the outer one */
	assert_false(db_takes_kept(db));
	assert_ok(db_part_begin(db));
	assert_ok(db_take_kept(db));
	assert_ok(db_part_keep(db));
	assert_ok(db_part_begin(db));
	db_part_undo(db); /* a later one leaves it */
	assert_true(db_takes_kept(db));
	db_rollback(db);
	assert_false(db_takes_kept(db));
	assert_ok(db_keep(db, STR("b")));
	db_close(&db);
	db = opened_with_kept(sim);
	expect_kept(db, "ab");
	db_close(&db);
	sim_free(&sim);
}

/* Of a commit that failed nobody knows what it took: what were kept behind it might never be given again. */
static void in_doubt_nothing_is_kept(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct sim *sim = sim_new(n);
		struct db *db = opened_with_kept(sim);
		assert_ok(db_keep(db, STR("a")));
		assert_ok(db_begin(db));
		assert_ok(db_take_kept(db));
		sim_fault_at(sim, SIM_REFUSE, n);
		result r = db_commit(db);
		bool hit = sim_steps(sim) >= n;
		sim_fault_at(sim, SIM_NONE, 0);
		assert_true(failed(r) || !hit);
		if (failed(r))
			assert_int_equal(db_keep(db, STR("b")).kind, FAIL_LIMIT);
		db_close(&db);
		sim_free(&sim);
		if (!hit)
			break;
		assert_true(n < 100);
	}
	struct sim *sim = sim_new(1);
	struct db *db = opened_with_kept(sim);
	sim_fault_at(sim, SIM_REFUSE, 1);
	assert_int_equal(db_keep(db, STR("a")).kind, FAIL_DISK); /* the record itself */
	sim_fault_at(sim, SIM_NONE, 0);
	assert_int_equal(db_keep(db, STR("b")).kind, FAIL_LIMIT);
	take(db);
	assert_ok(db_keep(db, STR("c")));
	expect_kept(db, "c");
	db_close(&db);
	sim_free(&sim);
}

static void before_its_version_nothing_is_kept(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db_options o = options_on(sim);
	struct db *db = NULL;
	o.schema = &kept_schema;
	assert_ok(db_open_at(&o, 1, &db));
	assert_int_equal(db_keep(db, STR("a")).kind, FAIL_LIMIT);
	expect_kept(db, "");
	db_close(&db);
	db = opened_with_kept(sim);
	assert_ok(db_keep(db, STR("a")));
	db_close(&db);
	sim_free(&sim);
}

static void a_new_database_has_none_of_the_one_before(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened_with_kept(sim);
	assert_ok(db_keep(db, STR("a")));
	db_close(&db);
	assert_ok(files_unlink(sim_files(sim), "d.db"));
	db = opened_with_kept(sim);
	expect_kept(db, "");
	db_close(&db);
	sim_free(&sim);
}

static void statements_are_kept_up_to_the_limit(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	for (int i = 0; i < 3 * DB_QUERIES_MAX; i++) {
		char sql[64];
		snprintf(sql, sizeof sql, "SELECT %d", i);
		assert_int_equal(number(db, sql), i);
	}
	unsigned kept = 0;
	for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db_handle(db), s));)
		kept++;
	assert_int_equal(kept, DB_QUERIES_MAX + 1); /* and ROLLBACK */
	/* The same text within its own loop, deeper than the limit. */
	struct query *open[DB_QUERIES_MAX + 10];
	bool row;
	for (int i = 0; i < DB_QUERIES_MAX + 10; i++) {
		assert_ok(db_ask(db, &open[i], i % 2 ? "SELECT ?1" : "SELECT 2 * ?1", DB_INT(i)));
		assert_ok(query_next(open[i], &row));
	}
	for (int i = 0; i < DB_QUERIES_MAX + 10; i++) {
		assert_int_equal(query_int(open[i], 0), i % 2 ? i : 2 * i);
		query_end(&open[i]);
	}
	db_trim(db);
	sqlite3_stmt *left = sqlite3_next_stmt(db_handle(db), NULL);
	assert_string_equal(sqlite3_sql(left), "ROLLBACK");
	assert_null(sqlite3_next_stmt(db_handle(db), left));
	add(db, "after");
	db_close(&db);
	sim_free(&sim);
}

static void free_pages_go_back_to_the_disk(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct db *db = opened(sim);
	assert_ok(db_run(db, "INSERT INTO mail (label, body) VALUES ('x', zeroblob(2000000))"));
	assert_ok(db_checkpoint(db));
	size_t before = sim_bytes(sim, "d.db").n;
	assert_ok(db_run(db, "DELETE FROM mail"));
	assert_true(number(db, "PRAGMA freelist_count") > 400);
	assert_ok(db_give_back(db, 0));
	assert_ok(db_checkpoint(db));
	assert_true(sim_bytes(sim, "d.db").n < before / 10);
	assert_ok(db_check(db));
	db_close(&db);
	sim_free(&sim);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct sim *sim = sim_new(n);
		struct db_options o = options_on(sim);
		struct db *db = NULL;
		mem_fail_at(n);
		result r = db_open(&o, &db);
		if (!failed(r))
			r = db_run(db, "INSERT INTO mail (label) VALUES ('x')");
		bool reached = mem_count() >= n;
		mem_fail_at(0);
		/* A statement that is not kept or a disk's own memory: no failure. */
		assert_true(!failed(r) || r.kind == FAIL_MEMORY || r.kind == FAIL_LIMIT);
		db_close(&db);
		db = opened(sim);
		assert_true(number(db, "SELECT count(*) FROM mail") <= 1);
		db_close(&db);
		sim_free(&sim);
		if (!reached)
			return;
	}
}

static int start(void **state)
{
	(void)state;
	return failed(seal_start()) ? -1 : 0;
}

/* A process made the log and ended, killed or refused, before its name was durable: the next one sees to that. */
static bool keeps_its_first_row(enum sim_fault fault, uint64_t n, uint64_t seed)
{
	struct sim *sim = sim_new(seed);
	const struct db_options o = options_on(sim);
	struct db *db = NULL;
	int64_t rows = 0;
	sim_fault_at(sim, fault, n);
	result r = db_open(&o, &db);
	db_close(&db);
	sim_restart(sim);
	if (!failed(r) && !failed(db_open(&o, &db))) {
		assert_ok(db_run(db, "INSERT INTO mail (label, body) VALUES ('a', x'00')"));
		sim_fault_at(sim, SIM_CRASH, 1);
		db_close(&db);
		sim_crash(sim);
		assert_ok(db_open(&o, &db));
		assert_ok(db_get(db, &rows, "SELECT count(*) FROM mail"));
		db_close(&db);
	}
	sim_free(&sim);
	return failed(r) || rows == 1;
}

static void the_name_of_a_log_is_durable_before_its_first_commit(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 60; n++)
		for (uint64_t seed = 1; seed <= 4; seed++) {
			assert_true(keeps_its_first_row(SIM_REFUSE, n, seed));
			assert_true(keeps_its_first_row(SIM_CRASH, n, seed));
		}
}

/* FULL would say that nothing of it was kept. */
static void a_flush_without_room_leaves_it_uncertain(void **state)
{
	(void)state;
	unsigned refused = 0;
	for (uint64_t n = 1; n <= 12; n++) {
		struct sim *sim = sim_new(n);
		struct db *db = opened(sim);
		sim_fault_at(sim, SIM_FULL_SYNC, n);
		result r = db_run(db, "INSERT INTO mail (label, body) VALUES ('a', zeroblob(90000))");
		assert_int_not_equal(r.kind, FAIL_FULL);
		refused += failed(r);
		db_close(&db);
		sim_free(&sim);
	}
	assert_true(refused > 0);
}

static void undoing_needs_no_memory(void **state)
{
	(void)state;
	struct sim *sim = sim_new(3);
	struct db *db = opened(sim);
	assert_ok(db_begin(db));
	assert_ok(db_run(db, "INSERT INTO mail (label, body) VALUES ('a', x'00')"));
	mem_fail_at(1);
	db_rollback(db);
	mem_fail_at(0);
	assert_false(db_in_transaction(db));
	db_close(&db);
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_of_a_log_is_durable_before_its_first_commit),
		cmocka_unit_test(a_flush_without_room_leaves_it_uncertain), cmocka_unit_test(undoing_needs_no_memory),
		cmocka_unit_test(every_earlier_version_comes_forward),
		cmocka_unit_test(a_step_that_fails_leaves_the_version_before_it),
		cmocka_unit_test(a_newer_version_is_refused),
		cmocka_unit_test(what_is_absent_is_said_or_made),
		cmocka_unit_test(the_house_pragmas_hold),
		cmocka_unit_test(arguments_and_columns_keep_their_types),
		cmocka_unit_test(failures_have_their_kind),
		cmocka_unit_test(a_step_may_end_in_code),
		cmocka_unit_test(parts_are_undone_alone),
		cmocka_unit_test(what_is_kept_waits_for_a_commit_that_takes),
		cmocka_unit_test(what_is_undone_takes_nothing),
		cmocka_unit_test(in_doubt_nothing_is_kept),
		cmocka_unit_test(before_its_version_nothing_is_kept),
		cmocka_unit_test(a_new_database_has_none_of_the_one_before),
		cmocka_unit_test(statements_are_kept_up_to_the_limit),
		cmocka_unit_test(free_pages_go_back_to_the_disk),
		cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests_name("db", tests, start, NULL);
}
