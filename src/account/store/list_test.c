/* The lists against a plain array, their limits, and what damage does to them. */
#include "account/store/kit.h"
#include "account/store/list.h"
#include "base/mem.h"
#include "engine/seal.h"

#include <stdlib.h>

enum { BOX = 7, BELOW = 6, ABOVE = 8, MANY = 3000, STEPS = 6000 };

static const unsigned char key[32] = "a key for tests", id[16] = "an account";

struct bench {
	struct sim *sim;
	struct db *db;
	struct lists lists;
	struct place box;
};

static void begin(struct bench *b)
{
	*b = (struct bench){.sim = sim_new(1)};
	const struct db_options o = {.files = sim_files(b->sim), .path = "mail.db", .key = key, .id = id,
		.schema = &store_schema};
	assert_ok(db_open(&o, &b->db));
	b->box = (struct place){&b->lists, b->db, BOX};
	assert_ok(db_begin(b->db));
	assert_ok(lists_begin(&b->lists, b->db));
}

static void end(struct bench *b)
{
	db_rollback(b->db);
	db_close(&b->db);
	sim_free(&b->sim);
}

static struct entry entry_of(uint32_t uid)
{
	return (struct entry){{uid, uid * 7, uid * UINT64_C(11), uid & 31, UINT64_C(1) << 60 | uid},
		{1700000000 + uid, 1700000001 + uid, (int16_t)(uid % 1439)}};
}

static void expect_entry(const struct entry *got, const struct entry *want)
{
	assert_int_equal(got->row.uid, want->row.uid);
	assert_int_equal(got->row.size, want->row.size);
	assert_int_equal(got->row.modseq, want->row.modseq);
	assert_int_equal(got->row.flags, want->row.flags);
	assert_int_equal(got->row.content, want->row.content);
	assert_int_equal(got->dates.date, want->dates.date);
	assert_int_equal(got->dates.saved, want->dates.saved);
	assert_int_equal(got->dates.minutes, want->dates.minutes);
}

static void add(const struct place *p, uint32_t uid)
{
	const struct entry e = entry_of(uid);
	assert_ok(list_add(p, &e));
}

static int64_t number(struct db *db, const char *sql)
{
	int64_t n;
	assert_ok(db_get(db, &n, sql));
	return n;
}

/* ---- records ---- */

static void test_a_record_keeps_what_it_is_given(void **state)
{
	(void)state;
	const int64_t most = LIST_DATE_MAX, least = LIST_DATE_MIN;
	const struct entry ends[] = {
		{{1, 0, 0, 0, 0}, {0, 0, 0}},
		{{2, 1, 2, 3, 4}, {-1, -1, -1}},
		{{3, UINT32_MAX, (UINT64_C(1) << 48) - 1, UINT64_MAX, UINT64_MAX}, {most, most, INT16_MAX}},
		{{UINT32_MAX, 9, 8, 7, 6}, {least, least, INT16_MIN}},
	};
	const struct entry beyond = {{4, 1, 1, 1, 1}, {INT64_MAX, INT64_MIN, 0}};
	struct entry e;
	struct bench b;
	begin(&b);
	for (size_t i = 0; i < 3; i++)
		assert_ok(list_add(&b.box, &ends[i]));
	assert_ok(list_add(&b.box, &beyond));
	assert_ok(list_add(&b.box, &ends[3]));
	for (int settled = 0; settled < 2; settled++) {
		for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
			assert_ok(list_get(&b.box, ends[i].row.uid, &e));
			expect_entry(&e, &ends[i]);
		}
		assert_ok(list_get(&b.box, 4, &e));
		assert_int_equal(e.dates.date, most);
		assert_int_equal(e.dates.saved, least);
		assert_ok(lists_settle(&b.lists, b.db));
		b.lists = (struct lists){0};
		assert_ok(lists_begin(&b.lists, b.db));
	}
	end(&b);
}

/* ---- against an array ---- */

struct model {
	struct entry v[MANY + STEPS];
	size_t n, at;
	uint32_t next;
};

