/* The newest arrivals, whose records are in no list yet: nobody who reads can tell. */
#include "account/store/core.h"
#include "account/store/kit.h"
#include "account/store/reseal.h"

static void deliver(struct kit *k, const char *mailbox, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_ok(kit_deliver(k, mailbox, "new", 100));
}

static uint32_t status(struct kit *k, const char *mailbox)
{
	struct mailbox_status s;
	assert_ok(mailbox_status_of(&k->owner, str_from(mailbox), &s));
	assert_int_equal(s.uidnext, s.messages + 1);
	assert_int_equal(s.unseen, s.messages);
	return s.messages;
}

#define COUNTED "SELECT messages FROM counts WHERE id=0"

static void lists_and_counts_rest(struct kit *k)
{
	deliver(k, "", 1);
	assert_int_equal(kit_number(k, COUNTED), 1);
	deliver(k, "", UNLISTED_MAX);
	assert_int_equal(kit_number(k, COUNTED), 1);
	assert_int_equal(k->store->lists.unlisted.n, UNLISTED_MAX);
	assert_int_equal(status(k, "INBOX"), UNLISTED_MAX + 1);
	deliver(k, "", 1); /* one too many: they go into the list, and so does it */
	assert_int_equal(kit_number(k, COUNTED), UNLISTED_MAX + 2);
	assert_int_equal(k->store->lists.unlisted.n, 0);
	assert_int_equal(status(k, "INBOX"), UNLISTED_MAX + 2);
}

static void who_reads_finds_them(struct kit *k)
{
	struct fetched f;
	deliver(k, "", 3);
	struct view *v = kit_view(k, "INBOX");
	deliver(k, "", 1);
	assert_int_equal(kit_pull(k, v).exists, 4);
	for (uint32_t uid = 1; uid <= 4; uid++) {
		struct uids one = {&uid, 1};
		assert_int_equal(view_uid(v, uid), uid);
		assert_true(str_find(kit_bytes(k, v, uid), STR("Subject: new")) != STR_NONE);
		assert_ok(fetch_rows(v, &one, FETCH_SEARCH, &k->m, &f));
		assert_int_equal(f.rows[0].date, 1700000000);
		assert_str(f.rows[0].search, STR("new"));
	}
	assert_int_equal(kit_number(k, COUNTED), 1);
	view_close(&v);
}

static void who_changes_settles_them(struct kit *k)
{
	struct uids which = {(uint32_t[]){2, 3}, 2}, not;
	struct flag_change seen = {FLAGS_ADD, {STORE_SEEN, NULL, 0}, false, 0};
	struct copied copied;
	deliver(k, "", 4);
	struct view *v = kit_view(k, "INBOX");
	assert_ok(message_flags(v, &which, &seen, &k->m, &not));
	assert_int_equal(kit_flags(v, 3), STORE_SEEN);
	assert_int_equal(kit_number(k, COUNTED), 4);
	deliver(k, "", 2);
	deliver(k, "", 2);
	assert_ok(message_move(v, &(struct copy_order){&which, STR("Archive"), false}, &k->m, &copied));
	assert_int_equal(kit_number(k, COUNTED), 8);
	deliver(k, "", 2);
	kit_expect_sound(k);
	view_close(&v);
	assert_int_equal(kit_last_uid(k, "INBOX"), 10);
}

/* As a process that dies leaves them: nothing is written at its end. */
static void an_opening_finds_them(struct kit *k)
{
	deliver(k, "", 5);
	uint64_t modseq = kit_modseq(k), octets = k->store->account.octets;
	assert_int_equal(kit_number(k, COUNTED), 1);
	kit_reopen(k);
	assert_int_equal(k->store->account.octets, octets);
	assert_int_equal(kit_number(k, COUNTED), 1);
	assert_int_equal(k->store->lists.unlisted.n, 4);
	assert_int_equal(k->store->account.messages, 5);
	assert_int_equal(kit_modseq(k), modseq);
	assert_int_equal(status(k, "INBOX"), 5);
	assert_int_equal(kit_last_uid(k, "INBOX"), 5);
	deliver(k, "", 1);
	assert_int_equal(kit_number(k, COUNTED), 6);
	assert_int_equal(kit_last_uid(k, "INBOX"), 6);
	assert_true(kit_modseq(k) > modseq);
}

