#include "engine/kept_log.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "engine/files_sim.h"
#include "engine/seal.h"
#include "run/random.h"

#include <stdio.h>

static const unsigned char key[BOX_KEY] = "a key", other_key[BOX_KEY] = "another key", id[BOX_ID] = "an id";

enum { SHORT = 100, LONG = 3 * FILES_BLOCK, FILES = KEPT_ROOM / FILES_BLOCK };

static struct kept_log *opened_with(struct sim *sim, const unsigned char *k, bool salvage)
{
	struct kept_log *l = NULL;
	const struct kept_log_plan plan = {sim_files(sim), "t-kept", k, id, salvage};
	assert_ok(kept_log_new(&plan, &l));
	return l;
}

static struct kept_log *opened(struct sim *sim)
{
	return opened_with(sim, key, false);
}

/* Record n says its number, as often as it has room; its length follows from n. */
static str record(unsigned n, buf *out)
{
	buf_clear(out);
	for (size_t size = n % 3 ? SHORT : LONG; out->n + 12 < size;)
		buf_printf(out, "record %04u.", n);
	return buf_str(out);
}

static result add(struct kept_log *l, unsigned n)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	return kept_log_add(l, record(n, &b));
}

struct found {
	unsigned next, n;
};

static result see(void *ctx, str bytes)
{
	struct found *f = ctx;
	AUTO_BUF buf b = buf_new(1 << 20);
	assert_str(bytes, record(f->next++, &b));
	f->n++;
	return OK;
}

/* All from `first` on, of that generation; and how many. */
static unsigned found(struct kept_log *l, uint64_t generation, unsigned first)
{
	struct found f = {.next = first};
	result r = kept_log_find(l, generation);
	if (r.kind != FAIL_ABSENT)
		assert_ok(r);
	assert_ok(kept_log_read(l, see, &f));
	return f.n;
}

static struct sim *sim_with(unsigned n)
{
	struct sim *sim = sim_new(n);
	struct kept_log *l = opened(sim);
	kept_log_begin(l, 7);
	for (unsigned i = 0; i < n; i++)
		assert_ok(add(l, i));
	kept_log_free(&l);
	return sim;
}

static void what_was_added_is_found_in_order(void **state)
{
	(void)state;
	struct sim *sim = sim_with(10);
	struct kept_log *l = opened(sim);
	assert_int_equal(found(l, 7, 0), 10);
	assert_ok(add(l, 10));
	kept_log_free(&l);
	l = opened(sim);
	assert_int_equal(found(l, 7, 0), 11);
	kept_log_trim(l);
	assert_int_equal(found(l, 7, 0), 11);
	kept_log_free(&l);
	sim_free(&sim);
}

static void a_generation_is_not_the_next_one(void **state)
{
	(void)state;
	struct sim *sim = sim_with(10);
	struct kept_log *l = opened(sim);
	assert_int_equal(found(l, 8, 0), 0);
	for (unsigned i = 20; i < 23; i++)
		assert_ok(add(l, i));
	kept_log_begin(l, 9);
	assert_ok(add(l, 30));
	kept_log_free(&l);
	l = opened(sim);
	assert_int_equal(found(l, 9, 30), 1);
	assert_int_equal(kept_log_find(l, 7).kind, FAIL_DAMAGE); /* what is left of it is not its beginning */
	assert_int_equal(found(l, 10, 0), 0);
	kept_log_free(&l);
	sim_free(&sim);
}

static void nobody_else_reads_it(void **state)
{
	(void)state;
	struct sim *sim = sim_with(4);
	assert_int_equal(str_find(sim_bytes(sim, "t-kept"), STR("record")), STR_NONE);
	struct kept_log *l = opened_with(sim, other_key, false);
	assert_int_equal(kept_log_find(l, 7).kind, FAIL_ABSENT);
	kept_log_free(&l);
	sim_free(&sim);
}

/* ---- damage ---- */