static result compare(void *ctx, uint64_t box, const struct entry *e)
{
	struct model *m = ctx;
	assert_int_equal(box, BOX);
	assert_true(m->at < m->n);
	expect_entry(e, &m->v[m->at++]);
	return OK;
}

static void expect_same(struct bench *b, struct model *m)
{
	m->at = 0;
	assert_ok(lists_settle(&b->lists, b->db));
	assert_ok(list_read(&(struct place){&b->lists, b->db, BOX}, &(struct list_reader){.take = compare, .ctx = m}));
	assert_int_equal(m->at, m->n);
}

static void grow(struct bench *b, struct model *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m->v[m->n] = entry_of(m->next);
		add(&b->box, m->next++);
		m->n++;
	}
}

static void drop_run(struct bench *b, struct model *m, size_t from, size_t n)
{
	uint32_t first = m->v[from].row.uid, last = m->v[from + n - 1].row.uid;
	for (size_t i = from; i < from + n; i++)
		assert_ok(list_drop(&b->box, m->v[i].row.uid));
	assert_int_equal(list_drop(&b->box, first).kind, FAIL_ABSENT);
	memmove(m->v + from, m->v + from + n, (m->n - from - n) * sizeof *m->v);
	m->n -= n;
	assert_ok(list_tidy(&b->box, first, last));
}

static result odd_flags(void *ctx, struct entry *e, bool *changed)
{
	unsigned *looked = ctx;
	++*looked;
	*changed = e->row.uid % 2;
	e->row.flags = 99;
	e->row.modseq = 5000;
	return OK;
}

static void change_run(struct bench *b, struct model *m, size_t from, size_t n)
{
	unsigned looked = 0;
	const struct uid_run run = {m->v[from].row.uid, m->v[from + n - 1].row.uid};
	assert_ok(list_change(&b->box, &run, &(struct list_change){odd_flags, &looked}));
	assert_int_equal(looked, n);
	for (size_t i = from; i < from + n; i++) {
		if (m->v[i].row.uid % 2 == 0)
			continue;
		m->v[i].row.flags = 99;
		m->v[i].row.modseq = 5000;
	}
}

static void one_step(struct bench *b, struct model *m)
{
	size_t from = m->n ? (size_t)rand() % m->n : 0, most = rand() % 8 ? 3 : 300;
	size_t n = m->n ? 1 + (size_t)rand() % most : 0;
	if (n > m->n - from)
		n = m->n - from;
	if (!n || rand() % 3 == 0)
		grow(b, m, 1 + (size_t)rand() % 3);
	else if (rand() % 2)
		drop_run(b, m, from, n);
	else
		change_run(b, m, from, n);
}

/* As many as lie behind the last message, and few more than the messages need at a quarter full. */
static void expect_few_chunks(struct bench *b, const struct model *m)
{
	int64_t chunks = number(b->db, "SELECT count(*) FROM list WHERE id BETWEEN 30064771072 AND 34359738367");
	assert_true(chunks <= (int64_t)(m->n / LIST_FEW) + LIST_AHEAD_MAX + 2);
}

static void test_many_changes(void **state)
{
	(void)state;
	struct bench b;
	struct model AUTO_MEM *m = mem_alloc(sizeof *m);
	assert_non_null(m);
	m->next = 1;
	srand(4);
	begin(&b);
	const struct place below = {&b.lists, b.db, BELOW}, above = {&b.lists, b.db, ABOVE};
	add(&below, UINT32_MAX);
	add(&above, 1);
	grow(&b, m, MANY);
	expect_same(&b, m);
	for (int i = 0; i < STEPS && m->n < MANY * 2; i++) {
		one_step(&b, m);
		if (i % 500 == 0) {
			expect_same(&b, m);
			expect_few_chunks(&b, m);
		}
	}
	expect_same(&b, m);
	if (m->n)
		drop_run(&b, m, 0, m->n);
	expect_same(&b, m);
	assert_true(number(b.db, "SELECT count(*) FROM list") <= 2 + LIST_AHEAD_MAX);
	struct entry e;
	assert_ok(list_get(&below, UINT32_MAX, &e));
	assert_ok(list_get(&above, 1, &e));
	assert_int_equal(list_get(&b.box, 1, &e).kind, FAIL_ABSENT);
	end(&b);
}

