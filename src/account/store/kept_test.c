/* Letters that are durable before they are rows: nobody can tell, but by the time that it takes. */
#include "account/store/core.h"
#include "account/store/kit.h"
#include "account/store/reseal.h"
#include "base/mem.h"
#include "run/clock.h"

/* What is as old as the last one put in may be there already, and is looked up. */
static void await_new_ids(const struct kit *k)
{
	while ((uint64_t)clock_wall_ms() * 1000 <= k->store->delivered.floor)
		continue;
}

static void deliver(struct kit *k, unsigned n)
{
	await_new_ids(k);
	for (unsigned i = 0; i < n; i++)
		assert_ok(kit_deliver(k, "", "new", 100));
}

static uint32_t status(struct kit *k)
{
	struct mailbox_status s;
	assert_ok(mailbox_status_of(&k->owner, STR("INBOX"), &s));
	assert_int_equal(s.uidnext, s.messages + 1);
	return s.messages;
}

struct asked {
	int64_t rows;
};

static result ask(struct db *db, void *arg)
{
	struct asked *a = arg;
	return db_get(db, &a->rows, "SELECT count(*) FROM content");
}

/* As the database has them; nothing is put in for that. */
static int64_t rows(struct kit *k)
{
	struct asked a = {0};
	assert_ok(store_read(k->store, ask, NULL, &a));
	return a.rows;
}

static void expect_only_kept(struct kit *k, uint64_t n)
{
	struct store_usage u;
	assert_int_equal(k->store->kept.count, n);
	assert_int_equal(rows(k), 0);
	assert_ok(store_usage_of(&k->administrator, &u));
	assert_int_equal(u.messages, n);
	assert_true(n == 0 || u.octets > n * 100);
}

/* The process dies: nothing is written at its end. */
static void die(struct kit *k, bool power)
{
	sim_fault_at(k->sim, SIM_CRASH, 1);
	kit_close(k);
	sim_fault_at(k->sim, SIM_NONE, 0);
	if (power)
		sim_crash(k->sim);
	else
		sim_restart(k->sim);
	assert_ok(kit_open(k));
}

static void who_asks_for_a_status_sees_them(struct kit *k)
{
	deliver(k, 5);
	expect_only_kept(k, 5);
	assert_int_equal(status(k), 5);
	assert_int_equal(rows(k), 5);
	assert_int_equal(k->store->kept.count, 0);
	deliver(k, 2);
	assert_int_equal(rows(k), 5);
	assert_int_equal(status(k), 7);
}

static void who_opens_a_mailbox_sees_them(struct kit *k)
{
	deliver(k, 3);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), 3);
	for (uint32_t uid = 1; uid <= 3; uid++) {
		assert_int_equal(view_uid(v, uid), uid);
		assert_true(str_find(kit_bytes(k, v, uid), STR("Subject: new")) != STR_NONE);
	}
	deliver(k, 2); /* somebody looks */
	assert_int_equal(k->store->kept.count, 0);
	assert_int_equal(kit_pull(k, v).exists, 5);
	view_close(&v);
	deliver(k, 1);
	assert_int_equal(k->store->kept.count, 1);
	assert_int_equal(view_open(&k->owner, STR("nothing"), true, &v).kind, FAIL_ABSENT);
	deliver(k, 1);
	assert_int_equal(k->store->kept.count, 1);
}

static void whatever_else_happens_puts_them_in(struct kit *k)
{
	struct mailbox_status s;
	deliver(k, 3);
	assert_ok(mailbox_create(&k->owner, STR("work"), 0, &s));
	assert_int_equal(rows(k), 3);
	deliver(k, 3);
	assert_ok(kit_append(k, "Drafts", 0, "a draft"));
	assert_int_equal(rows(k), 7);
	deliver(k, 3);
	assert_ok(kit_deliver(k, "Junk", "elsewhere", 100));
	assert_int_equal(rows(k), 11);
	deliver(k, 3);
	assert_ok(mailbox_rename(&k->owner, STR("INBOX"), STR("old")));
	assert_int_equal(rows(k), 14);
	deliver(k, 3);
	assert_ok(store_trim(&k->administrator));
	assert_int_equal(rows(k), 17);
	deliver(k, 3);
	kit_reopen(k);
	assert_int_equal(rows(k), 20);
	deliver(k, 3);
	kit_expect_sound(k);
	assert_int_equal(rows(k), 23);
}

