/* Letters that arrive while the owner is away: order, crashes, damage, a disk that fails. */
#include "account/arrivals_core.h"
#include "account/store/kit.h"
#include "base/mem.h"
#include "base/test.h"

#include <stdio.h>

enum { LETTERS = 6, LARGE = 300000, MAGIC = 8 /* octets before a file's name */ };

static const unsigned char vault_key[32] = "a key of the vault";

struct play {
	struct sim *sim;
	struct arrivals *a;
	struct owner_key owner;
	arena m;
	bool kept[LETTERS];
	unsigned times[LETTERS]; /* read */
	unsigned last;           /* number of the letter that was read last, from 1 */
	uint64_t lost, torn;
};

static struct item letter(struct play *p, unsigned i)
{
	AUTO_BUF buf b = buf_new(LARGE * 2);
	uint64_t state = i + 1;
	buf_printf(&b, "Subject: number %u\r\n\r\n", i);
	size_t size = i == 2 ? LARGE : 700 * i;
	while (b.n < size)
		buf_printf(&b, "known text %llx\r\n", (unsigned long long)sim_random(&state));
	return (struct item){.received = 1700000000 + i, .sender = STR("a@example.net"), .recipient = STR("b@example.test"),
		.trace = STR("Return-Path: <a@example.net>\r\n"), .facts = STR("facts"),
		.message = arena_dup(&p->m, buf_str(&b))};
}

static trace_id delivery(unsigned i)
{
	return (trace_id){{[15] = (unsigned char)(i + 1)}};
}

static result open_arrivals(struct play *p)
{
	const struct arrivals_plan plan = {sim_files(p->sim), vault_key, owner_key_public(&p->owner)};
	return arrivals_open(&plan, &p->a);
}

static result add(struct play *p, unsigned i)
{
	const struct item it = letter(p, i);
	const trace_id id = delivery(i);
	result r = arrivals_add(p->a, &id, &it);
	p->kept[i] = !failed(r);
	return r;
}

static void expect_letter(struct play *p, const struct arrivals_letter *l)
{
	unsigned i = l->delivery.b[15] - 1U;
	struct item want = letter(p, i);
	assert_true(i < LETTERS);
	assert_true(i + 1 > p->last); /* in the order in which they came */
	p->last = i + 1;
	p->times[i]++;
	assert_str(l->item.message, want.message);
	assert_str(l->item.trace, want.trace);
	assert_str(l->item.facts, want.facts);
	assert_int_equal(l->item.received, want.received);
}

/* Reads up to `most`, and says up to where. */
static result read_some(struct play *p, unsigned most, struct arrivals_mark *mark, bool clear)
{
	AUTO_BUF buf plain = buf_new(ARRIVALS_PLAIN_MAX);
	struct arrivals_reader r = arrivals_begin(p->a, &p->owner, mark);
	struct arrivals_letter l;
	bool more = true;
	result done = OK;
	while (most-- > 0 && more && !failed(done)) {
		done = arrivals_next(&r, &plain, &l, &more);
		if (!failed(done) && more) {
			expect_letter(p, &l);
			*mark = l.mark;
		}
	}
	if (!failed(done) && !more && clear)
		done = arrivals_clear(&r);
	p->lost += r.lost;
	p->torn += r.torn;
	arrivals_end(&r);
	return done;
}

static void on_fiber(void (*fn)(void *))
{
	struct play p = {.sim = sim_new(11), .owner = {"the key of the owner"}, .m = arena_new(64 << 20)};
	kit_on_fiber(fn, &p);
	arena_free(&p.m);
	sim_free(&p.sim);
}

static size_t files_of(struct play *p)
{
	size_t n = 0;
	for (uint64_t i = 1; i < 20; i++)
		n += sim_bytes(p->sim, arrivals_path(i).path).p != NULL;
	return n;
}

/* ---- */

static void in_order_on(void *arg)
{
	struct play *p = arg;
	struct arrivals_mark mark = {.upto = 0};
	assert_ok(open_arrivals(p));
	for (unsigned i = 0; i < LETTERS; i++)
		assert_ok(add(p, i));
	assert_int_equal(arrivals_count(p->a), LETTERS);
	assert_int_equal(files_of(p), 1);
	str bytes = sim_bytes(p->sim, "arrivals-1");
	assert_int_equal(str_find(bytes, STR("known text")), STR_NONE);
	assert_int_equal(str_find(bytes, STR("example.net")), STR_NONE);
	assert_ok(read_some(p, 2, &mark, false));
	assert_ok(read_some(p, 100, &mark, true)); /* goes on behind the mark */
	for (unsigned i = 0; i < LETTERS; i++)
		assert_int_equal(p->times[i], 1);
	assert_int_equal(files_of(p), 0);
	assert_int_equal(arrivals_count(p->a), 0);
	arrivals_close(&p->a);
}

static void letters_come_back_in_order(void **state)
{
	(void)state;
	on_fiber(in_order_on);
}