static void test_a_run_may_begin_below_the_first(void **state)
{
	(void)state;
	struct bench b;
	unsigned looked = 0;
	begin(&b);
	for (uint32_t uid = 1000; uid < 1200; uid++)
		add(&b.box, uid);
	for (uint32_t uid = 1000; uid < 1010; uid++)
		assert_ok(list_drop(&b.box, uid));
	const struct uid_run runs[] = {{1, 999}, {1, 1000}, {1, 1010}, {1011, UINT32_MAX}, {1300, 1301}};
	static const unsigned sum[] = {0, 0, 1, 190, 190};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		assert_ok(list_change(&b.box, &runs[i], &(struct list_change){odd_flags, &looked}));
		assert_int_equal(looked, sum[i]);
	}
	end(&b);
}

static void test_few_of_many_take_few_chunks(void **state)
{
	(void)state;
	struct bench b;
	struct model AUTO_MEM *m = mem_alloc(sizeof *m);
	assert_non_null(m);
	m->next = 1;
	begin(&b);
	grow(&b, m, MANY);
	for (size_t i = 0; i + 99 <= m->n; i++)
		drop_run(&b, m, i, 99);
	expect_same(&b, m);
	assert_true(m->n >= 30 && m->n < 130);
	assert_true(number(b.db, "SELECT count(*) FROM list") <= 6);
	end(&b);
}

static void test_a_mailbox_is_given_away_and_dropped(void **state)
{
	(void)state;
	struct bench b;
	struct entry e;
	begin(&b);
	const struct place above = {&b.lists, b.db, ABOVE};
	for (uint32_t i = 1; i <= 200; i++)
		add(&b.box, i);
	assert_ok(list_give_box(&b.box, ABOVE));
	assert_int_equal(list_get(&b.box, 150, &e).kind, FAIL_ABSENT);
	assert_ok(list_get(&above, 150, &e));
	expect_entry(&e, &(struct entry){entry_of(150).row, entry_of(150).dates});
	assert_ok(list_drop_box(&above));
	assert_int_equal(list_get(&above, 150, &e).kind, FAIL_ABSENT);
	assert_int_equal(number(b.db, "SELECT count(*) FROM list"), 0);
	end(&b);
}

/* ---- memory and the database ---- */

/* One message, on disk and known in memory. */
static void begin_with_one(struct bench *b)
{
	begin(b);
	add(&b->box, 1);
	assert_ok(lists_settle(&b->lists, b->db));
	lists_keep(&b->lists, b->db);
}

static void test_what_was_undone_is_not_in_memory(void **state)
{
	(void)state;
	struct bench b;
	struct entry e;
	begin_with_one(&b);
	for (int settled = 0; settled < 2; settled++) {
		assert_ok(db_part_begin(b.db));
		assert_ok(lists_begin(&b.lists, b.db));
		add(&b.box, 2);
		if (settled) {
			assert_ok(lists_settle(&b.lists, b.db));
			lists_keep(&b.lists, b.db);
		}
		db_part_undo(b.db);
		assert_ok(lists_begin(&b.lists, b.db));
		assert_int_equal(list_get(&b.box, 2, &e).kind, FAIL_ABSENT);
		assert_ok(list_get(&b.box, 1, &e));
	}
	end(&b);
}

static void test_another_hand_is_noticed(void **state)
{
	(void)state;
	struct bench b;
	struct entry e;
	begin_with_one(&b);
	assert_ok(db_exec(b.db, "DELETE FROM list"));
	assert_ok(lists_begin(&b.lists, b.db));
	assert_int_equal(list_get(&b.box, 1, &e).kind, FAIL_ABSENT);
	end(&b);
}

