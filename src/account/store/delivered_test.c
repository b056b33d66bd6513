/* Each delivery id brings its message once, whatever its time says and whatever
 * became of the message meanwhile. */
#include "account/store/core.h"
#include "account/store/kit.h"
#include "run/clock.h"
#include "run/fiber.h"

static trace_id made_at(uint64_t ms, unsigned char number)
{
	trace_id id = {{0}};
	for (unsigned i = 0; i < 6; i++)
		id.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	id.b[9] = number;
	id.b[15] = (unsigned char)(7 * number);
	return id;
}

static bool is_new(struct kit *k, trace_id id)
{
	struct letter l = kit_letter(k, "once", 100);
	struct incoming a = {id, 1700000000, STR(""), {0}, &l};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &a, &done));
	return !done.duplicate;
}

static void expect_kept(struct kit *k, const trace_id *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool fresh = is_new(k, ids[i]);
		if (fresh)
			print_message("id %zu was kept again\n", i);
		assert_false(fresh);
	}
}

static void all_times(struct kit *k)
{
	uint64_t now = (uint64_t)clock_wall_ms(), day = 86400 * 1000;
	const uint64_t times[] = {0, 1, now - 13 * day, now - 120 * 1000, now - 59 * 1000, now - 1, now, now, now + 5,
		now + 3600 * 1000, now + 400 * day, (UINT64_C(1) << 43) - 1, UINT64_C(1) << 43, (UINT64_C(1) << 48) - 1};
	enum { TIMES = sizeof times / sizeof *times };
	trace_id ids[TIMES];
	for (unsigned i = 0; i < TIMES; i++) {
		ids[i] = made_at(times[i], (unsigned char)i);
		assert_true(is_new(k, ids[i]));
	}
	expect_kept(k, ids, TIMES);
	kit_reopen(k);
	expect_kept(k, ids, TIMES);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), TIMES);
	for (uint32_t uid = 1; uid <= TIMES; uid++)
		assert_ok(message_remove(v, &(struct uids){&uid, 1}));
	view_close(&v);
	expect_kept(k, ids, TIMES);
	kit_reopen(k);
	expect_kept(k, ids, TIMES);
}

static void more_than_are_at_hand(struct kit *k)
{
	trace_id ids[2 * DELIVERED_RECENT + 10];
	size_t n = sizeof ids / sizeof *ids;
	for (size_t i = 0; i < n; i++) {
		ids[i] = kit_delivery(k);
		assert_true(is_new(k, ids[i]));
		assert_false(is_new(k, ids[i]));
		assert_false(is_new(k, ids[i / 2]));
	}
	expect_kept(k, ids, n);
}

static void a_copy_keeps_the_id(struct kit *k)
{
	trace_id id = kit_delivery(k);
	assert_true(is_new(k, id));
	struct view *v = kit_view(k, "INBOX");
	struct uids one = {(uint32_t[]){1}, 1};
	struct copied copied;
	assert_ok(message_copy(v, &(struct copy_order){&one, STR("Archive"), false}, &k->m, &copied));
	assert_ok(message_remove(v, &one));
	view_close(&v);
	kit_reopen(k);
	assert_false(is_new(k, id));
	assert_ok(mailbox_rename(&k->owner, STR("Archive"), STR("Old")));
	assert_ok(mailbox_delete(&k->owner, STR("Old")));
	assert_false(is_new(k, id));
	kit_reopen(k);
	assert_false(is_new(k, id));
}

/* ---- at once, so that they share a transaction */

struct same {
	struct kit *k;
	trace_id id;
	unsigned kept, running;
	struct gate done;
};

static void deliver_the_same(void *arg)
{
	struct same *s = arg;
	s->kept += is_new(s->k, s->id);
	if (--s->running == 0)
		gate_wake_all(&s->done);
}

static void several_at_once(struct kit *k)
{
	for (int round = 0; round < 20; round++) {
		struct same s = {.k = k, .id = kit_delivery(k), .running = 5};
		gate_init(&s.done);
		for (int i = 0; i < 5; i++)
			assert_ok(fiber_start(deliver_the_same, &s, "courier", NULL));
		while (s.running)
			assert_ok(gate_wait(&s.done, FIBER_FOREVER));
		assert_int_equal(s.kept, 1);
	}
}

/* Ids that differ but have the same time and tag. */
static void alike(struct kit *k)
{
	uint64_t now = (uint64_t)clock_wall_ms();
	for (unsigned char i = 0; i < 40; i++) {
		trace_id id = made_at(now, i);
		id.b[14] = id.b[15] = 3;
		assert_true(is_new(k, id));
	}
}

/* What arrives in the usual way touches no page of the table. */
static void fresh_ones_need_no_row(struct kit *k)
{
	for (int i = 0; i < 300; i++)
		assert_true(is_new(k, kit_delivery(k)));
	assert_int_equal(kit_number(k, "SELECT count(*) FROM delivered"), 0);
}

/* ---- what is damaged is mended without forgetting */

static void mend(struct kit *k)
{
	struct findings f;
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(f.n > 0);
	assert_ok(store_check(&k->administrator, false, &k->m, &f));
	assert_int_equal(f.n, 0);
}

static void counts_that_lag_behind(struct kit *k)
{
	trace_id id = kit_delivery(k);
	assert_true(is_new(k, id));
	kit_write(k, "UPDATE counts SET next=1 WHERE id=0");
	kit_reopen(k);
	assert_false(is_new(k, id));
	mend(k);
	assert_false(is_new(k, id));
}

static void an_id_beside_its_time(struct kit *k)
{
	trace_id id = {{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 1}}; /* about 2039 */
	assert_true(is_new(k, kit_delivery(k)));
	kit_write(k, "UPDATE content SET delivery=x'01ffffffffff01000000000000000000'");
	mend(k);
	assert_false(is_new(k, id));
	kit_reopen(k);
	assert_false(is_new(k, id));
}

static void an_id_cut_short(struct kit *k)
{
	assert_true(is_new(k, kit_delivery(k)));
	kit_write(k, "UPDATE content SET delivery=x'01ff'");
	mend(k);
}

#define TESTS(X) X(all_times) X(more_than_are_at_hand) X(a_copy_keeps_the_id) X(several_at_once) X(alike) \
	X(fresh_ones_need_no_row) X(counts_that_lag_behind) X(an_id_beside_its_time) X(an_id_cut_short)
#define RUN(NAME)                    \
	static void test_##NAME(void **state) \
	{                                 \
		(void)state;              \
		kit_run(NAME);            \
	}
TESTS(RUN)
#define ENTRY(NAME) cmocka_unit_test(test_##NAME),

int main(void)
{
	const struct CMUnitTest tests[] = {TESTS(ENTRY)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
