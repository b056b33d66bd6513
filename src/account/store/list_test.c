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
		{{4, 1, 1, 1, 1}, {INT64_MAX, INT64_MIN, 0}},
		{{5, 1, UINT64_MAX, UINT64_MAX, 0}, {INT64_MIN, INT64_MAX, INT16_MIN}},
		{{6, 1, 0, 0, UINT64_MAX}, {0, 0, INT16_MAX}},
		{{UINT32_MAX, 9, 8, 7, 6}, {least, least, INT16_MIN}},
	};
	struct entry e;
	struct bench b;
	begin(&b);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		assert_ok(list_add(&b.box, &ends[i]));
	for (int settled = 0; settled < 2; settled++) {
		for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
			assert_ok(list_get(&b.box, ends[i].row.uid, &e));
			expect_entry(&e, &ends[i]);
		}
		assert_ok(lists_settle(&b.lists, b.db));
		b.lists = (struct lists){0};
		assert_ok(lists_begin(&b.lists, b.db));
	}
	end(&b);
}

static void test_a_record_by_itself(void **state)
{
	(void)state;
	const struct entry beyond = {{4, 1, LIST_MODSEQ_MAX, 1, 1}, {INT64_MAX, INT64_MIN, INT16_MIN}};
	const struct entry all[] = {entry_of(77), {{3, UINT32_MAX, LIST_MODSEQ_MAX, UINT64_MAX, UINT64_MAX},
		{LIST_DATE_MAX, LIST_DATE_MIN, INT16_MAX}}, {{1, 0, 0, 0, 0}, {-1, -1, -1}}};
	unsigned char octets[LIST_RECORD];
	struct entry e;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		record_put(octets, &all[i]);
		record_get(octets, &e);
		expect_entry(&e, &all[i]);
	}
	record_put(octets, &beyond);
	record_get(octets, &e);
	assert_int_equal(e.dates.date, LIST_DATE_MAX);
	assert_int_equal(e.dates.saved, LIST_DATE_MIN);
}

/* What comes by SMTP, one a minute. */
static void test_few_octets_for_a_letter(void **state)
{
	(void)state;
	struct entry v[2];
	for (uint32_t i = 0; i < 2; i++) {
		int64_t second = 1700000000 + 60 * i;
		uint64_t content = (uint64_t)second * 1000000 << 10;
		v[i] = (struct entry){{i + 1, 5000 + i, i + 10, 0, content}, {second, second, 0}};
	}
	assert_int_equal(list_packed(&v[0], &v[1]), 1 + 2 + 6);
}

/* The one form of it, and octets that are nearly one. */
static void test_octets_that_are_no_chunk(void **state)
{
	(void)state;
	static const struct {
		const char *octets;
		size_t n;
		bool good;
	} all[] = {
		{"\0\0", 2, true},
		{"\1\0\1\4\0", 5, true},                                   /* uid 5 */
		{"\1\0\1\3\0", 5, false},                                  /* below the chunk's own number */
		{"\2\0\1\4\1\3\0", 7, true},                               /* uids 5 and 9 */
		{"\2\0\1\4\1\4\0", 7, false},                              /* the next chunk's */
		{"\1\0\1\4\1", 5, false},                                  /* something behind the last record */
		{"\1\0\1\0\0", 5, false},                                  /* what is foretold is left out */
		{"\1\0\1\x84\0\0", 6, false},                              /* longer than needed */
		{"\1\0\1\xfe\xff\xff\xff\x0f\0", 9, false},                /* 4294967295 is not below the next chunk */
		{"\1\0\1\xff\xff\xff\xff\x0f\0", 9, false},                /* no uid: 4294967296 */
		{"\1\0\1\x84\x80\x80\x80\x10\0", 9, false},                /* nor 4294967301 */
		{"\1\0\3\4\xff\xff\xff\xff\x0f\0", 10, true},              /* a size of 4294967295 */
		{"\1\0\3\4\x80\x80\x80\x80\x10\0", 10, false},             /* and one more */
		{"\1\0\x81\4\xfe\xff\3\0", 8, true},                       /* 32767 minutes */
		{"\1\0\x81\4\x80\x80\4\0", 8, false},                      /* and one more */
		{"\1\0\x11\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 15, true}, /* all flags */
		{"\1\0\x11\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0", 15, false}, /* more than 64 bits */
		{"\x81\1\1\4\0", 5, false},                                /* 385 records */
	};
	static struct entry v[LIST_RECORDS];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		unsigned char chunk[LIST_CHUNK] = {0};
		size_t n;
		memcpy(chunk, all[i].octets, all[i].n);
		bool good = list_unpack(str_of((const char *)chunk, LIST_CHUNK), 5, 10, v, &n);
		if (good != all[i].good)
			fail_msg("row %zu", i);
	}
}