static void test_mailbox_numbers_end(void **state)
{
	(void)state;
	struct bench b;
	struct box_row last = {.tag = 1}, one_more = {.tag = 2};
	begin(&b);
	assert_ok(db_exec(b.db, "INSERT INTO sqlite_sequence VALUES('mailbox',2147483646)"));
	assert_ok(box_insert(b.db, &last, STR("last")));
	assert_int_equal(last.id, STORE_BOX_ID_MAX);
	add(&(struct place){&b.lists, b.db, last.id}, UINT32_MAX);
	assert_ok(lists_settle(&b.lists, b.db));
	assert_int_equal(box_insert(b.db, &one_more, STR("one more")).kind, FAIL_LIMIT);
	end(&b);
}

/* ---- damage ---- */

static result any(void *ctx, uint64_t box, const struct entry *e)
{
	uint32_t *before = ctx;
	assert_int_equal(box, BOX);
	assert_true(e->row.uid > *before);
	*before = e->row.uid;
	return OK;
}

static void put_raw(struct bench *b, str bytes)
{
	assert_ok(db_run(b->db, "UPDATE list SET records=?1 WHERE id=(SELECT min(id) FROM list)", DB_BLOB(bytes)));
	assert_ok(lists_begin(&b->lists, b->db));
}

/* Whatever the octets are: all of it in order, or DAMAGE. */
static void expect_honest(struct bench *b)
{
	uint32_t before = 0;
	struct entry e;
	result all = list_read(&(struct place){&b->lists, b->db, BOX}, &(struct list_reader){.take = any, .ctx = &before});
	result one = list_get(&b->box, 50, &e);
	assert_true(!failed(all) || all.kind == FAIL_DAMAGE);
	assert_true(!failed(one) || one.kind == FAIL_DAMAGE || (one.kind == FAIL_ABSENT && !failed(all)));
	assert_true(!failed(all) || failed(one) == failed(all));
}

static void test_damage_is_told(void **state)
{
	(void)state;
	struct bench b;
	unsigned char was[LIST_CHUNK + 1] = {0}, now[LIST_CHUNK + 1];
	begin(&b);
	for (uint32_t i = 1; i <= 90; i++)
		add(&b.box, i);
	assert_ok(lists_settle(&b.lists, b.db));
	memcpy(was, b.lists.open[b.lists.last].v, LIST_CHUNK);
	static const size_t lengths[] = {0, 1, LIST_RECORD, LIST_CHUNK - 1, LIST_CHUNK + 1};
	struct entry e;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		put_raw(&b, str_of((const char *)was, lengths[i]));
		assert_int_equal(list_get(&b.box, 1, &e).kind, FAIL_DAMAGE);
		expect_honest(&b);
	}
	srand(9);
	for (int i = 0; i < 3000; i++) {
		memcpy(now, was, sizeof now);
		for (int k = rand() % 4; k >= 0; k--)
			now[rand() % LIST_CHUNK] = (unsigned char)(rand() >> 4);
		put_raw(&b, str_of((const char *)now, LIST_CHUNK));
		expect_honest(&b);
	}
	put_raw(&b, str_of((const char *)was, LIST_CHUNK));
	assert_ok(list_get(&b.box, 90, &e));
	end(&b);
}

static void test_a_uid_is_added_once_and_in_order(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	add(&b.box, 5);
	assert_int_equal(list_add(&b.box, &(struct entry){.row = {.uid = 5}}).kind, FAIL_DAMAGE);
	assert_int_equal(list_put(&b.box, &(struct entry){.row = {.uid = 6}}).kind, FAIL_ABSENT);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_keeps_what_it_is_given),
		cmocka_unit_test(test_many_changes),
		cmocka_unit_test(test_a_run_may_begin_below_the_first),
		cmocka_unit_test(test_few_of_many_take_few_chunks),
		cmocka_unit_test(test_a_mailbox_is_given_away_and_dropped),
		cmocka_unit_test(test_what_was_undone_is_not_in_memory),
		cmocka_unit_test(test_another_hand_is_noticed),
		cmocka_unit_test(test_mailbox_numbers_end),
		cmocka_unit_test(test_damage_is_told),
		cmocka_unit_test(test_a_uid_is_added_once_and_in_order),
	};
	assert_ok(seal_start());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