static void a_repeat_is_noticed(struct kit *k)
{
	struct letter l = kit_letter(k, "twice", 100);
	deliver(k, "", 2);
	struct incoming in = {kit_delivery(k), 1700000000, STR(""), {0}, &l};
	struct arrived done;
	assert_ok(message_deliver(&k->courier, &in, &done));
	assert_false(done.duplicate);
	assert_ok(message_deliver(&k->courier, &in, &done));
	assert_true(done.duplicate);
	kit_reopen(k);
	assert_ok(message_deliver(&k->courier, &in, &done));
	assert_true(done.duplicate);
	assert_int_equal(status(k, "INBOX"), 3);
}

static void mailboxes_take_turns(struct kit *k)
{
	static const char *const where[] = {"", "", "Junk", "Junk", "", "Archive", "Archive", "Archive", "Junk", ""};
	for (size_t i = 0; i < sizeof where / sizeof *where; i++)
		deliver(k, where[i], 1);
	assert_int_equal(status(k, "INBOX"), 4);
	assert_int_equal(status(k, "Junk"), 3);
	assert_int_equal(status(k, "Archive"), 3);
	kit_expect_sound(k);
	deliver(k, "Junk", 3);
	kit_reopen(k);
	assert_int_equal(status(k, "Junk"), 6);
	assert_int_equal(kit_last_uid(k, "Junk"), 6);
}

/* A keyword is made in the same work. */
static void flags_come_along(struct kit *k)
{
	struct letter l = kit_letter(k, "flagged", 100);
	str word = STR("$Label");
	struct arrived done;
	deliver(k, "", 2);
	for (int i = 0; i < 3; i++) {
		struct incoming in = {kit_delivery(k), 1700000000, STR(""), {STORE_FLAGGED, &word, 1}, &l};
		assert_ok(message_deliver(&k->courier, &in, &done));
	}
	kit_reopen(k);
	struct view *v = kit_view(k, "INBOX");
	uint64_t label = UINT64_C(1) << view_keyword_bit(v, word);
	assert_int_equal(kit_flags(v, 2), 0);
	for (uint32_t uid = 3; uid <= 5; uid++)
		assert_int_equal(kit_flags(v, uid), STORE_FLAGGED | label);
	view_close(&v);
}

static result add_and_fail(struct work *w, void *arg)
{
	struct box_row *box;
	struct entry e = {.row.size = 1};
	TRY(work_find(w, STR("INBOX"), &box));
	TRY(work_stay_unlisted(w, box));
	*(bool *)arg = w->unlisted;
	e.row.content = ++w->account.content;
	TRY(work_add_unlisted(w, box, &e));
	return failure(FAIL_LIMIT, "enough");
}

static void what_is_undone_is_forgotten(struct kit *k)
{
	bool unlisted = false;
	deliver(k, "", 3);
	struct work w = work_new(k->store, add_and_fail, &unlisted);
	w.one_new = true;
	assert_int_equal(work_do(&w).kind, FAIL_LIMIT);
	assert_true(unlisted);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), 3);
	view_close(&v);
	deliver(k, "", 1);
	assert_int_equal(kit_last_uid(k, "INBOX"), 4);
}

static void a_failing_disk_takes_none(struct kit *k)
{
	deliver(k, "", 3);
	sim_fault_at(k->sim, SIM_REFUSE, 1);
	assert_int_equal(kit_deliver(k, "", "refused", 100).kind, FAIL_DISK);
	sim_fault_at(k->sim, SIM_NONE, 0);
	kit_reopen(k);
	uint32_t kept = status(k, "INBOX"); /* of the last one nobody knows */
	assert_in_range(kept, 3, 4);
	deliver(k, "", 2);
	assert_int_equal(kit_last_uid(k, "INBOX"), kept + 2);
}