static void test_a_record_that_the_chunk_cuts_off(void **state)
{
	(void)state;
	static struct entry v[LIST_RECORDS];
	unsigned char chunk[LIST_CHUNK];
	size_t n;
	static const unsigned char record[] = {0x11, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
	chunk[0] = LIST_RECORDS & 0xff;
	chunk[1] = LIST_RECORDS >> 8;
	for (size_t at = LIST_PACKED_HEAD; at < LIST_CHUNK; at++)
		chunk[at] = record[(at - LIST_PACKED_HEAD) % sizeof record];
	assert_false(list_unpack(str_of((const char *)chunk, LIST_CHUNK), 0, UINT64_MAX, v, &n));
}

/* ---- against an array ---- */

struct model {
	struct entry v[MANY + STEPS];
	size_t n, at;
	uint32_t next;
};

static struct model *begin_with_model(struct bench *b)
{
	struct model *m = mem_alloc(sizeof *m);
	assert_non_null(m);
	m->next = 1;
	begin(b);
	return m;
}

static result compare(void *ctx, uint64_t box, const struct entry *e)
{
	struct model *m = ctx;
	assert_int_equal(box, BOX);
	assert_true(m->at < m->n);
	expect_entry(e, &m->v[m->at++]);
	return OK;
}

/* What is in memory, and not changed, is what a row of the database has. */
static void expect_on_disk(const struct bench *b)
{
	unsigned char packed[LIST_CHUNK];
	for (const struct chunk *c = b->lists.open; c < b->lists.open + LIST_OPEN; c++) {
		if (!c->id || c->changed)
			continue;
		int64_t there;
		assert_true(list_pack(c->v, c->n, packed));
		assert_ok(db_get(b->db, &there, "SELECT count(*) FROM list WHERE id=?1 AND records=?2", DB_INT(c->id),
			DB_BLOB(str_of((const char *)packed, LIST_CHUNK))));
		assert_int_equal(there, 1);
	}
}

static void expect_same(struct bench *b, struct model *m)
{
	m->at = 0;
	assert_ok(lists_settle(&b->lists, b->db));
	expect_on_disk(b);
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

/* Longer than all but few. */
static uint64_t wide(uint32_t uid)
{
	return UINT64_C(0x9E3779B97F4A7C15) * uid;
}

static result widen(void *ctx, struct entry *e, bool *changed)
{
	(void)ctx;
	*changed = true;
	e->row.flags = wide(e->row.uid);
	e->row.modseq = wide(e->row.uid) >> 16;
	return OK;
}

static void widen_run(struct bench *b, struct model *m, size_t from, size_t n)
{
	const struct uid_run run = {m->v[from].row.uid, m->v[from + n - 1].row.uid};
	assert_ok(list_change(&b->box, &run, &(struct list_change){widen, NULL}));
	for (size_t i = from; i < from + n; i++) {
		m->v[i].row.flags = wide(m->v[i].row.uid);
		m->v[i].row.modseq = wide(m->v[i].row.uid) >> 16;
	}
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
	struct model AUTO_MEM *m = begin_with_model(&b);
	srand(4);
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

/* Where flags no longer fit a page its chunk is halved; every record is found as before, and few chunks are left when
 * the messages go. */
static void test_chunks_that_outgrow_their_page(void **state)
{
	(void)state;
	struct bench b;
	struct model AUTO_MEM *m = begin_with_model(&b);
	srand(5);
	grow(&b, m, MANY);
	expect_same(&b, m);
	int64_t before = number(b.db, "SELECT count(*) FROM list");
	for (int i = 0; i < 300; i++) {
		size_t from = (size_t)rand() % m->n, n = 1 + (size_t)rand() % (i % 2 ? 3 : 400);
		widen_run(&b, m, from, n < m->n - from ? n : m->n - from);
		if (i % 50 == 0)
			expect_same(&b, m);
		grow(&b, m, 1);
	}
	widen_run(&b, m, 0, m->n);
	expect_same(&b, m);
	int64_t after = number(b.db, "SELECT count(*) FROM list");
	assert_true(after > before * 2 && after <= before * 6);
	for (size_t i = 0; i < m->n; i += 17) {
		struct entry e;
		assert_ok(list_get(&b.box, m->v[i].row.uid, &e));
		expect_entry(&e, &m->v[i]);
	}
	change_run(&b, m, 0, m->n);
	expect_same(&b, m);
	drop_run(&b, m, 0, m->n - 5);
	expect_same(&b, m);
	assert_true(number(b.db, "SELECT count(*) FROM list") <= 3 + LIST_AHEAD_MAX);
	end(&b);
}

static size_t octets_of(const struct chunk *c)
{
	size_t octets = 0;
	for (size_t i = 0; i < c->n; i++)
		octets += list_packed(i ? &c->v[i - 1] : NULL, &c->v[i]);
	return octets;
}

/* So that there is room for what changes; also behind records that have become longer. */
static void test_nothing_is_added_to_a_chunk_that_is_full(void **state)
{
	(void)state;
	struct bench b;
	struct model AUTO_MEM *m = begin_with_model(&b);
	for (int i = 0; i < MANY; i++) {
		grow(&b, m, 1);
		size_t octets = octets_of(&b.lists.open[b.lists.last]);
		assert_true(octets <= LIST_FULL);
		if (octets > LIST_FULL * 9 / 10)
			widen_run(&b, m, m->n - 200, 200);
	}
	expect_same(&b, m);
	end(&b);
}

/* A large mailbox's chunks lie together, and those behind its last message are used before others are made. */
static void test_chunks_are_made_ahead(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	assert_ok(db_exec(b.db, "INSERT INTO counts VALUES(7,1,1,1,40000,0,0,0,0,0,0)"));
	static const char used[] = "SELECT count(*) FROM list WHERE substr(records,1,2)<>x'0000'";
	for (uint32_t uid = 1; uid <= 8000; uid++) {
		struct entry e = entry_of(uid);
		if (uid % 2000 > 1000)
			assert_ok(widen(NULL, &e, &(bool){false}));
		assert_ok(list_add(&b.box, &e));
		if (uid == 1000)
			assert_true(number(b.db, "SELECT count(*) FROM list") > 8);
	}
	assert_ok(lists_settle(&b.lists, b.db));
	int64_t all = number(b.db, "SELECT count(*) FROM list"), n = number(b.db, used);
	assert_true(n <= 8000 / 100);
	assert_true(all <= n + LIST_AHEAD_MAX);
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
	struct model AUTO_MEM *m = begin_with_model(&b);
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
	assert_true(list_pack(b.lists.open[b.lists.last].v, b.lists.open[b.lists.last].n, was));
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
		cmocka_unit_test(test_a_record_by_itself),
		cmocka_unit_test(test_few_octets_for_a_letter),
		cmocka_unit_test(test_octets_that_are_no_chunk),
		cmocka_unit_test(test_a_record_that_the_chunk_cuts_off),
		cmocka_unit_test(test_many_changes),
		cmocka_unit_test(test_chunks_that_outgrow_their_page),
		cmocka_unit_test(test_nothing_is_added_to_a_chunk_that_is_full),
		cmocka_unit_test(test_chunks_are_made_ahead),
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