static void a_process_that_dies_leaves_them(struct kit *k)
{
	for (int power = 0; power < 2; power++) {
		deliver(k, 4);
		die(k, power);
		assert_int_equal(k->store->kept.count, 4);
		deliver(k, 1);
		die(k, power);
		assert_int_equal(k->store->kept.count, 5);
		assert_int_equal(status(k), 5U * (unsigned)(power + 1));
		die(k, power);
		assert_int_equal(k->store->kept.count, 0);
		assert_int_equal(status(k), 5U * (unsigned)(power + 1));
	}
}

static void a_repeat_is_noticed(struct kit *k)
{
	struct letter l = kit_letter(k, "twice", 100);
	deliver(k, 2);
	struct incoming in = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
	for (int i = 0; i < 4; i++) {
		struct arrived done;
		assert_ok(message_deliver(&k->courier, &in, &done));
		assert_int_equal(done.duplicate, i > 0);
		if (i == 0)
			die(k, false);
		if (i == 2)
			kit_reopen(k);
	}
	assert_int_equal(status(k), 3);
}

/* Sixty-four; the next one's commit takes them. */
static void there_is_an_end_to_them(struct kit *k)
{
	deliver(k, KEPT_LETTERS);
	expect_only_kept(k, KEPT_LETTERS);
	deliver(k, 1);
	assert_int_equal(rows(k), KEPT_LETTERS + 1);
	assert_int_equal(k->store->kept.count, 0);
	deliver(k, 3 * KEPT_LETTERS);
	assert_int_equal(status(k), 4 * KEPT_LETTERS + 1);
	assert_int_equal(kit_last_uid(k, "INBOX"), 4 * KEPT_LETTERS + 1);
	unsigned n = 0;
	for (; n == 0 || k->store->kept.count; n++) /* of long ones before, when the file is full */
		assert_ok(kit_deliver(k, "", "long", KEPT_LETTER_MAX - 1000));
	assert_in_range(n, 10, KEPT_LETTERS - 1);
	assert_int_equal(status(k), 4 * KEPT_LETTERS + 1 + n);
}

static void others_are_not_only_kept(struct kit *k)
{
	struct letter l = kit_letter(k, "flagged", 100);
	struct incoming in = {kit_delivery(k), 1700000000, STR(""), {STORE_FLAGGED, NULL, 0}, &l};
	struct arrived done;
	assert_ok(kit_deliver(k, "", "long", KEPT_LETTER_MAX));
	assert_int_equal(rows(k), 1);
	assert_ok(message_deliver(&k->courier, &in, &done));
	assert_int_equal(rows(k), 2);
	assert_ok(kit_deliver(k, "Archive", "elsewhere", 100));
	assert_int_equal(rows(k), 3);
	assert_int_equal(k->store->kept.count, 0);
}

/* The quota counts them at once, and what is left is told. */
static void the_quota_counts_them(struct kit *k)
{
	struct letter l = kit_letter(k, "counted", 1000);
	uint64_t size = l.trace.n + l.body.n, left;
	struct arrived done;
	assert_ok(store_quota_set(&k->administrator, 3 * size));
	for (unsigned i = 1; i <= 3; i++) {
		struct incoming in = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
		assert_ok(message_deliver(&k->courier, &in, &done));
		assert_int_equal(done.headroom, (3 - i) * size);
	}
	assert_int_equal(k->store->kept.count, 3);
	assert_int_equal(store_may_take(&k->courier, 1, &left).kind, FAIL_FULL);
	assert_int_equal(kit_append(k, "Drafts", 0, "over").kind, FAIL_FULL);
	assert_false(k->store->kept.no_room);
	assert_int_equal(k->store->kept.count, 3);
	assert_int_equal(status(k), 3);
	assert_int_equal(store_may_take(&k->courier, 1, &left).kind, FAIL_FULL);
}