static void resting_settles_them(struct kit *k)
{
	deliver(k, "", 4);
	assert_ok(store_trim(&k->administrator));
	assert_int_equal(kit_number(k, COUNTED), 4);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content WHERE id>(SELECT next FROM counts WHERE id=0)"), 0);
}

/* Jobs that wait at the same time are parts of one transaction. */
struct together {
	struct kit *kit;
	unsigned at, running, refused;
	size_t commits;
};

static void one_of_them(void *arg)
{
	static const char *const where[] = {"", "", NULL, "", "Junk", NULL, "Junk", "", NULL};
	struct together *t = arg;
	const char *mailbox = where[t->at++ % (sizeof where / sizeof *where)];
	struct mailbox_status s;
	if (mailbox)
		assert_ok(kit_deliver(t->kit, mailbox, "together", 3000));
	else
		t->refused += mailbox_create(&t->kit->owner, STR("Junk"), 0, &s).kind == FAIL_EXISTS;
	t->running--;
}

static void a_neighbour_that_fails_takes_none_along(struct kit *k)
{
	struct together t = {.kit = k, .running = 45};
	deliver(k, "", 2);
	t.commits = committer_commits(k->store->committer);
	for (unsigned i = t.running; i > 0; i--)
		assert_ok(fiber_start(one_of_them, &t, "one", NULL));
	while (t.running)
		fiber_yield();
	assert_int_equal(t.refused, 15);
	assert_in_range(committer_commits(k->store->committer) - t.commits, 1, 29); /* some were in one */
	assert_int_equal(status(k, "INBOX"), 2 + 20);
	assert_int_equal(status(k, "Junk"), 10);
	kit_reopen(k);
	assert_int_equal(status(k, "INBOX"), 2 + 20);
	assert_int_equal(status(k, "Junk"), 10);
}

static void another_key_keeps_them(struct kit *k)
{
	static const unsigned char was[32] = "a key for tests", next[32] = "another one", id[16] = "an account";
	deliver(k, "", 3);
	assert_ok(kit_deliver(k, "", "large", 1200000));
	kit_close(k);
	assert_ok(store_reseal(&(struct store_reseal){k->files, was, next, id}));
	assert_ok(store_reseal_take(k->files));
	k->key = next;
	assert_ok(kit_open(k));
	assert_int_equal(k->store->lists.unlisted.n, 3);
	assert_int_equal(status(k, "INBOX"), 4);
	struct view *v = kit_view(k, "INBOX");
	assert_true(kit_bytes(k, v, 4).n > 1200000);
	view_close(&v);
}

/* What waited while the account was locked goes into the list, behind all that came before. */
static void waiting_ones_come_behind_them(struct kit *k)
{
	struct letter l = kit_letter(k, "waited", 100);
	struct arrivals_mark first = {{1}, 7}, second = {{1}, 8}, mark;
	struct incoming in[3];
	struct arrived done;
	bool duplicate[3];
	deliver(k, "", 2);
	for (int i = 0; i < 3; i++)
		in[i] = (struct incoming){kit_delivery(k), 1700000000, STR(""), {0}, &l, .mark = i ? &second : &first};
	assert_ok(message_deliver(&k->courier, &in[0], &done));
	kit_reopen(k);
	assert_int_equal(k->store->lists.unlisted.n, 2);
	assert_ok(message_mark(&k->courier, &mark));
	assert_int_equal(mark.upto, 7);
	assert_ok(message_merge(&k->courier, in, 3, duplicate));
	assert_true(duplicate[0] && !duplicate[1] && !duplicate[2]);
	assert_int_equal(kit_number(k, COUNTED), 5);
	assert_int_equal(kit_last_uid(k, "INBOX"), 5);
	assert_ok(message_mark(&k->courier, &mark));
	assert_int_equal(mark.upto, 8);
}