static void hurt(struct sim *sim, size_t at)
{
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, sim_bytes(sim, "t-kept"));
	b.p[at] = (char)(b.p[at] ^ 4);
	sim_put(sim, "t-kept", buf_str(&b));
}

/* Record 0 has four blocks, 1 and 2 one each, 3 four. */
static void damage_that_others_follow_is_told(void **state)
{
	(void)state;
	static const size_t places[] = {0, 8, 20, 5000, 4 * FILES_BLOCK, 4 * FILES_BLOCK + 50};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct sim *sim = sim_with(4);
		hurt(sim, places[i]);
		struct kept_log *l = opened(sim);
		assert_int_equal(kept_log_find(l, 7).kind, FAIL_DAMAGE);
		kept_log_free(&l);
		sim_free(&sim);
	}
}

static void damage_to_the_last_looks_torn(void **state)
{
	(void)state;
	static const size_t places[] = {6 * FILES_BLOCK, 6 * FILES_BLOCK + 8, 6 * FILES_BLOCK + 9000};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct sim *sim = sim_with(4);
		hurt(sim, places[i]);
		struct kept_log *l = opened(sim);
		assert_int_equal(found(l, 7, 0), 3);
		kept_log_free(&l);
		sim_free(&sim);
	}
}

static void places_are_not_changed(void **state)
{
	(void)state;
	struct sim *sim = sim_with(4);
	AUTO_BUF buf b = buf_new(1 << 20);
	unsigned char block[FILES_BLOCK];
	buf_put(&b, sim_bytes(sim, "t-kept"));
	memcpy(block, b.p + 4 * FILES_BLOCK, sizeof block);
	memcpy(b.p + 4 * FILES_BLOCK, b.p + 5 * FILES_BLOCK, sizeof block);
	memcpy(b.p + 5 * FILES_BLOCK, block, sizeof block);
	sim_put(sim, "t-kept", buf_str(&b));
	struct kept_log *l = opened(sim);
	assert_int_equal(kept_log_find(l, 7).kind, FAIL_DAMAGE);
	kept_log_free(&l);
	sim_free(&sim);
}

static result count(void *ctx, str bytes)
{
	(void)bytes;
	++*(unsigned *)ctx;
	return OK;
}

static void salvage_gives_the_others(void **state)
{
	(void)state;
	struct sim *sim = sim_with(4);
	unsigned n = 0;
	hurt(sim, 4 * FILES_BLOCK + 50);
	struct kept_log *l = opened_with(sim, key, true);
	assert_ok(kept_log_find(l, 7));
	assert_ok(kept_log_read(l, count, &n));
	assert_int_equal(n, 3);
	kept_log_free(&l);
	sim_free(&sim);
}

static void a_file_that_was_cut_off_ends_there(void **state)
{
	(void)state;
	struct sim *sim = sim_with(4);
	AUTO_BUF buf b = buf_new(1 << 20);
	buf_put(&b, sim_bytes(sim, "t-kept"));
	sim_put(sim, "t-kept", str_sub(buf_str(&b), 0, 6 * FILES_BLOCK + 100));
	struct kept_log *l = opened(sim);
	assert_int_equal(found(l, 7, 0), 3);
	assert_ok(add(l, 3));
	assert_ok(add(l, 4));
	kept_log_free(&l);
	l = opened(sim);
	assert_int_equal(found(l, 7, 0), 5);
	kept_log_free(&l);
	sim_free(&sim);
}

/* ---- limits ---- */

