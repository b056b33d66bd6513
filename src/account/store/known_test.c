/* What a delivery takes as known about its mailbox is what the database says. */
#include "account/store/core.h"
#include "account/store/kit.h"

/* Of the two messages one is in the counts. */
static void another_hand_is_noticed(struct kit *k)
{
	assert_ok(kit_deliver(k, "INBOX", "one", 100));
	assert_ok(kit_deliver(k, "INBOX", "two", 100));
	assert_true(k->store->known.any && k->store->known.inbox);
	uint64_t before = kit_modseq(k);
	kit_write(k, "UPDATE counts SET modseq=modseq+10 WHERE id=0");
	assert_ok(kit_deliver(k, "INBOX", "three", 100));
	assert_int_equal(kit_modseq(k), before - 1 + 10 + 1);
}

struct attempt {
	bool added;
};

static result add_and_fail(struct work *w, void *arg)
{
	struct attempt *a = arg;
	struct box_row *box;
	struct message_dates dates = {0};
	struct row row = {.size = 1};
	TRY(work_find(w, STR("INBOX"), &box));
	TRY(work_add_message(w, box, &row, &dates));
	a->added = true;
	return failure(FAIL_LIMIT, "enough");
}

static void what_was_undone_is_not_known(struct kit *k)
{
	struct attempt a = {0};
	assert_ok(kit_deliver(k, "INBOX", "one", 100));
	struct work w = work_new(k->store, add_and_fail, &a);
	assert_int_equal(work_do(&w).kind, FAIL_LIMIT);
	assert_true(a.added);
	assert_ok(kit_deliver(k, "INBOX", "two", 100));
	assert_int_equal(kit_last_uid(k, "INBOX"), 2);
}

static void a_renamed_inbox_is_another_one(struct kit *k)
{
	assert_ok(kit_deliver(k, "INBOX", "one", 100));
	assert_ok(kit_deliver(k, "INBOX", "two", 100));
	assert_ok(mailbox_rename(&k->owner, STR("INBOX"), STR("old")));
	assert_ok(kit_deliver(k, "INBOX", "three", 100));
	assert_ok(kit_deliver(k, "Sent", "four", 100));
	assert_ok(kit_deliver(k, "INBOX", "five", 100));
	struct view *v = kit_view(k, "INBOX"), *old = kit_view(k, "old"), *sent = kit_view(k, "Sent");
	assert_int_equal(view_exists(v), 2);
	assert_int_equal(view_exists(old), 2);
	assert_int_equal(view_exists(sent), 1);
	view_close(&v);
	view_close(&old);
	view_close(&sent);
}

#define RUN(NAME) static void test_##NAME(void **state) { (void)state; kit_run_watched(NAME); }
#define EACH(X) X(another_hand_is_noticed) X(what_was_undone_is_not_known) X(a_renamed_inbox_is_another_one)
EACH(RUN)

#define UNIT(NAME) cmocka_unit_test(test_##NAME),

int main(void)
{
	const struct CMUnitTest tests[] = {EACH(UNIT)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