/* Who was told of the newest is remembered, though the database counts fewer yet. */
static void recent_ones_are_told_once(struct kit *k)
{
	deliver(k, "", 4);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_recent(v), 4);
	view_close(&v);
	kit_reopen(k);
	v = kit_view(k, "INBOX");
	assert_int_equal(view_recent(v), 0);
	deliver(k, "", 1);
	assert_int_equal(kit_pull(k, v).recent, 1);
	view_close(&v);
}

/* Nothing that looks changes anything. */
static void a_check_leaves_them(struct kit *k)
{
	deliver(k, "", 3);
	uint64_t modseq = kit_modseq(k);
	kit_expect_sound(k);
	assert_int_equal(kit_number(k, COUNTED), 1);
	assert_int_equal(k->store->account.messages, 3);
	assert_int_equal(kit_modseq(k), modseq);
	deliver(k, "", 1);
	assert_int_equal(kit_last_uid(k, "INBOX"), 4);
}

/* ---- damage ---- */

static bool says(const struct findings *f, const char *part)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_find(f->v[i].sentence, str_from(part)) != STR_NONE)
			return true;
	return false;
}

static void a_damaged_record_is_told(struct kit *k)
{
	struct findings f;
	deliver(k, "", 3);
	kit_write(k, "UPDATE content SET record=x'00' WHERE id=(SELECT max(id) FROM content)");
	kit_reopen(k);
	assert_int_equal(status(k, "INBOX"), 2);
	deliver(k, "", 1);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(f.n == 1 && says(&f, "belongs to no message"));
}

/* What is new stays where it is until the list is restored. */
static void a_damaged_list_is_told(struct kit *k)
{
	struct findings f;
	deliver(k, "", 3);
	kit_write(k, "UPDATE list SET records=zeroblob(7)");
	assert_int_equal(kit_deliver(k, "", "new", 100).kind, FAIL_DAMAGE);
	assert_ok(store_trim(&k->administrator)); /* memory is given back all the same */
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(says(&f, "The newest messages cannot be brought"));
	assert_true(says(&f, "The list of mailbox number 1 is damaged"));
	assert_false(says(&f, "given out again"));
	assert_int_equal(k->store->account.messages, 3);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content"), 3);
	kit_write(k, "DELETE FROM list"); /* as if what it held had never been */
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_false(says(&f, "The newest messages cannot be brought"));
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content"), 2);
}

static void a_lost_mailbox_is_given_anew(struct kit *k)
{
	struct findings f;
	deliver(k, "Junk", 3);
	kit_write(k, "DELETE FROM mailbox WHERE name='Junk'");
	kit_write(k, "DELETE FROM counts WHERE id NOT IN (SELECT id FROM mailbox) AND id>0");
	kit_reopen(k);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(says(&f, "of 3 messages is missing"));
	kit_expect_sound(k);
}

/* Those that are in their list already are not put there again. */
static void counts_set_back_double_nothing(struct kit *k)
{
	struct findings f;
	deliver(k, "", UNLISTED_MAX + 10);
	assert_ok(store_trim(&k->administrator));
	kit_write(k, "UPDATE counts SET next=1 WHERE id=0");
	kit_reopen(k);
	assert_int_equal(k->store->lists.unlisted.n, 0);
	assert_int_equal(status(k, "INBOX"), UNLISTED_MAX + 10);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(says(&f, "given out again"));
	kit_expect_sound(k);
}

/* A page that the disk did not write is as it was. */
static void counts_of_long_ago_double_nothing(struct kit *k)
{
	struct findings f;
	struct view *v;
	deliver(k, "", 1);
	kit_write(k, "CREATE TABLE before AS SELECT * FROM counts");
	deliver(k, "", UNLISTED_MAX + 10);
	assert_ok(store_trim(&k->administrator));
	deliver(k, "", 1);
	kit_write(k, "DELETE FROM counts");
	kit_write(k, "INSERT INTO counts SELECT * FROM before");
	kit_write(k, "DROP TABLE before");
	kit_reopen(k);
	v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), UNLISTED_MAX + 12);
	view_close(&v);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(says(&f, "would give UID"));
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content"), UNLISTED_MAX + 12);
	kit_expect_sound(k);
	assert_int_equal(status(k, "INBOX"), UNLISTED_MAX + 12);
	deliver(k, "", 1);
	assert_int_equal(kit_last_uid(k, "INBOX"), UNLISTED_MAX + 13);
}