/* What comes after the last one was read is read by the same reader. */
static void meanwhile_on(void *arg)
{
	struct play *p = arg;
	const struct arrivals_mark none = {.upto = 0};
	AUTO_BUF buf plain = buf_new(ARRIVALS_PLAIN_MAX);
	struct arrivals_letter l;
	bool more;
	assert_ok(open_arrivals(p));
	struct arrivals_reader r = arrivals_begin(p->a, &p->owner, &none);
	for (unsigned i = 0; i < LETTERS; i++) {
		assert_ok(arrivals_next(&r, &plain, &l, &more));
		assert_false(more);
		assert_ok(add(p, i));
		assert_ok(arrivals_next(&r, &plain, &l, &more));
		assert_true(more);
		expect_letter(p, &l);
	}
	assert_ok(arrivals_next(&r, &plain, &l, &more));
	assert_false(more);
	assert_ok(arrivals_clear(&r));
	arrivals_end(&r);
	assert_int_equal(files_of(p), 0);
	arrivals_close(&p->a);
}

static void letters_that_come_meanwhile_are_read_too(void **state)
{
	(void)state;
	on_fiber(meanwhile_on);
}

/* ---- a file that is changed while no process is there */

static void arrive(struct play *p, unsigned n)
{
	assert_ok(open_arrivals(p));
	for (unsigned i = 0; i < n; i++)
		assert_ok(add(p, i));
	arrivals_close(&p->a);
}

static void flip(struct play *p, const char *name, uint64_t at)
{
	str bytes = sim_bytes(p->sim, name);
	assert_true(at < bytes.n);
	((char *)(uintptr_t)bytes.p)[at] ^= 1;
}

/* As a crash leaves it. */
static void put_a_piece(struct play *p)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, sim_bytes(p->sim, "arrivals-1"));
	for (unsigned i = 0; i < 40; i++)
		buf_put(&b, STR("a piece of a record"));
	sim_put(p->sim, "arrivals-1", buf_str(&b));
}

static void read_all(struct play *p)
{
	struct arrivals_mark mark = {.upto = 0};
	assert_ok(open_arrivals(p));
	p->last = 0;
	assert_ok(read_some(p, 100, &mark, true));
	assert_int_equal(files_of(p), 0);
	arrivals_close(&p->a);
}

static void reopened_on(void *arg)
{
	struct play *p = arg;
	struct arrivals_mark mark = {.upto = 0};
	for (unsigned i = 0; i < 3; i++) {
		assert_ok(open_arrivals(p));
		assert_int_equal(arrivals_count(p->a), i);
		assert_ok(add(p, i));
		arrivals_close(&p->a);
	}
	assert_int_equal(files_of(p), 1);
	put_a_piece(p); /* is passed over, and the next record begins another file */
	assert_ok(open_arrivals(p));
	assert_ok(add(p, 3));
	assert_int_equal(files_of(p), 2);
	assert_ok(read_some(p, 100, &mark, true));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(p->times[i], 1);
	assert_int_equal(p->lost, 0);
	assert_int_equal(p->torn, 1);
	assert_int_equal(files_of(p), 0);
	arrivals_close(&p->a);
}

static void what_follows_a_crash_goes_elsewhere(void **state)
{
	(void)state;
	on_fiber(reopened_on);
}

static void damage_on(void *arg)
{
	struct play *p = arg;
	arrive(p, 5);
	flip(p, "arrivals-1", FILE_HEAD + ARRIVALS_ALIGN * 2); /* in the second record's header, or its letter */
	flip(p, "arrivals-1", FILE_HEAD + ARRIVALS_ALIGN * 8); /* in the large one */
	read_all(p);
	assert_int_equal(p->lost, 2);
	assert_int_equal(p->times[0] + p->times[1] + p->times[2] + p->times[3] + p->times[4], 3);
	assert_non_null(sim_bytes(p->sim, "arrivals-1.damaged").p);
}

static void damage_costs_one_letter_and_is_told(void **state)
{
	(void)state;
	on_fiber(damage_on);
}

static void twice_on(void *arg)
{
	struct play *p = arg;
	arrive(p, 3);
	flip(p, "arrivals-1", FILE_HEAD + ARRIVALS_ALIGN * 2);
	read_all(p);
	arrive(p, 3);
	flip(p, "arrivals-2", FILE_HEAD + ARRIVALS_ALIGN * 2);
	read_all(p);
	assert_int_equal(p->lost, 2);
	assert_non_null(sim_bytes(p->sim, "arrivals-1.damaged").p);
	assert_non_null(sim_bytes(p->sim, "arrivals-2.damaged").p);
}

static void what_was_set_aside_stays(void **state)
{
	(void)state;
	on_fiber(twice_on);
}

/* Where the i-th record is, from 0. */
static uint64_t place_in(str bytes, unsigned i)
{
	struct record_place at = {vault_key, (const unsigned char *)bytes.p + MAGIC, FILE_HEAD};
	struct record r;
	for (; i > 0; i--) {
		assert_true(record_open(&at, (const unsigned char *)bytes.p + at.at, &r));
		at.at = record_end(at.at, &r);
	}
	return at.at;
}

