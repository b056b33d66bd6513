#include "account/store/kit.h"
#include "account/store/core.h"

#include <stdio.h>

static result make(struct kit *k, const char *name)
{
	struct mailbox_status s;
	return mailbox_create(&k->owner, str_from(name), 0, &s);
}

static uint32_t validity(struct kit *k, const char *name)
{
	struct mailbox_status s;
	assert_ok(mailbox_status_of(&k->owner, str_from(name), &s));
	return s.uidvalidity;
}

static const struct mailbox_entry *entry(const struct mailbox_entries *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (str_eq(e->v[i].name, str_from(name)))
			return &e->v[i];
	fail_msg("%s is not listed", name);
	return NULL;
}

static void names_that_cannot_be(struct kit *k)
{
	static const char *const bad[] = {"", "/", "/a", "a//b", "a\nb", "\xff", "a/\x01"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(make(k, bad[i]).kind, FAIL_INPUT);
	char longest[STORE_NAME_MAX + 2];
	memset(longest, 'x', sizeof longest);
	longest[STORE_NAME_MAX] = 0;
	assert_ok(make(k, longest));
	longest[STORE_NAME_MAX] = 'x';
	longest[STORE_NAME_MAX + 1] = 0;
	assert_true(failed(make(k, longest)));
	assert_int_equal(make(k, "InBoX").kind, FAIL_EXISTS);
	assert_ok(make(k, "inbox/below"));
	assert_int_equal(make(k, "INBOX/below").kind, FAIL_EXISTS);
	assert_ok(make(k, "slash/"));
	assert_int_equal(make(k, "slash").kind, FAIL_EXISTS);
	assert_int_equal(mailbox_delete(&k->owner, STR("inbox")).kind, FAIL_INPUT);
	assert_int_equal(mailbox_delete(&k->owner, STR("nowhere")).kind, FAIL_ABSENT);
}

static void the_list_shows_what_is_between(struct kit *k)
{
	struct mailbox_entries e;
	assert_ok(make(k, "a/b/c"));
	assert_ok(make(k, "a!"));
	assert_ok(make(k, "INBOX/z"));
	assert_ok(mailbox_subscribe(&k->owner, STR("gone/for/good"), true));
	assert_ok(mailbox_subscribe(&k->owner, STR("a/b/c"), true));
	assert_ok(mailbox_list(&k->owner, &k->m, &e));
	assert_str(e.v[0].name, STR("INBOX"));
	assert_str(e.v[1].name, STR("INBOX/z"));
	assert_true(entry(&e, "INBOX")->children);
	assert_false(entry(&e, "a")->exists);
	assert_true(entry(&e, "a")->children && entry(&e, "a")->subscribed_below && !entry(&e, "a")->subscribed);
	assert_true(entry(&e, "a/b")->children && !entry(&e, "a/b")->exists);
	assert_true(entry(&e, "a/b/c")->exists && entry(&e, "a/b/c")->subscribed);
	assert_false(entry(&e, "a!")->children);
	assert_true(entry(&e, "gone/for/good")->subscribed && !entry(&e, "gone/for/good")->exists);
	assert_true(entry(&e, "gone")->subscribed_below && !entry(&e, "gone")->children);
	for (size_t i = 1; i < e.n; i++)
		assert_true(name_cmp(e.v[i - 1].name, e.v[i].name) < 0);
	size_t n = e.n;
	assert_ok(mailbox_subscribe(&k->owner, STR("gone/for/good"), false));
	kit_reopen(k);
	assert_ok(mailbox_list(&k->owner, &k->m, &e));
	assert_int_equal(e.n, n - 3);
}

static void a_deleted_parent_leaves_its_inferiors(struct kit *k)
{
	struct mailbox_entries e;
	assert_ok(make(k, "p"));
	assert_ok(make(k, "p/q"));
	uint32_t was = validity(k, "p");
	struct view *v = kit_view(k, "p");
	assert_ok(mailbox_delete(&k->owner, STR("p")));
	struct view_changes c;
	assert_int_equal(view_pull(v, true, &k->m, &c).kind, FAIL_ABSENT);
	assert_ok(view_wait(v, 1000));
	view_close(&v);
	assert_ok(mailbox_list(&k->owner, &k->m, &e));
	assert_false(entry(&e, "p")->exists);
	assert_true(entry(&e, "p")->children);
	assert_ok(make(k, "p"));
	assert_true(validity(k, "p") > was);
}

static void rename_takes_all_below(struct kit *k)
{
	assert_ok(make(k, "r"));
	assert_ok(make(k, "r/s/t"));
	assert_ok(make(k, "r0"));
	assert_ok(kit_append(k, "r/s/t", STORE_SEEN, "moves along"));
	struct view *v = kit_view(k, "r/s/t");
	uint32_t was = validity(k, "r/s/t");
	assert_ok(mailbox_rename(&k->owner, STR("r"), STR("new/place")));
	assert_int_equal(validity(k, "new/place/s/t"), was);
	assert_str(view_name(v), STR("new/place/s/t"));
	assert_int_equal(kit_flags(v, 1), STORE_SEEN);
	view_close(&v);
	assert_true(validity(k, "r0") > 0);
	assert_int_equal(mailbox_rename(&k->owner, STR("new/place"), STR("new/place/below")).kind, FAIL_INPUT);
	assert_int_equal(mailbox_rename(&k->owner, STR("new/place"), STR("r0")).kind, FAIL_EXISTS);
	assert_int_equal(mailbox_rename(&k->owner, STR("nowhere"), STR("x")).kind, FAIL_ABSENT);
	assert_ok(mailbox_rename(&k->owner, STR("new"), STR("r")));
	assert_true(validity(k, "r/place/s/t") > 0);
	kit_reopen(k);
	assert_int_equal(validity(k, "r/place/s/t"), was);
}

static void a_name_never_shows_a_lower_uidvalidity(struct kit *k)
{
	assert_ok(make(k, "older"));
	assert_ok(make(k, "newer"));
	uint32_t high = validity(k, "newer");
	assert_true(validity(k, "older") < high);
	assert_ok(mailbox_delete(&k->owner, STR("newer")));
	kit_reopen(k);
	assert_ok(mailbox_rename(&k->owner, STR("older"), STR("newer")));
	assert_true(validity(k, "newer") > high);
}

static void inbox_is_emptied_by_its_rename(struct kit *k)
{
	struct mailbox_status s;
	assert_ok(make(k, "INBOX/stays"));
	for (int i = 0; i < 3; i++)
		assert_ok(kit_deliver(k, "", "inbox", 10));
	struct view *v = kit_view(k, "INBOX");
	assert_ok(mailbox_rename(&k->owner, STR("INBOX"), STR("INBOX/old")));
	assert_int_equal(kit_pull(k, v).gone_n, 3);
	view_close(&v);
	assert_ok(mailbox_status_of(&k->owner, STR("INBOX"), &s));
	assert_int_equal(s.messages, 0);
	assert_int_equal(s.uidnext, 4);
	assert_ok(mailbox_status_of(&k->owner, STR("INBOX/old"), &s));
	assert_int_equal(s.messages, 3);
	assert_true(validity(k, "INBOX/stays") > 0);
}

/* Rows straight into the table: ten thousand creations are not what is tested. */
static result fill_boxes(struct work *w, void *arg)
{
	int64_t n;
	(void)arg;
	TRY(db_get(w->db, &n, "SELECT count(*) FROM mailbox"));
	TRY(db_run(w->db,
		"WITH RECURSIVE c(i) AS (SELECT ?1 UNION ALL SELECT i+1 FROM c WHERE i<?2-1)"
		" INSERT INTO mailbox(tag,use,created,name) SELECT i,0,0,'n'||i FROM c",
		DB_INT(n), DB_INT(STORE_MAILBOXES_MAX)));
	TRY(db_run(w->db,
		"INSERT INTO counts SELECT id,1,id,1,0,0,0,0,0,1,0 FROM mailbox WHERE id NOT IN (SELECT id FROM counts)"));
	return db_run(w->db,
		"WITH RECURSIVE c(i) AS (SELECT 7 UNION ALL SELECT i+1 FROM c WHERE i<?1)"
		" INSERT INTO subscription SELECT 'n'||i FROM c",
		DB_INT(STORE_SUBSCRIPTIONS_MAX));
}

static void limits_of_names(struct kit *k)
{
	struct work w = work_new(k->store, fill_boxes, NULL);
	assert_ok(work_do(&w));
	kit_reopen(k);
	assert_int_equal(make(k, "one more").kind, FAIL_LIMIT);
	assert_int_equal(mailbox_subscribe(&k->owner, STR("one more"), true).kind, FAIL_LIMIT);
	assert_ok(mailbox_delete(&k->owner, STR("n5000")));
	assert_ok(make(k, "one more"));
	assert_int_equal(make(k, "two more").kind, FAIL_LIMIT);
	struct mailbox_entries e;
	assert_ok(mailbox_list(&k->owner, &k->m, &e));
	assert_true(e.n >= STORE_MAILBOXES_MAX);
}

static result fill_former(struct work *w, void *arg)
{
	(void)arg;
	return db_run(w->db,
		"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<?1)"
		" INSERT INTO former SELECT 'f'||i,i FROM c", DB_INT(STORE_FORMER_MAX));
}

static void former_names_are_bounded(struct kit *k)
{
	struct work w = work_new(k->store, fill_former, NULL);
	assert_ok(work_do(&w));
	assert_ok(make(k, "x"));
	assert_ok(mailbox_delete(&k->owner, STR("x")));
	assert_int_equal(kit_number(k, "SELECT count(*) FROM former"), STORE_FORMER_MAX);
}

#define RUN(NAME) static void test_##NAME(void **state) { (void)state; kit_run(NAME); }
#define TESTS(X)                                                                                              \
	X(names_that_cannot_be) X(the_list_shows_what_is_between) X(a_deleted_parent_leaves_its_inferiors)        \
	X(rename_takes_all_below) X(a_name_never_shows_a_lower_uidvalidity) X(inbox_is_emptied_by_its_rename)     \
	X(limits_of_names) X(former_names_are_bounded)
TESTS(RUN)

int main(void)
{
#define UNIT(NAME) cmocka_unit_test(test_##NAME),
	const struct CMUnitTest tests[] = {TESTS(UNIT)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