/* SAVEDATE and INTERNALDATE are of the arrival. */
static void dates_are_of_the_arrival(struct kit *k)
{
	struct fetched f;
	struct uids one = {(uint32_t[]){1}, 1};
	clock_test_hold(1800000000000);
	deliver(k, 1);
	clock_test_set(1800000500000);
	struct view *v = kit_view(k, "INBOX");
	assert_ok(fetch_rows(v, &one, FETCH_SEARCH, &k->m, &f));
	assert_int_equal(f.rows[0].date, 1700000000);
	assert_int_equal(f.rows[0].saved, 1800000000);
	view_close(&v);
	clock_test_release();
}

static void another_key_keeps_them(struct kit *k)
{
	static const unsigned char key[32] = "a key for tests", next[32] = "another key", id[16] = "an account";
	const struct store_reseal r = {k->files, key, next, id};
	deliver(k, 3);
	sim_fault_at(k->sim, SIM_CRASH, 1);
	kit_close(k);
	sim_fault_at(k->sim, SIM_NONE, 0);
	sim_restart(k->sim);
	assert_int_equal(store_reseal(&r).kind, FAIL_BUSY); /* they are nowhere else */
	assert_ok(kit_open(k));
	deliver(k, 1);
	kit_close(k);
	assert_ok(store_reseal(&r));
	assert_ok(store_reseal_take(k->files));
	k->key = next;
	assert_ok(kit_open(k));
	assert_int_equal(status(k), 4);
	deliver(k, 2);
	die(k, true);
	assert_int_equal(status(k), 6);
}

/* ---- what can't be put in */

static void what_cannot_be_put_in_stays_kept(struct kit *k)
{
	struct mailbox_status s;
	struct store_usage u;
	struct findings f;
	deliver(k, 1);
	kit_write(k, "UPDATE list SET records=zeroblob(7)");
	deliver(k, 3);
	assert_int_equal(status(k), 1);
	assert_ok(mailbox_create(&k->owner, STR("work"), 0, &s)); /* it stops nothing else */
	assert_int_equal(k->store->kept.count, 3);
	assert_int_equal(kit_deliver(k, "", "refused", 100).kind, FAIL_DAMAGE); /* and no more are taken */
	assert_ok(store_usage_of(&k->administrator, &u));
	assert_int_equal(u.messages, 4);
	die(k, false);
	assert_int_equal(k->store->kept.count, 3);
	kit_write(k, "DELETE FROM list");
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_int_equal(k->store->kept.count, 0);
	assert_int_equal(rows(k), 3);
	deliver(k, 1);
	assert_int_equal(k->store->kept.count, 1);
}

/* Whether its record is there nobody knows; it is delivered in the common way, whose commit voids it. */
static void a_record_in_doubt_is_void(struct kit *k)
{
	struct letter l = kit_letter(k, "doubtful", 100);
	struct incoming in = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
	struct arrived done;
	deliver(k, 1);
	assert_int_equal(status(k), 1);
	sim_fault_at(k->sim, SIM_REFUSE, 2); /* the flush */
	assert_ok(message_deliver(&k->courier, &in, &done));
	sim_fault_at(k->sim, SIM_NONE, 0);
	assert_int_equal(rows(k), 2);
	deliver(k, 1);
	assert_int_equal(k->store->kept.count, 1);
	die(k, false);
	assert_int_equal(k->store->kept.count, 1);
	assert_int_equal(status(k), 3);
}