/* A letter and the header behind it, in a file that a crash left open. */
static void neighbours_on(void *arg)
{
	struct play *p = arg;
	arrive(p, 5);
	uint64_t letter_at = place_in(sim_bytes(p->sim, "arrivals-1"), 1) + HEAD_SIZE;
	uint64_t header_at = place_in(sim_bytes(p->sim, "arrivals-1"), 2);
	flip(p, "arrivals-1", letter_at);
	flip(p, "arrivals-1", header_at);
	put_a_piece(p);
	read_all(p);
	assert_int_equal(p->lost, 2);
	assert_int_equal(p->torn, 1);
	assert_int_equal(p->times[0] + p->times[3] + p->times[4], 3);
}

static void each_place_is_counted_once(void **state)
{
	(void)state;
	on_fiber(neighbours_on);
}

/* It may have been cut off, and it may have been accepted and damaged since. */
static void last_on(void *arg)
{
	struct play *p = arg;
	arrive(p, 3);
	flip(p, "arrivals-1", sim_bytes(p->sim, "arrivals-1").n - 1);
	read_all(p);
	assert_int_equal(p->torn, 1);
	assert_int_equal(p->lost, 0);
	assert_int_equal(p->times[0] + p->times[1], 2);
	assert_int_equal(p->times[2], 0);
}

static void what_was_written_last_and_does_not_open_is_told(void **state)
{
	(void)state;
	on_fiber(last_on);
}

static void full_on(void *arg)
{
	struct play *p = arg;
	struct arrivals_mark mark = {.upto = 0};
	assert_ok(open_arrivals(p));
	assert_ok(add(p, 0));
	for (unsigned i = 0; i < 8; i++) {
		sim_fault_at(p->sim, SIM_FULL_ONCE, 1);
		assert_int_equal(add(p, 1).kind, FAIL_FULL);
	}
	sim_fault_at(p->sim, SIM_NONE, 0);
	assert_ok(add(p, 2));
	assert_int_equal(files_of(p), 1);
	assert_ok(read_some(p, 100, &mark, true));
	assert_int_equal(p->times[0] + p->times[2], 2);
	assert_int_equal(p->times[1], 0);
	arrivals_close(&p->a);
}

static void a_full_disk_leaves_nothing_half(void **state)
{
	(void)state;
	on_fiber(full_on);
}

/* ---- the N-th operation fails, or is the machine's last ---- */

struct trial {
	struct play *p;
	enum sim_fault fault;
	uint64_t n;
	bool hit;
	struct arrivals_mark mark; /* as the database would have it: durable with what was read */
};

/* Letters come, some are merged, more come, all are merged. */
static result act(struct trial *t)
{
	TRY(open_arrivals(t->p));
	for (unsigned i = 0; i < 4; i++)
		TRY(add(t->p, i));
	TRY(read_some(t->p, 2, &t->mark, false));
	for (unsigned i = 4; i < LETTERS; i++)
		TRY(add(t->p, i));
	return read_some(t->p, 100, &t->mark, true);
}

static void trial_on(void *arg)
{
	struct trial *t = arg;
	sim_fault_at(t->p->sim, t->fault, t->n);
	result r = act(t);
	t->hit = failed(r);
	arrivals_close(&t->p->a);
	if (t->fault == SIM_CRASH)
		sim_crash(t->p->sim);
	sim_fault_at(t->p->sim, SIM_NONE, 0);
	assert_ok(open_arrivals(t->p));
	assert_ok(read_some(t->p, 100, &t->mark, true));
	assert_int_equal(files_of(t->p), 0);
	assert_int_equal(t->p->lost, 0);
	for (unsigned i = 0; i < LETTERS; i++) {
		assert_true(t->p->times[i] <= 1);
		assert_true(t->p->times[i] || !t->p->kept[i]);
	}
	arrivals_close(&t->p->a);
}

static bool one_trial(enum sim_fault fault, uint64_t n)
{
	struct play p = {.sim = sim_new(n), .owner = {"the key of the owner"}, .m = arena_new(64 << 20)};
	struct trial t = {.p = &p, .fault = fault, .n = n};
	kit_on_fiber(trial_on, &t);
	arena_free(&p.m);
	sim_free(&p.sim);
	return t.hit;
}

static void every_operation_may_be_the_last(void **state)
{
	(void)state;
	uint64_t n = 1;
	while (one_trial(SIM_CRASH, n))
		n++;
	assert_true(n > 20);
}

static void every_operation_may_fail(void **state)
{
	(void)state;
	uint64_t n = 1;
	while (one_trial(SIM_REFUSE, n))
		n++;
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_come_back_in_order), cmocka_unit_test(letters_that_come_meanwhile_are_read_too),
		cmocka_unit_test(what_follows_a_crash_goes_elsewhere),
		cmocka_unit_test(damage_costs_one_letter_and_is_told), cmocka_unit_test(what_was_set_aside_stays),
		cmocka_unit_test(each_place_is_counted_once),
		cmocka_unit_test(what_was_written_last_and_does_not_open_is_told),
		cmocka_unit_test(a_full_disk_leaves_nothing_half),
		cmocka_unit_test(every_operation_may_be_the_last), cmocka_unit_test(every_operation_may_fail),
	};
	return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