static void what_has_no_room_is_refused(void **state)
{
	(void)state;
	struct sim *sim = sim_new(1);
	struct kept_log *l = opened(sim);
	AUTO_BUF buf b = buf_new(KEPT_RECORD_MAX + 1);
	unsigned n = 0;
	while (b.n < KEPT_RECORD_MAX)
		buf_putc(&b, 'x');
	kept_log_begin(l, 1);
	assert_int_equal(kept_log_add(l, STR("")).kind, FAIL_LIMIT);
	assert_ok(kept_log_add(l, buf_str(&b)));
	buf_putc(&b, 'x');
	assert_int_equal(kept_log_add(l, buf_str(&b)).kind, FAIL_LIMIT);
	while (!failed(kept_log_add(l, STR("short"))))
		n++;
	assert_int_equal(n, FILES - KEPT_UNIT_MAX / FILES_BLOCK);
	assert_int_equal(sim_bytes(sim, "t-kept").n, KEPT_ROOM);
	kept_log_begin(l, 2);
	assert_ok(kept_log_add(l, STR("short")));
	assert_int_equal(sim_bytes(sim, "t-kept").n, KEPT_ROOM);
	kept_log_free(&l);
	sim_free(&sim);
}

/* ---- a bad disk: what was answered OK is there, and nothing by half ---- */

enum { TRIES = 12 };

static bool try_at(enum sim_fault fault, uint64_t n)
{
	struct sim *sim = sim_new(n);
	struct kept_log *l = opened(sim);
	unsigned kept = 0;
	sim_fault_at(sim, fault, n);
	kept_log_begin(l, 7);
	while (kept < TRIES && !failed(add(l, kept)))
		kept++;
	bool hit = sim_steps(sim) >= n;
	kept_log_free(&l);
	sim_fault_at(sim, SIM_NONE, 0);
	if (fault == SIM_CRASH)
		sim_crash(sim);
	l = opened(sim);
	unsigned there = found(l, 7, 0);
	assert_in_range(there, kept, kept + (fault != SIM_FULL));
	sim_crash(sim); /* what was found is durable */
	kept_log_free(&l);
	l = opened(sim);
	assert_int_equal(found(l, 7, 0), there);
	for (; there < TRIES; there++)
		assert_ok(add(l, there));
	assert_int_equal(found(l, 7, 0), TRIES);
	kept_log_free(&l);
	sim_free(&sim);
	return hit;
}

static void a_bad_disk_loses_nothing(void **state)
{
	(void)state;
	static const enum sim_fault faults[] = {SIM_CRASH, SIM_REFUSE, SIM_FULL, SIM_FULL_SYNC};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		uint64_t n = 1;
		while (try_at(faults[i], n))
			n++;
		assert_true(n > TRIES);
	}
}

static void memory_is_refused(void **state)
{
	(void)state;
	unsigned refused = 0;
	for (uint64_t n = 1, hit = 1; hit; n++) {
		struct sim *sim = sim_with(3);
		struct kept_log *l = NULL;
		const struct kept_log_plan plan = {sim_files(sim), "t-kept", key, id, false};
		mem_fail_at(n);
		result r = kept_log_new(&plan, &l);
		if (!failed(r))
			r = kept_log_find(l, 7);
		if (!failed(r))
			r = kept_log_add(l, STR("short"));
		hit = mem_count() >= n;
		mem_fail_at(0);
		assert_true(!failed(r) || (hit && r.kind == FAIL_MEMORY)); /* some are the disk's, which asks again */
		refused += failed(r);
		kept_log_free(&l);
		sim_free(&sim);
	}
	assert_true(refused >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_in_order),
		cmocka_unit_test(a_generation_is_not_the_next_one),
		cmocka_unit_test(nobody_else_reads_it),
		cmocka_unit_test(damage_that_others_follow_is_told),
		cmocka_unit_test(damage_to_the_last_looks_torn),
		cmocka_unit_test(places_are_not_changed),
		cmocka_unit_test(salvage_gives_the_others),
		cmocka_unit_test(a_file_that_was_cut_off_ends_there),
		cmocka_unit_test(what_has_no_room_is_refused),
		cmocka_unit_test(a_bad_disk_loses_nothing),
		cmocka_unit_test(memory_is_refused),
	};
	if (failed(random_open()) || failed(seal_start()))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