/* Where lists and counts are lost, what came since the beginning of a list is new once more. */
static void more_than_memory_holds_are_settled_in_turns(struct kit *k)
{
	struct findings f;
	const unsigned n = 2 * (UNLISTED_MAX + 1) + 10;
	deliver(k, "", n);
	assert_ok(store_trim(&k->administrator));
	kit_write(k, "DELETE FROM list");
	kit_write(k, "UPDATE counts SET next=1,messages=0,octets=0,unseen=0 WHERE id<2");
	kit_reopen(k);
	assert_int_equal(k->store->lists.unlisted.n, UNLISTED_MAX);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_true(says(&f, "belongs to no message")); /* the first of each turn went into the list at once */
	kit_expect_sound(k);
	struct view *v = kit_view(k, "INBOX");
	assert_int_equal(view_exists(v), n - 3);
	view_close(&v);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content"), n - 3);
	assert_int_equal(kit_last_uid(k, "INBOX"), n);
}

/* Damage that authenticates: a page of counts as it was. Whoever counts on it is refused, whatever else was changed. */
static void old_counts_let_nothing_stay_unlisted(struct kit *k)
{
	struct uids which = {(uint32_t[]){2}, 1}, not;
	struct flag_change seen = {FLAGS_ADD, {STORE_SEEN, NULL, 0}, false, 0};
	struct findings f;
	deliver(k, "", 1);
	kit_write(k, "CREATE TABLE before AS SELECT * FROM counts");
	deliver(k, "", 20);
	assert_ok(store_trim(&k->administrator));
	kit_write(k, "DELETE FROM counts");
	kit_write(k, "INSERT INTO counts SELECT * FROM before");
	kit_write(k, "DROP TABLE before");
	kit_reopen(k);
	struct view *v = kit_view(k, "INBOX");
	assert_ok(message_flags(v, &which, &seen, &k->m, &not));
	view_close(&v);
	int64_t rows = kit_number(k, "SELECT count(*) FROM content");
	assert_int_equal(kit_deliver(k, "", "hello", 100).kind, FAIL_DAMAGE);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM content"), rows);
	assert_ok(store_check(&k->administrator, true, &k->m, &f));
	assert_ok(kit_deliver(k, "", "hello", 100));
}

#define RUN(NAME) static void test_##NAME(void **state) { (void)state; kit_run_watched(NAME); }
#define EACH(X)                                                                                                      \
	X(old_counts_let_nothing_stay_unlisted)                                                                      \
	X(lists_and_counts_rest) X(who_reads_finds_them) X(who_changes_settles_them) X(an_opening_finds_them)        \
	X(a_repeat_is_noticed) X(mailboxes_take_turns) X(flags_come_along) X(what_is_undone_is_forgotten)            \
	X(a_failing_disk_takes_none) X(resting_settles_them) X(a_neighbour_that_fails_takes_none_along)              \
	X(another_key_keeps_them) X(waiting_ones_come_behind_them) X(recent_ones_are_told_once)                      \
	X(a_check_leaves_them) X(a_damaged_record_is_told) X(a_damaged_list_is_told) X(a_lost_mailbox_is_given_anew) \
	X(counts_set_back_double_nothing) X(counts_of_long_ago_double_nothing)                                       \
	X(more_than_memory_holds_are_settled_in_turns)
EACH(RUN)

#define UNIT(NAME) cmocka_unit_test(test_##NAME),

int main(void)
{
	const struct CMUnitTest tests[] = {EACH(UNIT)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