/* What waits in rows without a list is settled before. */
static void in_doubt_what_is_unlisted_stays_so(struct kit *k)
{
	for (int before = 0; before < 2; before++) {
		struct letter l = kit_letter(k, "doubtful", 100);
		struct incoming in = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
		struct store_usage u;
		struct arrived done;
		deliver(k, 1);
		struct view *v = kit_view(k, "INBOX");
		deliver(k, 5);
		view_close(&v);
		assert_true(k->store->lists.unlisted.n > 0);
		sim_fault_at(k->sim, SIM_REFUSE, 2);
		assert_ok(message_deliver(&k->courier, &in, &done));
		sim_fault_at(k->sim, SIM_NONE, 0);
		assert_ok(store_usage_of(&k->administrator, &u));
		assert_int_equal(u.messages, 7 * (before + 1));
		die(k, before);
		assert_int_equal(status(k), 7U * (unsigned)(before + 1));
		kit_expect_sound(k);
	}
}

/* They come and go in one work, and its rows are in memory. */
static void a_renamed_inbox_takes_them_along(struct kit *k)
{
	deliver(k, 2);
	struct view *v = kit_view(k, "INBOX");
	view_close(&v);
	deliver(k, 3);
	assert_int_equal(k->store->kept.count, 3);
	assert_ok(mailbox_rename(&k->owner, STR("INBOX"), STR("old")));
	v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), 0);
	view_close(&v);
	v = kit_view(k, "old");
	assert_int_equal(view_exists(v), 5);
	view_close(&v);
}

/* ---- at once: by one flush */

struct together {
	struct kit *kit;
	unsigned running, failures;
	struct gate done;
};

static void deliver_one(void *arg)
{
	struct together *t = arg;
	t->failures += failed(kit_deliver(t->kit, "", "at once", 100));
	if (--t->running == 0)
		gate_wake_all(&t->done);
}

static void several_at_once(struct kit *k)
{
	struct together t = {.kit = k, .running = 20};
	gate_init(&t.done);
	deliver(k, 1);
	sim_fault_at(k->sim, SIM_NONE, 0);
	for (int i = 0; i < 20; i++)
		assert_ok(fiber_start(deliver_one, &t, "courier", NULL));
	while (t.running)
		assert_ok(gate_wait(&t.done, FIBER_FOREVER));
	assert_int_equal(t.failures, 0);
	assert_true(sim_steps(k->sim) < 40); /* two for a flush */
	assert_int_equal(k->store->kept.count, 21);
	die(k, true);
	assert_int_equal(status(k), 21);
}

/* One who looks comes in the middle of many who bring. */
static void who_looks_meanwhile_misses_none(struct kit *k)
{
	struct together t = {.kit = k, .running = 40};
	gate_init(&t.done);
	for (int i = 0; i < 20; i++)
		assert_ok(fiber_start(deliver_one, &t, "courier", NULL));
	fiber_yield();
	struct view *v = kit_view(k, "INBOX");
	for (int i = 0; i < 20; i++)
		assert_ok(fiber_start(deliver_one, &t, "courier", NULL));
	while (t.running)
		assert_ok(gate_wait(&t.done, FIBER_FOREVER));
	assert_int_equal(k->store->kept.count, 0);
	assert_int_equal(kit_pull(k, v).exists, 40);
	view_close(&v);
}

#define RUN(NAME) static void test_##NAME(void **state) { (void)state; kit_run(NAME); }
#define EACH(X)                                                                                                       \
	X(who_asks_for_a_status_sees_them) X(who_opens_a_mailbox_sees_them) X(whatever_else_happens_puts_them_in)     \
	X(a_process_that_dies_leaves_them) X(a_repeat_is_noticed) X(there_is_an_end_to_them)                          \
	X(others_are_not_only_kept) X(the_quota_counts_them) X(dates_are_of_the_arrival) X(another_key_keeps_them)    \
	X(what_cannot_be_put_in_stays_kept) X(a_record_in_doubt_is_void) X(in_doubt_what_is_unlisted_stays_so) \
	X(a_renamed_inbox_takes_them_along) X(several_at_once) X(who_looks_meanwhile_misses_none)
EACH(RUN)

#define UNIT(NAME) cmocka_unit_test(test_##NAME),

int main(void)
{
	const struct CMUnitTest tests[] = {EACH(UNIT)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
